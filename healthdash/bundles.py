"""Bundles: a model on disk is a folder. List, load, verify and save them.

model.keras  bundle.json  card.md  history.csv  evaluation.json  background.npz  golden.json
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from healthdash import bundle_folder, settings
from healthdash.errors import CorruptModel, ModelMismatch, UnknownModel
from healthdash.runtime import Forward, tensorflow
from healthdash.training.calibration import Calibration
from healthdash.training.card import render_card
from healthdash.training.evaluation import Evaluation
from healthdash.training.explained import ExplanationQuality
from healthdash.training.history import EpochRow, read_history, write_history

if TYPE_CHECKING:
    import keras

__all__ = [
    "FORMAT",
    "GOLDEN_TOLERANCE",
    "Bundle",
    "BundleInfo",
    "DataSource",
    "OperatingPoint",
    "available",
    "get",
    "open_folder",
    "save",
    "with_evaluation",
    "with_explanations",
    "with_recipe",
]

#: Number of the bundle format; a higher one is refused.
FORMAT = 1
#: How far the golden logits may be off on another device.
GOLDEN_TOLERANCE = 1e-3
_GOLDEN_ROWS = 2


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSource(_Frozen):
    """The data that a model was trained on."""

    name: str
    source: str
    licence: str
    citation: str = ""
    rows: int
    groups: int


class OperatingPoint(_Frozen):
    """From which probability a label, or named group of labels, is decided, and why there."""

    label: str
    threshold: float
    rule: str


class BundleInfo(_Frozen):
    """The content of `bundle.json`.

    Attributes
    ----------
    labels : tuple of str
        In the order of the network's outputs.
    label_groups : dict
        Named sums of labels, such as pneumonia = bacterial + viral.
    preprocessing : dict
        The constants of the task's `prepare`.
    inputs : dict
        Shape of each named input without the batch.
    operating_points : tuple of OperatingPoint
        Tried in order; the first that is reached decides. None reached: the most likely of
        the labels that no operating point names.
    gate : dict
        The constants of the task's `gate`.
    """

    format: int = FORMAT
    task: str
    name: str
    title: str
    labels: tuple[str, ...]
    label_groups: dict[str, tuple[str, ...]] = {}
    preprocessing: dict[str, Any]
    inputs: dict[str, tuple[int, ...]]
    calibration: Calibration = Calibration()
    operating_points: tuple[OperatingPoint, ...] = ()
    gate: dict[str, Any] = {}
    data: DataSource
    intended_use: str
    limits: tuple[str, ...]
    recipe: dict[str, Any] = {}
    seed: int = 0
    parameters: int = 0
    created: str = ""
    versions: dict[str, str] = {}
    sha256: str = ""

    def members(self, label: str) -> list[int]:
        """Return the label numbers that a label or a group of labels stands for."""
        return [self.labels.index(name) for name in self.label_groups.get(label, (label,))]

    def decide(self, probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the decided label number for each row of (n, k) probabilities."""
        named = sorted({i for point in self.operating_points for i in self.members(point.label)})
        rest = [i for i in range(len(self.labels)) if i not in named] or list(range(len(self.labels)))
        decided = _most_likely(probabilities, rest)
        for point in reversed(self.operating_points):
            members = self.members(point.label)
            reached = probabilities[:, members].sum(axis=1) >= point.threshold
            decided = np.where(reached, _most_likely(probabilities, members), decided)
        return decided


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model folder; its parts are read when they are first used."""

    path: Path
    info: BundleInfo

    @property
    def name(self) -> str:
        """Name of the bundle within its task."""
        return self.info.name

    @property
    def card(self) -> str:
        """The model card, Markdown; read each time, for it may be written anew beside a running app."""
        return (self.path / "card.md").read_text(encoding="utf-8")

    @cached_property
    def history(self) -> pd.DataFrame:
        """Every epoch of the training."""
        return read_history(self.path / "history.csv")

    @property
    def evaluation(self) -> Evaluation:
        """What was measured; read each time, as the card.

        Raises
        ------
        CorruptModel
            The file is missing or breaks the format.
        """
        return _evaluation(self.path / "evaluation.json")

    @cached_property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Everything in `background.npz`: backgrounds by input name, and arrays of the gate."""
        with np.load(self.path / "background.npz", allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    @cached_property
    def background(self) -> dict[str, NDArray[np.float32]]:
        """Stored background of the explanations, one array (m, ...) for each network input."""
        return {name: self.arrays[name] for name in self.info.inputs}

    @cached_property
    def network(self) -> keras.Model:
        """The network, loaded in safe mode after its hash was checked."""
        return _load_network(self)

    @cached_property
    def forward(self) -> Forward:
        """The compiled forward pass; one for each process."""
        with _load_lock:
            calibration = self.info.calibration
            offset = np.asarray(calibration.offset or [0.0] * len(self.info.labels), np.float32)
            return Forward(self.network, calibration.scale, offset)

    def verify(self) -> None:
        """Raise `CorruptModel` when the golden inputs do not give the golden numbers."""
        golden = json.loads((self.path / "golden.json").read_text())
        inputs = {name: values[golden["background_rows"]] for name, values in self.background.items()}
        difference = np.abs(self.forward.logits(inputs) - np.asarray(golden["logits"], np.float32)).max()
        if not difference <= golden["tolerance"]:
            raise CorruptModel(
                f"the golden inputs must give the stored logits within {golden['tolerance']:g}; "
                f"they differ by {difference:.2g}",
                hint="Restore the bundle, or train it again.",
            )


_load_lock = threading.RLock()
_opened: dict[tuple[str, str], Bundle] = {}


def open_folder(path: Path) -> Bundle:
    """Open a bundle folder without loading its network.

    Raises
    ------
    UnknownModel
        There is no bundle in the folder.
    CorruptModel
        A file is missing or breaks the format.
    ModelMismatch
        The format number is newer than this version reads.
    """
    described = path / "bundle.json"
    if not described.is_file():
        raise UnknownModel("expected a folder with bundle.json", hint="Choose the folder of a trained model.")
    if not (path / "card.md").is_file():
        raise CorruptModel(
            "the bundle has no card.md; a model without a card does not run", hint="Add its card."
        )
    try:
        info = BundleInfo.model_validate_json(described.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise CorruptModel(
            f"bundle.json breaks the format in {error.error_count()} places", hint="Train the model again."
        ) from error
    if info.format > FORMAT:
        raise ModelMismatch(
            f"expected bundle format {FORMAT} or older, got {info.format}", hint="Update healthdash."
        )
    with _load_lock:
        return _opened.setdefault((str(path.resolve()), info.sha256), Bundle(path, info))


def available(task: str | None = None) -> list[Bundle]:
    """Return every readable bundle, shipped ones first, sorted by task and name."""
    found = []
    for root in (settings.current().shipped_models, settings.current().own_models):
        for described in _described(root, task or "*"):
            try:
                found.append(open_folder(described.parent))
            except (CorruptModel, ModelMismatch):
                continue  # `broken` lists these with their reasons
    return found


def broken() -> Iterator[tuple[Path, str]]:
    """Yield the folders that hold no usable bundle, each with the reason."""
    for root in (settings.current().shipped_models, settings.current().own_models):
        for described in _described(root, "*"):
            try:
                open_folder(described.parent)
            except (CorruptModel, ModelMismatch) as error:
                yield described.parent, error.message


def _described(root: Path, task: str) -> list[Path]:
    found = sorted(root.glob(f"{task}/*/bundle.json"))
    return [path for path in found if not bundle_folder.is_hidden(path.parent)]


def get(task: str, name: str | None = None) -> Bundle:
    """Return a task's bundle by name or folder; without a name the first shipped one.

    Raises
    ------
    UnknownModel
        The task has no such bundle; the message lists those it has.
    ModelMismatch
        The folder holds a model of another task.
    """
    if name and (Path(name) / "bundle.json").is_file():
        bundle = open_folder(Path(name))
        if bundle.info.task != task:
            raise ModelMismatch(
                f"expected a model of the task {task}, got one of {bundle.info.task}",
                hint="Choose a model of this task.",
            )
        return bundle
    bundles = available(task)
    for bundle in bundles:
        if name in (None, bundle.name):
            return bundle
    if not bundles and not name:
        raise UnknownModel(
            f"there is no model of {task} yet",
            hint=f"Train one (train {task} --data ... --out DIR), and name its folder with --model DIR.",
        )
    names = ", ".join(bundle.name for bundle in bundles) or "none"
    raise UnknownModel(
        f"{task} has no such model; it has: {names}", hint="python -m healthdash models lists them."
    )


def save(
    folder: Path,
    network: keras.Model,
    info: BundleInfo,
    *,
    history: Sequence[EpochRow],
    evaluation: Evaluation,
    arrays: Mapping[str, NDArray[np.float32]],
) -> Bundle:
    """Write a bundle folder in one step: it is complete, or it is not there.

    Parameters
    ----------
    folder : Path
        A bundle that is already there is replaced, and nothing else: see `bundle_folder`.
    info : BundleInfo
        `inputs`, `parameters`, `created`, `versions` and `sha256` are filled in here.
    arrays : dict
        For each network input its background (centroids or synthetic, never a real patient),
        and the arrays of the task's gate.
    evaluation : Evaluation
        Figures that are no number are left out.
    """
    evaluation = evaluation.finite()
    beside = folder.resolve().parent
    beside.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=beside))
    try:
        _save_compressed(network, partial / "model.keras")
        stored: dict[str, Any] = {name: np.asarray(values, np.float32) for name, values in arrays.items()}
        np.savez_compressed(partial / "background.npz", **stored)
        info = _completed(info, network, partial / "model.keras")
        write_history(partial / "history.csv", history)
        (partial / "evaluation.json").write_text(evaluation.model_dump_json(indent=1))
        (partial / "bundle.json").write_text(info.model_dump_json(indent=1))
        (partial / "golden.json").write_text(json.dumps(_golden(network, info, arrays)))
        (partial / "card.md").write_text(_card(info, evaluation), encoding="utf-8")
        partial.chmod(0o755)
        bundle_folder.put(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return open_folder(folder)


def with_explanations(bundle: Bundle, found: ExplanationQuality) -> Bundle:
    """Put into a bundle how good its explanations are; see `with_evaluation`."""
    return with_evaluation(bundle, bundle.evaluation.model_copy(update={"explanations": found}))


def with_evaluation(bundle: Bundle, evaluation: Evaluation) -> Bundle:
    """Put what was measured of a bundle into its evaluation and its card, and nothing else.

    Raises
    ------
    ModelMismatch
        Another model was put into the folder since this one was opened.
    """
    if open_folder(bundle.path).info.sha256 != bundle.info.sha256:
        raise ModelMismatch("the model was replaced while it was measured", hint="Measure it again.")
    _overwrite(bundle.path / "evaluation.json", evaluation.model_dump_json(indent=1))
    _overwrite(bundle.path / "card.md", _card(bundle.info, evaluation))
    return bundle


def with_recipe(bundle: Bundle, notes: Mapping[str, str]) -> Bundle:
    """Put more into what a bundle and its card say of its training."""
    info = bundle.info.model_copy(update={"recipe": bundle.info.recipe | dict(notes)})
    _overwrite(bundle.path / "bundle.json", info.model_dump_json(indent=1))
    _overwrite(bundle.path / "card.md", _card(info, bundle.evaluation))
    with _load_lock:
        _opened.pop((str(bundle.path.resolve()), info.sha256), None)
    return open_folder(bundle.path)


def _evaluation(path: Path) -> Evaluation:
    if not path.is_file():
        raise CorruptModel("the bundle has no evaluation.json", hint="Train the model again.")
    try:
        return Evaluation.model_validate_json(path.read_text())
    except ValidationError as error:
        raise CorruptModel(
            f"evaluation.json breaks the format in {error.error_count()} places",
            hint="Train the model again.",
        ) from error


def _card(info: BundleInfo, evaluation: Evaluation) -> str:
    # As JSON holds it, so that a card that is written again says the same.
    return render_card(info.model_dump(mode="json"), evaluation)


def _save_compressed(network: keras.Model, path: Path) -> None:
    """Save a network as Keras does, in a zip archive whose members are deflated."""
    whole = path.with_name("whole.keras")
    network.save(whole)
    with zipfile.ZipFile(whole) as plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as small:
        for name in plain.namelist():
            small.writestr(name, plain.read(name), zipfile.ZIP_DEFLATED)
    whole.unlink()


def _overwrite(path: Path, text: str) -> None:
    """Write a file in one step."""
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _completed(info: BundleInfo, network: keras.Model, weights: Path) -> BundleInfo:
    import keras

    packages = ("healthdash", "keras", keras.backend.backend(), "numpy", "scikit-learn")
    return info.model_copy(
        update={
            "inputs": {i.name: tuple(int(n) for n in i.shape[1:]) for i in network.inputs},
            "parameters": int(network.count_params()),
            "created": date.today().isoformat(),
            "versions": {name: _version(name) for name in packages},
            "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        }
    )


def _version(package: str) -> str:
    from healthdash import __version__

    return __version__ if package == "healthdash" else version(package)


def _golden(
    network: keras.Model, info: BundleInfo, arrays: Mapping[str, NDArray[np.float32]]
) -> dict[str, Any]:
    rows = list(range(min(_GOLDEN_ROWS, len(next(iter(arrays[name] for name in info.inputs))))))
    parts = [np.asarray(arrays[name], np.float32)[rows] for name in info.inputs]
    logits = np.asarray(network.predict_on_batch(parts if len(parts) > 1 else parts[0]), np.float64)
    return {"background_rows": rows, "logits": logits.round(6).tolist(), "tolerance": GOLDEN_TOLERANCE}


def _load_network(bundle: Bundle) -> keras.Model:
    from healthdash.exchange import network_file

    weights = bundle.path / "model.keras"
    if hashlib.sha256(weights.read_bytes()).hexdigest() != bundle.info.sha256:
        raise CorruptModel(
            "the weights are not those that the bundle was saved with", hint="Restore the bundle."
        )
    with _load_lock:
        # Whoever put the folder there: only layers that compute on tensors are ever built.
        network_file.check(weights)
        tensorflow()
        import keras

        network = keras.saving.load_model(weights, compile=False, safe_mode=True)
    if network.output_shape[-1] != len(bundle.info.labels):
        raise ModelMismatch(
            f"expected {len(bundle.info.labels)} outputs, the network has {network.output_shape[-1]}",
            hint="Train the model again.",
        )
    return network


def _most_likely(probabilities: NDArray[np.float32], among: Sequence[int]) -> NDArray[np.int64]:
    numbers = np.asarray(among, np.int64)
    likely: NDArray[np.int64] = numbers[probabilities[:, list(among)].argmax(axis=1)]
    return likely
