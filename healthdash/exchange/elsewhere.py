"""The network with its calibration, as one that other programs run: prepared inputs in, probabilities out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash import DISCLAIMER, archive
from healthdash.bundles import Bundle, BundleInfo
from healthdash.runtime import tensorflow

if TYPE_CHECKING:
    import keras

__all__ = ["OUTPUT", "calibrated", "inputs_to_check", "saved_model", "told"]

OUTPUT = "probabilities"
_RANDOM_ROWS = 16


def calibrated(bundle: Bundle) -> keras.Model:
    """Return the network followed by the bundle's calibration: the probabilities that the app shows.

    The inputs are prepared ones, (n, ...) as `bundle.json` describes them; the output is (n, labels).
    """
    tensorflow()
    import keras

    network, info = bundle.network, bundle.info
    offset = np.asarray(info.calibration.offset or [0.0] * len(info.labels), np.float32)
    every = [keras.Input(i.shape[1:], name=i.name, dtype=i.dtype) for i in network.inputs]
    inputs = every if len(every) > 1 else every[0]
    logits = network(inputs)
    scaled = keras.layers.Rescaling(info.calibration.scale, offset=offset.tolist())(logits)
    network = keras.Model(inputs, keras.layers.Softmax(name=OUTPUT)(scaled), name="healthdash")
    # Keras exports only what was called before.
    rows = [bundle.background[i.name][:1] for i in every]
    network(rows if len(rows) > 1 else rows[0])
    return network


def saved_model(bundle: Bundle) -> bytes:
    """Return a zip archive of a SavedModel folder, the model's card and a page on its use."""
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        root = Path(folder, "model")
        calibrated(bundle).export(root, format="tf_saved_model", verbose=False)
        files = {f"model/{p.relative_to(root).as_posix()}": p.read_bytes() for p in _files(root)}
    beside = {name: (bundle.path / name).read_bytes() for name in ("card.md", "bundle.json")}
    return archive.pack({"README.md": told(bundle.info).encode(), **beside, **files})


def told(info: BundleInfo) -> str:
    """Return how the exported network is used, in Markdown."""
    shapes = "\n".join(
        f"- `{name}`: float32 (n, {', '.join(map(str, s))})" for name, s in info.inputs.items()
    )
    return (
        f"# {info.title}\n\n**{DISCLAIMER}**\n\nInputs, prepared with the constants in `bundle.json`:\n\n"
        f"{shapes}\n\nOutput: `{OUTPUT}`, float32 (n, {len(info.labels)}), calibrated estimated "
        f"probabilities in this order: {', '.join(info.labels)}. The card says what the model is for, how it "
        "was measured and where it fails.\n"
    )


def inputs_to_check(bundle: Bundle, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return the golden inputs and random ones around the background, float32 (n, ...) for each input.

    A random row takes every number from some row of the background and adds noise of a tenth of its
    spread; whole numbers (codes of categories) stay whole, gaps stay gaps.
    """
    rng = np.random.default_rng(seed)
    return {name: _around(rows, rng) for name, rows in bundle.background.items()}


def _around(rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    flat = rows.reshape(len(rows), -1)
    drawn = flat[rng.integers(len(flat), size=(_RANDOM_ROWS, flat.shape[1])), np.arange(flat.shape[1])]
    known = np.nan_to_num(flat)
    is_code = (known == np.round(known)).all(axis=0)
    noise = rng.normal(size=drawn.shape) * known.std(axis=0) / 10
    both = np.concatenate([flat, drawn + np.where(is_code, 0.0, noise)])
    return np.asarray(both.reshape(-1, *rows.shape[1:]), np.float32)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())
