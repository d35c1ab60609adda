"""What every method's `explain` begins and ends with."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Protocol

import numpy as np

from healthdash.explain.types import Arrays, ExplainRequest, Explanation, Found, OnProgress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["Explain", "explaining", "probability_of"]

Compute = Callable[["Forward", Arrays, Arrays, int, ExplainRequest, OnProgress], Found]


class Explain(Protocol):
    """The public `explain` of a method."""

    def __call__(
        self,
        forward: Forward,
        inputs: Arrays,
        background: Arrays,
        target_index: int,
        request: ExplainRequest,
        on_progress: OnProgress | None = None,
    ) -> Explanation:
        """Explain the probability of one label for a batch of one."""


def explaining(method: str) -> Callable[[Compute], Explain]:
    """Make a method's `explain` of a function that finds the values: adds its name, target and time."""

    def wrap(compute: Compute) -> Explain:
        @wraps(compute)
        def explain(
            forward: Forward,
            inputs: Arrays,
            background: Arrays,
            target_index: int,
            request: ExplainRequest,
            on_progress: OnProgress | None = None,
        ) -> Explanation:
            started = time.perf_counter()
            found = compute(forward, inputs, background, target_index, request, on_progress or _unheard)
            seconds = time.perf_counter() - started
            return Explanation(method=method, target=request.target, seconds=seconds, **vars(found))

        return explain

    return wrap


def probability_of(forward: Forward, inputs: Arrays, target: int) -> float:
    """Return the mean probability of a label over a batch."""
    return float(forward.probabilities(inputs)[:, target].mean(dtype=np.float64))


def _unheard(share: float) -> None:
    """Stand in for a listener."""
