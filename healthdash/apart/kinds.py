"""Declared types, taken apart: what form a value of a type has, and of what it is made."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

__all__ = ["Kind", "Type", "family", "fields_of", "fits", "name_of", "taken_apart"]

#: A declared type, as `typing.get_type_hints` gives it.
Type: TypeAlias = Any
Form = Literal[
    "any", "union", "bytes", "array", "frame", "scalar", "word", "tuple", "list", "mapping", "class"
]
_SCALARS: tuple[Type, ...] = (bool, int, float, str, type(None))
_WHOLE: Mapping[Type, Form] = {Any: "any", bytes: "bytes", pd.DataFrame: "frame", np.ndarray: "array"}
_MADE: Mapping[Type, Form] = {
    Union: "union", types.UnionType: "union", np.ndarray: "array", Literal: "word", tuple: "tuple",
    list: "list", Sequence: "list", dict: "mapping", Mapping: "mapping",
}  # fmt: skip
_BARE: Mapping[Type, Type] = {tuple: tuple[Any, ...], list: list[Any], dict: dict[str, Any], None: type(None)}


@dataclass(frozen=True, slots=True)
class Kind:
    """A type taken apart.

    Attributes
    ----------
    form : str
    cls : type
        What a value is an instance of.
    inner : tuple of types
        Of its members; of a Literal its words.
    dtype : dtype or None
        Of an array whose declaration says it.
    """

    form: Form
    cls: Type
    inner: tuple[Type, ...] = ()
    dtype: np.dtype[Any] | None = None

    def members(self, count: int) -> tuple[Type, ...]:
        """Return the type of each of so many members of a tuple; ValueError where it has others."""
        if len(self.inner) == 2 and self.inner[1] is Ellipsis:
            return (self.inner[0],) * count
        if len(self.inner) != count:
            raise ValueError(f"expected {len(self.inner)} members, got {count}")
        return self.inner


@lru_cache(maxsize=1024)
def taken_apart(kind: Type) -> Kind:
    """Take a type apart; raise TypeError for one that has no form here."""
    kind = _BARE.get(kind, kind)
    origin: Type = get_origin(kind)
    if origin is Annotated:
        return taken_apart(get_args(kind)[0])
    if kind in _WHOLE:
        return Kind(_WHOLE[kind], kind)
    if kind in _SCALARS:
        return Kind("scalar", kind)
    if origin in _MADE:
        is_array = _MADE[origin] == "array"
        return Kind(_MADE[origin], origin, get_args(kind), _dtype(kind) if is_array else None)
    if isinstance(kind, type) and is_dataclass(kind):
        return Kind("class", kind)
    raise TypeError(f"{kind} has no form in which it could be sent")


def fits(value: Any, kind: Type) -> bool:
    """Say from the outside whether a value is of a type; its members are looked at when they are packed."""
    told = taken_apart(kind)
    if told.form == "any":
        return True
    if told.form == "union":
        return any(fits(value, member) for member in told.inner)
    if told.form == "word":
        return value in told.inner
    if told.form == "scalar":
        return _is_scalar(value, told.cls)
    if told.form == "list":
        return isinstance(value, (list, tuple))
    is_one = isinstance(value, told.cls)
    return is_one and (told.dtype is None or is_of(value.dtype, told.dtype))


def is_of(found: np.dtype[Any], declared: np.dtype[Any]) -> bool:
    """Say whether values are of a declared type, in any order of bytes; text is text at any length."""
    return found.kind == declared.kind and (found.itemsize == declared.itemsize or found.kind in "USmM")


@lru_cache(maxsize=256)
def fields_of(cls: Type) -> tuple[tuple[str, Type], ...]:
    """Return name and type of what a dataclass is made of."""
    hints = get_type_hints(cls)
    return tuple((field.name, hints[field.name]) for field in fields(cls) if field.init)


def family(cls: Type) -> Iterator[Type]:
    """Yield a dataclass and its loaded subclasses, as their modules name them."""
    named = getattr(sys.modules.get(cls.__module__), cls.__qualname__, None)
    if named is cls and is_dataclass(cls):
        yield cls
    for one in cls.__subclasses__():
        yield from family(one)


def name_of(cls: Type) -> str:
    """Return the name of a class as it is sent."""
    return f"{cls.__module__}:{cls.__qualname__}"


def _is_scalar(value: Any, cls: Type) -> bool:
    if cls is bool:
        return isinstance(value, (bool, np.bool_))
    if cls in (int, float):
        numbers = (int, np.integer) if cls is int else (int, float, np.integer, np.floating)
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, cls)


def _dtype(kind: Type) -> np.dtype[Any] | None:
    """Return the type of an array's values where its declaration says one."""
    declared = get_args(get_args(kind)[1])[0]
    if not (isinstance(declared, type) and issubclass(declared, np.generic)):
        return None
    try:
        return np.dtype(declared)
    except TypeError:  # an abstract one, such as np.integer
        return None
