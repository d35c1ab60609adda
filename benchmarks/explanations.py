"""Explanations against the `shap` library: same model, same background, same machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from benchmarks import expected_gradients, shapley
from benchmarks.rows import Row

__all__ = ["rows"]


def rows() -> Iterator[Row]:
    """Yield exact, sampled and gradient explanations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of shap's colour maps
        yield from shapley.rows()
        yield from expected_gradients.rows()
