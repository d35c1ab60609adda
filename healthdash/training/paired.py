"""Two models on the same rows: which one does better, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, ModelMismatch

__all__ = ["Answers", "Difference", "aligned", "differences"]

_DRAWS = 2000
_LEAST_SHARE = 0.5
Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What one model says of labelled items, and what is true.

    Attributes
    ----------
    labels : tuple of str, length k
    truth : int64 (n,)
        Number of each item's label.
    probabilities : float (n, k)
        Calibrated.
    decided : int64 (n,)
        The label at the model's operating points.
    groups : (n,)
        Patient or recording of each item.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    decided: NDArray[np.int64]
    groups: NDArray[np.generic]

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the second model is than the first, by one measure.

    Attributes
    ----------
    measure : str
    first, second : float
        The measure of each model on all rows.
    low, high : float
        95 % interval of `second - first`, over draws of whole groups.
    is_larger_better : bool
    """

    measure: str
    first: float
    second: float
    low: float
    high: float
    is_larger_better: bool = True

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second - self.first

    @property
    def winner(self) -> int | None:
        """0 where the first model is better, 1 where the second is; None where the rows do not tell."""
        if self.low <= 0 <= self.high:
            return None
        return int((self.difference > 0) == self.is_larger_better)

    def words(self, names: tuple[str, str]) -> str:
        """Return the difference as a sentence."""
        more = "higher" if self.difference > 0 else "lower"
        told = (
            f"The {self.measure} of {names[1]} is {abs(self.difference):.3f} {more} than that of {names[0]} "
            f"({self.second:.3f} and {self.first:.3f}; 95 % interval of the difference "
            f"{_signed(self.low)} to {_signed(self.high)})"
        )
        if self.winner is None:
            return f"{told}: these rows do not tell which model is better."
        return f"{told}: {names[self.winner]} is better."


def aligned(first: Answers, *others: Answers) -> tuple[Answers, ...]:
    """Return all models' answers with labels in the order of the first, and rows of a patient together.

    Where only some of the models were trained with a column of patients, its groups hold for all: rows that
    any of them puts together stay together, whichever model is named first.

    Raises
    ------
    ModelMismatch
        The models have other labels, or do not answer for the same items.
    """
    same = [first, *(_in_labels_of(first, other) for other in others)]
    groups = _together([one.groups for one in same])
    return tuple(replace(one, groups=groups) for one in same)


def _in_labels_of(first: Answers, other: Answers) -> Answers:
    if set(first.labels) != set(other.labels):
        raise ModelMismatch(
            f"expected models of the same labels, got {', '.join(first.labels)} and "
            f"{', '.join(other.labels)}",
            hint="Compare models of one question.",
        )
    order = [other.labels.index(label) for label in first.labels]
    place = np.argsort(order)
    turned = replace(
        other,
        labels=first.labels,
        truth=place[other.truth],
        decided=place[other.decided],
        probabilities=other.probabilities[:, order],
    )
    if not np.array_equal(first.truth, turned.truth):
        raise ModelMismatch(
            f"the models do not use the same items of these data ({len(first):,} and {len(turned):,})",
            hint="Leave out the rows that one of the models cannot use.",
        )
    return turned


def _together(groups: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Return groups (n,) that hold all rows that share a group of any; numbered by their first row."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, *others = groups
    if all(np.array_equal(first, other) for other in others):
        return first
    # Rows and groups are the nodes of a graph, and each row is joined to its groups.
    codes = [np.unique(np.asarray(one).astype(str), return_inverse=True)[1] for one in groups]
    starts = len(first) + np.cumsum([0, *(int(one.max()) + 1 for one in codes)])
    ends = np.concatenate([one + start for one, start in zip(codes, starts[:-1], strict=True)])
    rows = np.tile(np.arange(len(first)), len(groups))
    shared = coo_array((np.ones(len(ends)), (rows, ends)), shape=(starts[-1], starts[-1]))
    found: NDArray[np.generic] = connected_components(shared, directed=False)[1][: len(first)]
    return found


def differences(first: Answers, second: Answers, *, seed: int = 0, draws: int = _DRAWS) -> list[Difference]:
    """Return the paired differences of two models, second minus first.

    Each draw of the bootstrap takes whole groups with replacement, the same for both models; draws that
    lose a label are left out.

    Parameters
    ----------
    first, second : Answers
        As `aligned` returns them.

    Raises
    ------
    InvalidInput
        There are fewer than two labels or groups, or most draws lose a label: no interval can be given.

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 (groups) and 13 (percentiles).
    """
    present = np.unique(first.truth)
    names, codes = np.unique(np.asarray(first.groups).astype(str), return_inverse=True)
    if len(present) < 2 or len(names) < 2:
        raise InvalidInput("expected two labels and two groups or more", hint="Give more labelled rows.")
    pairs = {name: (make(first), make(second)) for name, make in _MEASURES.items()}
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {name: [] for name in pairs}
    for _ in range(draws):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        weights = times[codes].astype(float)
        if not np.bincount(first.truth, weights)[present].all():
            continue
        for name, (one, other) in pairs.items():
            found[name].append(other(weights) - one(weights))
    if len(found["AUC"]) < _LEAST_SHARE * draws:
        raise InvalidInput("a label has too few groups for an interval", hint="Give more labelled rows.")
    whole = np.ones(len(first))
    return [
        Difference(name, one(whole), other(whole), *_interval(found[name]), name not in _SMALLER_IS_BETTER)
        for name, (one, other) in pairs.items()
    ]


def _interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _auc(answers: Answers) -> Callable[[Weights], float]:
    """Return the AUC as a function of weights; with more than two labels the mean of each against the rest.

    Ties count half (Hanley & McNeil 1982, Radiology 143:29).
    """
    present = np.unique(answers.truth)
    asked = [1] if len(answers.labels) == 2 else present.tolist()
    sorted_codes = [np.unique(answers.probabilities[:, k], return_inverse=True)[1] for k in asked]

    def auc(weights: Weights) -> float:
        found = []
        for label, codes in zip(asked, sorted_codes, strict=True):
            is_label = answers.truth == label
            positive = np.bincount(codes, weights * is_label)
            negative = np.bincount(codes, weights * ~is_label)
            below = np.cumsum(negative) - negative / 2
            found.append(float(positive @ below / (positive.sum() * negative.sum())))
        return float(np.mean(found))

    return auc


def _brier(answers: Answers) -> Callable[[Weights], float]:
    """Return the Brier score: of two labels that of the second (Brier 1950, Monthly Weather Review 78:1)."""
    hot = np.eye(len(answers.labels))[answers.truth]
    squared = (answers.probabilities - hot) ** 2
    errors = squared[:, 1] if len(answers.labels) == 2 else squared.sum(axis=1)
    return lambda weights: float(np.average(errors, weights=weights))


def _accuracy(answers: Answers) -> Callable[[Weights], float]:
    right = (answers.decided == answers.truth).astype(float)
    return lambda weights: float(np.average(right, weights=weights))


_MEASURES: Mapping[str, Callable[[Answers], Callable[[Weights], float]]] = {
    "AUC": _auc,
    "Brier score": _brier,
    "accuracy": _accuracy,
}
_SMALLER_IS_BETTER = ("Brier score",)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
