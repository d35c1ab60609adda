"""A Keras script that trains a model's network anew: one readable file, tried before it is given out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from healthdash import DISCLAIMER
from healthdash.bundles import Bundle
from healthdash.errors import ModelError
from healthdash.runtime import tensorflow

from .source import plain, source

__all__ = ["left_out", "script", "settings_of"]

_TEMPLATES = Path(__file__).with_name("templates")
_TOLERANCE = 1e-4
_HINT = "Take the bundle or the SavedModel."
#: Settings of the fit, and what is taken where a recipe does not name one.
_USUAL: Mapping[str, float | str] = {
    "epochs": 40,
    "patience": 8,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "optimizer": "adamw",
    "balance": "none",
    "loss": "cross-entropy",
}
_CHOICES = {
    "optimizer": ("adamw", "adam", "sgd"),
    "balance": ("none", "class-weights"),
    "loss": ("cross-entropy", "focal"),
}
_WHOLE = ("epochs", "patience", "batch_size")
#: What the script does whatever the recipe says, and entries of recipes that the written network holds.
_ALWAYS: Mapping[str, float | str] = {"schedule": "cosine", "members": 1, "precision": "float32"}
_IN_NETWORK = ("network", "hidden", "embedding", "dropout")


def script(bundle: Bundle) -> str:
    """Return the source of a script that fits the bundle's network to prepared arrays.

    The network is written as the calls that make it. Before the script is given out, its network is made,
    gets the bundle's weights, and must give the golden logits.

    Raises
    ------
    ModelError
        A part of the network cannot be written as source, or the written one gives other numbers.
    """
    tensorflow()
    info = bundle.info
    settings = settings_of(info.recipe, info.seed)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,  # noqa: S701  (Python, not HTML)
    )  # fmt: skip
    written = environment.get_template("retrain.py.jinja").render(
        title=plain(info.title),
        name=plain(info.name),
        disclaimer=DISCLAIMER,
        labels=info.labels,
        inputs={plain(name): tuple(shape) for name, shape in info.inputs.items()},
        settings=settings,
        left_out=[plain(entry) for entry in left_out(info.recipe, settings)],
        versions={plain(name): plain(number) for name, number in info.versions.items()},
        network=source(bundle.network),
    )
    _check(written, bundle)
    return written


def settings_of(recipe: Mapping[str, Any], seed: int) -> dict[str, float | int | str]:
    """Return the settings of a fit from a recipe as bundles record it; numbers may stand in words."""
    spaced = {str(name).replace(" ", "_"): value for name, value in recipe.items()}
    found: dict[str, float | int | str] = {}
    for name, usual in _USUAL.items():
        value = spaced.get(name, usual)
        if name in _CHOICES:
            found[name] = value if value in _CHOICES[name] else usual
            continue
        number = re.match(r"\s*\d+(\.\d+)?(e-?\d+)?", str(value))
        told = float(number.group()) if number else float(usual)
        found[name] = int(told) if name in _WHOLE else told
    return {**found, "seed": seed}


def left_out(recipe: Mapping[str, Any], settings: Mapping[str, float | int | str]) -> Iterator[str]:
    """Yield the entries of a recipe that the script does not follow, with what it does in their place."""
    here = {**settings, **_ALWAYS}
    for name, value in recipe.items():
        key = str(name).replace(" ", "_")
        if key in _IN_NETWORK or not value or str(here.get(key)) == str(value):
            continue
        yield f"{name} {value}" + (f" (here: {here[key]})" if key in here else "")


def _check(written: str, bundle: Bundle) -> None:
    """Raise unless the written network, with the bundle's weights, gives what the bundle's gives."""
    part = ast.Module([node for node in ast.parse(written).body if _is_network(node)], [])
    names: dict[str, Any] = {}
    try:
        # Our own words: names and texts of the bundle stand in it as literals only, see `source`.
        exec(compile(part, "network", "exec"), names)  # noqa: S102
        network = names["build"]()
        _give(bundle.network, network)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"this network cannot be written as a script ({type(error).__name__})", hint=_HINT
        ) from error
    every = [bundle.background[i.name][:4] for i in bundle.network.inputs]
    rows = every if len(every) > 1 else every[0]
    difference = np.abs(network.predict_on_batch(rows) - bundle.network.predict_on_batch(rows)).max()
    if not difference <= _TOLERANCE:
        raise ModelError(f"the written network gives other numbers, by {difference:.2g}", hint=_HINT)


def _is_network(node: ast.stmt) -> bool:
    is_builder = isinstance(node, ast.FunctionDef) and node.name.startswith("build")
    return is_builder or isinstance(node, (ast.Import, ast.ImportFrom))


def _give(network: Any, written: Any) -> None:
    """Set the weights of the written network, layer by layer, also those of networks inside it."""
    for layer in written.layers:
        held = network.get_layer(layer.name)
        if hasattr(held, "layers"):
            _give(held, layer)
        else:
            layer.set_weights(held.get_weights())
