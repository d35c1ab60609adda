"""The configuration of a network, read as plain JSON before Keras makes anything of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from healthdash.errors import RefusedModel

from .allowed import ACTIVATIONS, VALUES, is_allowed

__all__ = ["check"]

_DEEPEST = 64
_MOST_NODES = 400_000
#: Layers that run in one forward pass; a network that is used twice inside another counts twice.
_MOST_CALLS = 20_000
#: Whole numbers of a layer that are the length of a stored weight, or of a dimension of one.
_SIZES = frozenset(
    {"units", "filters", "input_dim", "output_dim", "key_dim", "value_dim", "num_heads", "output_shape"}
)
#: Other whole numbers: lengths and factors. The largest picture or recording has fewer.
_LARGEST = 1 << 24


def check(text: bytes, stored: int | None = None) -> None:
    """Raise `RefusedModel` unless a configuration names only what is allowed, and stays within bounds.

    Parameters
    ----------
    text : bytes
        The `config.json` of a `.keras` archive. Its `compile_config` is not looked at: bundles are loaded
        with ``compile=False``, and Keras then drops it unread.
    stored : int or None
        Most weights that can be stored beside it; no layer has more units than that.

    Raises
    ------
    RefusedModel
        A class that is not allowed (a Lambda, a custom object, one of another module), a registered name,
        an optimizer inside, more layers or deeper nesting than any network has.
    """
    network = _parsed(text)
    if not isinstance(network, dict) or "class_name" not in network:
        raise RefusedModel("its configuration", "expected a network, described as Keras describes it")
    network.pop("compile_config", None)
    for part in _objects(network):
        _check_object(part)
        _check_values(part, stored)
    if _calls(network) > _MOST_CALLS:
        raise RefusedModel("endless work", f"one forward pass would run more than {_MOST_CALLS:,} layers")


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise RefusedModel("deep nesting", f"expected at most {_DEEPEST} levels") from error
    except ValueError as error:
        raise RefusedModel("its configuration", "config.json is not JSON") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _objects(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every JSON object; without recursion, for the nesting is not ours."""
    waiting: list[tuple[Any, int]] = [(root, 0)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST:
            raise RefusedModel("deep nesting", f"expected at most {_DEEPEST} levels")
        if seen > _MOST_NODES:
            raise RefusedModel("its size", f"the configuration has more than {_MOST_NODES:,} values")
        if isinstance(value, dict):
            yield value
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)


def _check_object(part: Mapping[str, Any]) -> None:
    """Raise on an object that would become something else than one of the allowed parts."""
    if "class_name" not in part:
        if {"module", "registered_name"} & part.keys():
            raise RefusedModel("a custom object", "a part of the network has a module and no class")
        return
    name, module = part["class_name"], part.get("module")
    if not isinstance(name, str):
        raise RefusedModel("a custom object", "the class of a part is no name")
    if module is None and name in VALUES:
        return
    if name in ("Lambda", "__lambda__"):
        raise RefusedModel("a Lambda layer", "it holds code")
    if name == "function":
        raise RefusedModel("a function", "a part of the network is a function by name")
    if not is_allowed(module, name):
        raise RefusedModel(
            "a custom object", f"{_short(module)}.{_short(name)} is not among the layers allowed"
        )
    if part.get("registered_name") not in (None, name):
        raise RefusedModel("a registered name", "a built-in part asks for a class of another name")
    if part.get("compile_config"):
        raise RefusedModel("an optimizer inside", "a part of the network asks to be compiled")


def _check_values(part: Mapping[str, Any], stored: int | None) -> None:
    """Raise on activations that are no built-in ones, and on sizes that no network has."""
    for key, value in part.items():
        if "activation" in key and isinstance(value, str) and value not in ACTIVATIONS:
            raise RefusedModel("a custom object", f"there is no built-in activation {_short(value)}")
        for number in _whole_numbers(value):
            if key in _SIZES and stored is not None and number > stored:
                raise RefusedModel(
                    "a giant layer", f"{key} is {number:,}, and no more than {stored:,} weights are stored"
                )
            if key not in ("seed", "shared_object_id") and number > _LARGEST:
                raise RefusedModel("a giant layer", f"{_short(key)} is {number:,}")


def _whole_numbers(value: Any) -> Iterator[int]:
    """Yield the whole numbers of a value, or of a plain list."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, int) and not isinstance(item, bool):
            yield item


def _calls(network: Mapping[str, Any], depth: int = 0) -> int:
    """Return how many layers one call of a network runs, those of networks inside it each time anew."""
    if depth > _DEEPEST:
        raise RefusedModel("deep nesting", f"expected at most {_DEEPEST} levels")
    config = network.get("config")
    if not isinstance(config, dict):
        return 0
    # A wrapper such as TimeDistributed holds one layer, a network a list of them.
    layers = config.get("layers", [config.get("layer")])
    if not isinstance(layers, list):
        raise RefusedModel("its configuration", "the layers of a network are no list")
    total = 0
    for layer in layers:
        if isinstance(layer, dict):
            nodes = layer.get("inbound_nodes")
            times = len(nodes) if isinstance(nodes, list) else 1
            total += max(times, 1) * max(1, _calls(layer, depth + 1))
    return total


def _short(text: object) -> str:
    """Return a name from outside as a message may hold it."""
    return "".join(c for c in str(text)[:60] if c.isalnum() or c in "._>-") or "?"
