"""The studio: its training loop, its input pipeline, the queue, two nodes, and data that stream."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from benchmarks.rows import Row, missing

#: The queue first: it starts processes of its own, which must not share the machine with ours.
_PARTS = ("studio_queue", "studio_nodes", "studio_memory", "studio_loop")


def rows() -> Iterator[Row]:
    """Yield the rows of each part; one that cannot run does not take the others away."""
    for part in _PARTS:
        try:
            yield from import_module(f"benchmarks.{part}").rows()
        except Exception as error:
            words = f"{type(error).__name__}: {error}".splitlines()[0][:120]
            yield missing(part.replace("_", ", "), words)
