"""What is asked of a child, and what it answers."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from traceback import extract_tb
from typing import Any, get_type_hints

from healthdash import errors
from healthdash.errors import HealthdashError, InvalidInput

from . import codec
from .buffers import Broken, Buffers

__all__ = [
    "Failure",
    "Unforeseen",
    "answered",
    "asked",
    "called",
    "is_ours",
    "over_memory",
    "places_of",
    "too_much",
]

_OURS = "healthdash."
_ANSWER, _FAILURE = "answer", "failure"
_LONGEST = 4_000
_MOST_PROBLEMS = 100
_PLACE = re.compile(r"[\w.]{1,80}:\d{1,6}")
#: What may cross by name: any of our errors that tells a message and a hint.
_ERRORS = {
    name: one
    for name in errors.__all__
    if isinstance(one := getattr(errors, name), type) and issubclass(one, HealthdashError)
}


class Unforeseen(Exception):
    """A reader raised what no reader should raise; `name` is its class, `places` where, innermost last."""

    def __init__(self, name: str, places: tuple[str, ...]) -> None:
        super().__init__(f"{name} at {', '.join(places)}")
        self.name, self.places = name, places


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of a child, as it crosses back.

    Attributes
    ----------
    name : str
        Of the class; of ours, or of an error that was not foreseen.
    is_ours : bool
    problems : tuple of str
        Every problem, one sentence each.
    places : tuple of str
        "module:line" of the calls that led to an unforeseen error: never a value.
    """

    name: str
    is_ours: bool
    problems: tuple[str, ...]
    hint: str
    places: tuple[str, ...]

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return what is told of an error; of one that was not foreseen no text, for it may hold values."""
        if isinstance(error, HealthdashError):
            known = next((one for one in type(error).__mro__ if one.__name__ in _ERRORS), HealthdashError)
            return cls(known.__name__, True, error.problems, error.hint, ())
        return cls(type(error).__name__, False, (), "", tuple(places_of(error)))

    def error(self) -> Exception:
        """Return the error to raise here, bounded as nothing in it is believed."""
        if not self.is_ours:
            name = self.name if self.name.isidentifier() else "Exception"
            places = tuple(place for place in self.places[:20] if _PLACE.fullmatch(place))
            return Unforeseen(name[:80], places)
        kind = _ERRORS.get(self.name)
        if kind is None:
            raise Broken("of an unknown class")
        problems = tuple(problem[:_LONGEST] for problem in self.problems[:_MOST_PROBLEMS])
        if issubclass(kind, InvalidInput):
            return kind(problems, hint=self.hint[:_LONGEST])
        error = kind.__new__(kind)
        HealthdashError.__init__(error, "; ".join(problems), hint=self.hint[:_LONGEST])
        return error


def asked(
    function: Callable[..., Any], given: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[Any, Buffers]:
    """Return the message that asks a child to call a function of ours."""
    bound = inspect.signature(function).bind(*given, **named)
    hints, buffers = _hints(function), Buffers()
    values = [[name, codec.pack(value, hints[name], buffers)] for name, value in bound.arguments.items()]
    return [f"{function.__module__}:{function.__qualname__}", values], buffers


def called(node: Any, buffers: Buffers, most: int) -> tuple[Any, Buffers]:
    """Call, in the child, what was asked for; return the message that answers.

    Parameters
    ----------
    most : int, mebibyte
        Memory that it may take, to be told where it is not enough.
    """
    function, given = _wanted(node, buffers)
    try:
        answer = Buffers()
        return [_ANSWER, codec.pack(function(**given), _hints(function)["return"], answer)], answer
    except MemoryError:
        return _failed(over_memory(most))
    except BaseException as error:  # a library in Rust that panics raises no Exception
        return _failed(error)


def over_memory(most: int) -> InvalidInput:
    """Return the error that tells that a job took more memory (mebibyte) than it may."""
    return InvalidInput(
        f"expected a file that is read within {most:,} MB of memory, this one takes more",
        hint="It may be damaged, or made to do harm: export it again, or cut it into smaller parts.",
    )


def too_much(most: int) -> tuple[Any, Buffers]:
    """Return the message that tells that an answer is larger than it may be."""
    return _failed(InvalidInput(
        f"expected a file that unfolds to at most {most >> 20:,} MB, got more",
        hint="Cut it into smaller parts.",
    ))  # fmt: skip


def _failed(error: BaseException) -> tuple[Any, Buffers]:
    failure = Buffers()
    return [_FAILURE, codec.pack(Failure.of(error), Failure, failure)], failure


def _wanted(node: Any, buffers: Buffers) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function that is asked for, and what it is given."""
    name, values = node
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), attribute)
    hints = _hints(function)
    return function, {name: codec.unpack(value, hints[name], buffers) for name, value in values}


def answered(function: Callable[..., Any], node: Any, buffers: Buffers) -> Any:
    """Return what the child answered, or raise its error.

    Raises
    ------
    Broken
        It answered something that the function never returns.
    Unforeseen
        The function raised what is no error of ours.
    """
    try:
        kind, value = node
        found = codec.unpack(value, _hints(function)["return"] if kind == _ANSWER else Failure, buffers)
    except Broken:
        raise
    except Exception as error:  # a value that its own class refuses
        raise Broken("expected an answer") from error
    if kind == _ANSWER:
        return found
    raise found.error()


@lru_cache(maxsize=64)
def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    return get_type_hints(function)


def places_of(error: BaseException) -> list[str]:
    """Return where an error came from, as modules and lines: its own words may quote a file."""
    found = []
    for frame in extract_tb(error.__traceback__)[-12:]:
        module = frame.filename.rsplit("site-packages/", 1)[-1].removesuffix(".py").replace("/", ".")
        short = module[module.find(_OURS) :] if _OURS in module else module.lstrip(".")
        found.append(f"{short[-80:]}:{frame.lineno}")
    return found


def is_ours(function: Callable[..., Any]) -> bool:
    """Say whether a child can find a function: one of a module below healthdash."""
    module = sys.modules.get(function.__module__)
    return function.__module__.startswith(_OURS) and getattr(module, function.__qualname__, None) is function
