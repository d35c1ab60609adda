"""Averages of what was measured of single explanations, and what they mean in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from healthdash import explain
from healthdash.explain import quality
from healthdash.explain.quality.additivity import MOST_RESIDUAL
from healthdash.explain.quality.curves import LEAST_BEATEN
from healthdash.explain.quality.question import ALIKE
from healthdash.explain.quality.randomisation import MOST_LIKE_RANDOM
from healthdash.training.evaluation import bootstrap_interval
from healthdash.training.explained import Agreed, Average, JudgedMethod

__all__ = ["Scores", "agreed", "averaged", "than_chance", "worded"]

_DECIMALS = 6
#: Share of random orders that an order without any sense beats.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Scores:
    """What was measured of one explanation; the names are those of `JudgedMethod`, NaN does not apply."""

    residual: float
    stability: float
    deletion: float
    insertion: float
    beaten: float
    shuffled: float


def averaged(method: str, scores: Sequence[Scores], samples: int = 0) -> JudgedMethod:
    """Return the means of a method's scores, one an item, and what they mean; 0 samples: it draws none."""
    residual, stability = _average([s.residual for s in scores]), _average([s.stability for s in scores])
    beaten, alike_shuffled = _average([s.beaten for s in scores]), _mean([s.shuffled for s in scores])
    found = JudgedMethod(
        method=method,
        title=explain.title(method),
        samples=samples,
        residual=residual,
        stability=stability,
        deletion=_mean([s.deletion for s in scores]),
        insertion=_mean([s.insertion for s in scores]),
        beaten=beaten,
        shuffled=alike_shuffled,
        is_doubtful=alike_shuffled.value > MOST_LIKE_RANDOM,
        words="",
    )
    return worded(found)


def worded(method: JudgedMethod) -> JudgedMethod:
    """Return a judged method with what its figures mean in words."""
    clauses = (
        _adds_up(method.residual),
        _holds_still(method.stability),
        _names_what_matters(method.beaten),
        "stays much the same without what the model has learnt, so that it says little about the model"
        if method.is_doubtful
        else "depends on what the model has learnt",
    )
    return method.model_copy(update={"words": "; ".join(clause for clause in clauses if clause)})


def than_chance(beaten: Average) -> str:
    """Return whether the orders of a method are better, hardly better or worse than chance.

    Worse: the upper end of the share of random orders that it beats lies below one half.
    """
    if beaten.value >= LEAST_BEATEN:
        return "better than chance"
    is_worse = beaten.high is not None and beaten.high < _HALF
    return "worse than chance" if is_worse else "hardly better than chance"


def agreed(methods: Sequence[str], found: Sequence[quality.Agreement]) -> Iterator[Agreed]:
    """Yield how alike each two methods are, on average."""
    for one, other in combinations(range(len(methods)), 2):
        yield Agreed(
            titles=(explain.title(methods[one]), explain.title(methods[other])),
            correlation=_mean([float(agreement.correlation[one, other]) for agreement in found]),
            overlap=_mean([float(agreement.overlap[one, other]) for agreement in found]),
        )


def _average(values: Sequence[float]) -> Average | None:
    """Return the mean of the values that are known, None where none is."""
    known = [value for value in values if np.isfinite(value)]
    return _mean(known) if known else None


def _mean(values: Sequence[float]) -> Average:
    """Return the mean of one value an item, with its interval over items."""
    array = np.asarray(values, float)
    ends = bootstrap_interval(lambda rows: float(array[rows].mean()), np.arange(len(array)))
    low, high = (None if end is None else round(end, _DECIMALS) for end in ends)
    return Average(value=round(float(array.mean()), _DECIMALS), low=low, high=high, n=len(array))


def _adds_up(residual: Average | None) -> str:
    if residual is None:
        return "gives no shares, so that nothing adds up"
    if residual.value <= MOST_RESIDUAL:
        return "adds up to the output"
    return f"misses the output by {100 * residual.value:.1f} percentage points: more samples are needed"


def _names_what_matters(beaten: Average | None) -> str:
    if beaten is None:
        return "puts nothing in order, for there are no two parts that it gives different values"
    return f"names what the model uses {than_chance(beaten)}"


def _holds_still(stability: Average | None) -> str:
    if stability is None:
        return ""
    verb = "holds still" if stability.value >= ALIKE else "changes a good deal"
    return f"{verb} when the input hardly moves"
