"""Where the trainings of a queue run: on this machine, or on the cluster that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from healthdash import scale
from healthdash.runs.dispatcher import Dispatcher
from healthdash.runs.queue import place_of
from healthdash.runs.store import RunStore

__all__ = ["dispatched"]


def dispatched(
    store: RunStore, root: Path, at_once: int, tell: Callable[[str], None] = lambda _: None
) -> Dispatcher:
    """Return the dispatcher of a folder of runs.

    Parameters
    ----------
    at_once : int
        Runs beside each other on this machine; on a cluster as many wait there for a node as it has cores.
    tell : function
        As `Dispatcher` takes it.
    """
    if not scale.is_on():
        return Dispatcher(store, root, place_of(root), at_once, tell=tell)
    from healthdash.scale import cluster, runs

    return Dispatcher(store, root, place_of(root), max(at_once, cluster.cores()), start=runs.start, tell=tell)
