"""The models that ship, and arrays and files of any size for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from healthdash import bundles, tasks
from healthdash.bundles import Bundle
from healthdash.errors import UnknownModel
from healthdash.task import Task

__all__ = ["bundle_of", "prepared", "with_examples"]


def bundle_of(task: str) -> Bundle | None:
    """Return a task's shipped model, or None."""
    try:
        return bundles.get(task)
    except UnknownModel:
        return None


def with_examples() -> Iterator[tuple[Task, Bundle | None]]:
    """Yield the tasks that ship samples, each with its model or None."""
    for task in tasks.all_tasks():
        if task.examples():
            yield task, bundle_of(task.slug)


def prepared(bundle: Bundle, n: int, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return network inputs like the stored background's, n of them and all different.

    Table columns are drawn each from a row of its own, so that codes stay codes and gaps stay
    gaps; pictures and signals are background ones with a little noise.
    """
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(next(iter(bundle.background.values()))), n)
    return {name: _like(values, rows, rng) for name, values in bundle.background.items()}


def _like(
    values: NDArray[np.float32], rows: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.float32]:
    if values.ndim == 2:
        own = rng.integers(0, len(values), (len(rows), values.shape[1]))
        return np.take_along_axis(values, own, axis=0)
    out = values[rows]
    out += rng.normal(scale=0.01, size=(1, *out.shape[1:])).astype(np.float32)
    return out


def feed(
    inputs: Mapping[str, NDArray[np.float32]],
) -> Mapping[str, NDArray[np.float32]] | NDArray[np.float32]:
    """Return inputs as Keras takes them."""
    return inputs if len(inputs) > 1 else next(iter(inputs.values()))
