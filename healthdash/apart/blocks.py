"""Many files of a folder, looked at in blocks: a child a block, and one a file where a block fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

from healthdash.errors import HealthdashError

from . import run

__all__ = ["looked_at"]

T = TypeVar("T")
_BLOCK, _AT_ONCE = 32, 2


def looked_at(
    function: Callable[..., tuple[T, ...]],
    folder: Path,
    items: Sequence[Any],
    *given: Any,
    failed: Callable[[HealthdashError], T],
) -> Iterator[T]:
    """Yield what a function of ours says of each item, in their order.

    Parameters
    ----------
    function : function
        Called as ``function(str(folder), (item, ...), *given)`` in a child that sees the folder; it tells
        of each item, and lets no error of one item end the others.
    failed : function of an error
        Returns what is said of an item that ended its child, such as a picture that takes all memory.
    """

    def block(some: tuple[Any, ...]) -> list[T]:
        try:
            return list(run(function, (str(folder), some, *given), {}, (folder,), len(some)))
        except HealthdashError as error:
            if len(some) == 1:
                return [failed(error)]
            return [one for item in some for one in block((item,))]

    blocks = [tuple(items[at : at + _BLOCK]) for at in range(0, len(items), _BLOCK)]
    with ThreadPoolExecutor(_AT_ONCE) as callers:
        for at in range(0, len(blocks), _AT_ONCE):  # not all at once: what is found may be pictures
            begun = [callers.submit(copy_context().run, block, one) for one in blocks[at : at + _AT_ONCE]]
            for found in begun:
                yield from found.result()
