"""The Python source of a network: its configuration written as the calls that people would write.

Covers networks of the functional form, with networks inside networks and layers that are used many times.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any

from healthdash.errors import ModelError

__all__ = ["plain", "source"]

_TENSOR = "__keras_tensor__"
_HINT = "Take the bundle or the SavedModel."
#: Of every layer: said by its place, or set by Keras itself.
_SILENT = {"dtype", "trainable", "build_config", "quantization_config", "name"}
#: Operators that people write as such.
_INFIX = {"Subtract": "-", "Add": "+", "Multiply": "*", "TrueDivide": "/", "Divide": "/", "Greater": ">"}


def source(network: Any) -> str:
    """Return functions that build a network anew; the last one is called `build`.

    Parameters
    ----------
    network : keras.Model
        Of the functional form.

    Raises
    ------
    ModelError
        A part of it cannot be written as source.
    """
    import keras

    if not isinstance(network, keras.Model) or not hasattr(network, "operations"):
        raise ModelError("only networks of the functional form can be written as a script", hint=_HINT)
    functions: dict[str, str] = {}
    _function("build", keras.saving.serialize_keras_object(network)["config"], functions)
    return "\n\n\n".join(functions.values())


def _function(name: str, config: Mapping[str, Any], functions: dict[str, str]) -> None:
    """Add the function of one network after those of the networks inside it."""
    functions[name] = _Function(config, functions).written(name)
    # The one that is written last stands last.
    functions[name] = functions.pop(name)


class _Function:
    """One network as the lines of a function, a line a call.

    Parameters
    ----------
    config : dict
        Of a `Functional`.
    functions : dict
        Those that are written so far; networks inside this one are added.
    """

    def __init__(self, config: Mapping[str, Any], functions: dict[str, str]) -> None:
        self._config, self._functions = config, functions
        self._lines: list[str] = []
        self._tensors: dict[tuple[str, int], str] = {}
        self._layers: dict[str, str] = {}
        self._used: set[str] = set()
        self._several = set(_several(config))

    def written(self, name: str) -> str:
        """Return the source of the function."""
        for layer, node, number in _calls(self._config):
            key = layer["config"]["name"]
            call = self._input(layer) if layer["class_name"] == "InputLayer" else self._call(layer, node)
            variable = _variable(key if number == 0 else f"{key}_again", self._used)
            self._tensors[key, number] = variable
            self._lines.append(f"{variable} = {call}")
        inputs = self._joined(self._config["input_layers"])
        outputs = self._joined(self._config["output_layers"])
        title = plain(self._config["name"])
        self._lines.append(f"return keras.Model({inputs}, {outputs}, name={title!r})")
        body = "\n".join(f"    {line}" for line in self._lines)
        return f'def {name}() -> keras.Model:\n    """Return the untrained network {title}."""\n{body}'

    def _input(self, layer: Mapping[str, Any]) -> str:
        config = layer["config"]
        shape = tuple(config["batch_shape"][1:])
        return f"keras.Input({shape!r}, name={config['name']!r}, dtype={config['dtype']!r})"

    def _call(self, layer: Mapping[str, Any], node: Mapping[str, Any]) -> str:
        """Return the expression of one call; a layer that is called twice gets a variable of its own."""
        positional = [self._argument(value) for value in node["args"]]
        options = {n: v for n, v in node["kwargs"].items() if n != "training" and v is not None}
        named = [f"{_word(n)}={self._argument(v)}" for n, v in options.items()]
        if layer["module"].startswith("keras.src.ops"):
            return _operation(layer["class_name"], layer["config"], positional, named)
        return f"{self._layer(layer)}({', '.join([*positional, *named])})"

    def _layer(self, layer: Mapping[str, Any]) -> str:
        """Return what makes a layer, or the variable that holds it."""
        key = layer["config"]["name"]
        if key in self._layers:
            return self._layers[key]
        maker = self._network(layer) if layer["class_name"] == "Functional" else _made(layer, name=key)
        if len(layer["inbound_nodes"]) > 1:
            self._layers[key] = _variable(f"{key}_layer", self._used)
            self._lines.append(f"{self._layers[key]} = {maker}")
            return self._layers[key]
        return maker

    def _network(self, layer: Mapping[str, Any]) -> str:
        """Return the call of a function that makes a network inside this one."""
        name = f"build_{_slug(layer['config']['name'])}"
        if name not in self._functions:
            _function(name, layer["config"], self._functions)
        return f"{name}()"

    def _argument(self, value: Any) -> str:
        """Return an argument of a call: tensors by their variables, all else as it is."""
        if isinstance(value, dict) and value.get("class_name") == _TENSOR:
            return self._tensor(value["config"]["keras_history"])
        if isinstance(value, dict) and value.get("class_name") == "__slice__":
            return f"slice({', '.join(repr(value['config'][k]) for k in ('start', 'stop', 'step'))})"
        if isinstance(value, (list, tuple)):
            inside = "".join(f"{self._argument(item)}, " for item in value)
            return f"({inside})" if isinstance(value, tuple) else f"[{inside.removesuffix(', ')}]"
        if isinstance(value, dict):
            raise ModelError("an argument of a layer cannot be written as source", hint=_HINT)
        return repr(value)

    def _tensor(self, triple: Any) -> str:
        """Return the variable of a tensor; one of several that a call gives by its number."""
        layer, number, at = triple
        return self._tensors[layer, number] + (f"[{at}]" if (layer, number) in self._several else "")

    def _joined(self, nested: Any) -> str:
        triples = [nested] if nested and isinstance(nested[0], str) else list(nested)
        # Of a network inside, Keras counts the calls from 1 here, and from 0 among arguments.
        inside = {
            layer["config"]["name"] for layer in self._config["layers"] if layer["class_name"] == "Functional"
        }
        names = [self._tensor((layer, number - (layer in inside), at)) for layer, number, at in triples]
        return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _several(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the calls that give several tensors."""
    for layer in config["layers"]:
        for number, node in enumerate(layer["inbound_nodes"]):
            if layer["class_name"] in ("Split", "Unstack", "TopK", "Moments"):
                yield layer["config"]["name"], number
            yield from ((name, call) for name, call, at in _taken(node) if at)


