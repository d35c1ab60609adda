"""Values to plain JSON and raw arrays and back, driven by the types that a function declares.

What comes back from a process that read a stranger's file is not believed: every value must be of its
declared type, classes are only those that this process knows already, arrays are of plain numbers or
text. Nothing is unpickled, so that a reader that was taken over cannot run code in the server.

===================================  ==========================================================
declared                             sent as
===================================  ==========================================================
bool, int, float, str, None          itself
bytes, numpy arrays                  the number of a buffer
tuple, Sequence, list                a list
Mapping                              a list of pairs
Literal                              itself, one of those declared
X | Y                                the number of the member, and the value
a dataclass or one of its            the class, "module:name", and its fields
subclasses
DataFrame                            see `frames`
Any                                  itself: what JSON holds
===================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import frames
from .buffers import Broken, Buffers
from .kinds import Kind, Type, family, fields_of, fits, name_of, taken_apart

__all__ = ["pack", "unpack"]

_DEEPEST = 40


def pack(value: Any, kind: Type, buffers: Buffers) -> Any:
    """Return a value as JSON holds it; its arrays and bytes go to `buffers`.

    Raises
    ------
    TypeError
        It is not of the declared type, or of one that has no form here: a developer's mistake.
    """
    if not fits(value, kind):
        raise TypeError(f"expected {kind}, got {type(value).__name__}")
    told = taken_apart(kind)
    return _PACKED[told.form](value, told, buffers)


def unpack(node: Any, kind: Type, buffers: Buffers, depth: int = 0) -> Any:
    """Return the value of a declared type that JSON and buffers hold.

    Raises
    ------
    Broken
        They hold something else.
    """
    if depth > _DEEPEST:
        raise Broken("nested too deep")
    told = taken_apart(kind)
    return _UNPACKED[told.form](node, told, buffers, depth + 1)


# -- packing -------------------------------------------------------------------------------


def _pack_union(value: Any, kind: Kind, buffers: Buffers) -> Any:
    number = next(i for i, member in enumerate(kind.inner) if fits(value, member))
    return [number, pack(value, kind.inner[number], buffers)]


def _pack_tuple(value: Any, kind: Kind, buffers: Buffers) -> Any:
    return [pack(one, k, buffers) for one, k in zip(value, kind.members(len(value)), strict=True)]


def _pack_mapping(value: Any, kind: Kind, buffers: Buffers) -> Any:
    names, values = kind.inner
    return [[pack(name, names, buffers), pack(one, values, buffers)] for name, one in value.items()]


def _pack_class(value: Any, kind: Kind, buffers: Buffers) -> Any:
    cls: Type = type(value)
    return [name_of(cls), [pack(getattr(value, name), k, buffers) for name, k in fields_of(cls)]]


def _pack_scalar(value: Any, kind: Kind, buffers: Buffers) -> Any:
    return None if value is None else kind.cls(value)  # a number of NumPy's as one of Python's


def _json(value: Any) -> Any:
    """Return plain data with NumPy's scalars and tuples as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} is nothing that JSON holds")


_PACKED: Mapping[str, Callable[[Any, Kind, Buffers], Any]] = {
    "any": lambda value, kind, buffers: _json(value),
    "union": _pack_union,
    "bytes": lambda value, kind, buffers: buffers.put(np.frombuffer(value, np.uint8)),
    "array": lambda value, kind, buffers: buffers.put(value),
    "frame": lambda value, kind, buffers: frames.pack(value, buffers),
    "scalar": _pack_scalar,
    "word": lambda value, kind, buffers: value,
    "tuple": _pack_tuple,
    "list": lambda value, kind, buffers: [pack(one, kind.inner[0], buffers) for one in value],
    "mapping": _pack_mapping,
    "class": _pack_class,
}


# -- unpacking -----------------------------------------------------------------------------


def _union(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    number, value = _list(node, 2)
    if type(number) is not int or not 0 <= number < len(kind.inner):
        raise Broken("expected one of several types")
    return unpack(value, kind.inner[number], buffers, depth)


def _scalar(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    if kind.cls is float and type(node) is int:
        return float(node)
    if type(node) is not kind.cls:
        raise Broken(f"expected {kind.cls.__name__}, got {type(node).__name__}")
    return node


def _word(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    if not any(type(node) is type(one) and node == one for one in kind.inner):
        raise Broken("expected one of a few words")
    return node


def _tuple(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    held = _list(node)
    try:
        kinds = kind.members(len(held))
    except ValueError as error:
        raise Broken(str(error)) from error
    return tuple(unpack(one, k, buffers, depth) for one, k in zip(held, kinds, strict=True))


def _sequence(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    found = [unpack(one, kind.inner[0], buffers, depth) for one in _list(node)]
    return found if kind.cls is list else tuple(found)


def _mapping(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    names, values = kind.inner
    pairs = (_list(pair, 2) for pair in _list(node))
    return {unpack(n, names, buffers, depth): unpack(v, values, buffers, depth) for n, v in pairs}


def _class(node: Any, kind: Kind, buffers: Buffers, depth: int) -> Any:
    """Return an instance of a dataclass, or of a subclass that this process has loaded."""
    name, held = _list(node, 2)
    cls = next((one for one in family(kind.cls) if name_of(one) == name), None)
    if cls is None:
        raise Broken("of an unknown class")
    declared = fields_of(cls)
    values = zip(declared, _list(held, len(declared)), strict=True)
    return cls(**{field: unpack(one, k, buffers, depth) for (field, k), one in values})


def _list(node: Any, count: int | None = None) -> list[Any]:
    if not isinstance(node, list) or (count is not None and len(node) != count):
        raise Broken("expected a list of another length")
    return node


_UNPACKED: Mapping[str, Callable[[Any, Kind, Buffers, int], Any]] = {
    "any": lambda node, kind, buffers, depth: node,
    "union": _union,
    "bytes": lambda node, kind, buffers, depth: buffers.take(node, np.dtype(np.uint8)).tobytes(),
    "array": lambda node, kind, buffers, depth: buffers.take(node, kind.dtype),
    "frame": lambda node, kind, buffers, depth: frames.unpack(node, buffers),
    "scalar": _scalar,
    "word": _word,
    "tuple": _tuple,
    "list": _sequence,
    "mapping": _mapping,
    "class": _class,
}