def _calls(config: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Any, int]]:
    """Yield every call of a layer (layer, arguments, number of the call) after those it takes from."""
    waiting = [
        (layer, node, number)
        for layer in config["layers"]
        for number, node in enumerate(layer["inbound_nodes"] or [None])
    ]
    done: set[tuple[str, int]] = set()
    while waiting:
        ready = [call for call in waiting if {(name, number) for name, number, _ in _taken(call[1])} <= done]
        if not ready:
            raise ModelError("the network runs in a circle", hint=_HINT)
        for layer, node, number in ready:
            yield layer, node, number
            done.add((layer["config"]["name"], number))
        waiting = [call for call in waiting if (call[0]["config"]["name"], call[2]) not in done]


def _taken(node: Any) -> Iterator[tuple[str, int, int]]:
    """Yield layer, number of the call and place of the tensors that the arguments of a call hold."""
    if isinstance(node, dict):
        if node.get("class_name") == _TENSOR:
            layer, number, at = node["config"]["keras_history"]
            yield layer, number, at
        else:
            for value in node.values():
                yield from _taken(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _taken(value)


def _made(part: Mapping[str, Any], **more: Any) -> str:
    """Return the expression that makes a Keras object, with what differs from its defaults."""
    import keras

    module, kind = part["module"].split(".")[-1], part["class_name"]
    config = {**part["config"], **more}
    try:
        kind_class = getattr(getattr(keras, module), kind)
    except AttributeError as error:
        raise ModelError(f"{kind} cannot be written as source", hint=_HINT) from error
    defaults = {n: p.default for n, p in inspect.signature(kind_class.__init__).parameters.items()}
    said = {
        name: value
        for name, value in config.items()
        if (name not in _SILENT or name in more) and not _is_default(value, defaults.get(name))
    }
    words = ", ".join(f"{_word(name)}={_literal(value)}" for name, value in said.items() if value is not None)
    return f"{'layers' if module == 'layers' else f'keras.{module}'}.{kind}({words})"


def _is_default(value: Any, default: Any) -> bool:
    """Say whether a configured value is what the class takes anyway ("zeros" is an object in a config)."""
    if isinstance(value, dict) and isinstance(default, str):
        plain = not any(v is not None for k, v in value["config"].items() if k not in ("seed",))
        return plain and value["class_name"].lower() == default.replace("_", "")
    if isinstance(value, list):
        return list(value) == (
            list(default) if isinstance(default, (list, tuple)) else [default] * len(value)
        )
    return bool(value == default)


def _literal(value: Any) -> str:
    """Return a configured value as source."""
    if isinstance(value, dict) and "class_name" in value:
        return _made(value)
    if isinstance(value, list):
        inside = ", ".join(_literal(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def _operation(kind: str, config: Mapping[str, Any], positional: list[str], named: list[str]) -> str:
    """Return a call of `keras.ops`, or an operator between two tensors."""
    if kind in _INFIX and len(positional) == 2 and not named:
        return f"{positional[0]} {_INFIX[kind]} {positional[1]}"
    if kind == "GetItem":
        return f"{positional[0]}[{', '.join(positional[1:])}]"
    silent = ("name",) if kind in ("Cast", "SaturateCast") else ("name", "dtype")
    options = {name: value for name, value in config.items() if name not in silent and value is not None}
    words = [f"{_word(name)}={_literal(value)}" for name, value in options.items()]
    function = _slug(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind))
    return f"ops.{function}({', '.join([*positional, *words, *named])})"


def _word(name: str) -> str:
    """Return the name of an argument; what is none is not written into a program."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ModelError("an argument of a layer cannot be written as source", hint=_HINT)
    return name


def plain(text: str) -> str:
    """Return a text that ends no string and begins no line of a program."""
    return re.sub(r"[^\w .,;:()/%+=-]", "_", text, flags=re.ASCII)


def _variable(name: str, used: set[str]) -> str:
    """Return a name that no other variable has."""
    slug = _slug(name)
    slug = f"{slug}_" if keyword.iskeyword(slug) or slug in ("keras", "layers", "ops") else slug
    free, number = slug, 2
    while free in used:
        free, number = f"{slug}_{number}", number + 1
    used.add(free)
    return free


def _slug(name: str) -> str:
    slug = re.sub(r"\W+", "_", name).strip("_").lower()
    return slug if slug and not slug[0].isdigit() else f"x_{slug}"
