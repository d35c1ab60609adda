"""Shapley values of tables: exact, sampled, by number of features, and of a whole cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cases import Case, Values, of_task, table
from benchmarks.equal_error import at_equal_error
from benchmarks.memory import PeakMemory
from benchmarks.rows import Row, missing, seconds_of
from benchmarks.shipped import bundle_of, prepared
from healthdash.explain import ExplainRequest, cohort, exact, kernel, permutation

__all__ = ["rows"]

_PAIRS = 200
# shap's samplers at their usual budgets: permutations of all players, and "auto" of KernelExplainer.
_PERMUTATIONS, _COALITIONS = 10, 2048
# A reference that would take longer is left out, and named as left out.
_LONGEST_S = 40.0
_COHORT = 1_000

# Seconds and values, or not run.
Reference = tuple[float, Values] | None


def rows() -> Iterator[Row]:
    """Yield all rows; a missing model gives a row that says so."""
    for task, of in (("heart-disease", _exact), ("readmission", _sampled)):
        case = of_task(task)
        if case is None:
            yield missing(f"{task}: Shapley values against shap", "no model ships yet")
        else:
            yield from of(case)
    yield from _by_features()
    yield from _cohort()


def _exact(case: Case) -> Iterator[Row]:
    """The shipped model against its own background and against 100 rows."""
    for one, targets in ((case, (None, None)), (case.against(100, seed=1), (200.0, 4.0))):
        mine = _ours(one)
        yield _against(one, mine, one.predicted, "model.predict", targets[0])
        yield _against(one, mine, one.warm, "a warm tf.function", targets[1])


def _against(
    case: Case, mine: Measured, model: Callable[[Values], Values], words: str, at_least: float | None
) -> Row:
    theirs, reference = _shap_exact(case, model)
    difference = float(np.abs(mine.values - reference).max())
    return Row.compared(
        f"exact Shapley, {case.name}, {case.size()}",
        ours=str(mine),
        reference=f"{theirs:.2f} s shap.explainers.Exact over {words}",
        ratio=theirs / mine.seconds,
        at_least=at_least,
        check=f"values {difference:.0e}",
        equal=difference < 1e-5,
    )


def _by_features() -> Iterator[Row]:
    """A made network of 8 to 16 columns, all of which differ from the background's."""
    warm = predicted = 0.0
    for columns in range(8, 17):
        case = table(columns)
        mine = _ours(case)
        # One more feature doubles the coalitions, and the time.
        ran = [_shap_exact(case, case.warm) if 2 * warm < _LONGEST_S else None]
        ran.append(_shap_exact(case, case.predicted) if 2 * predicted < _LONGEST_S else None)
        warm, predicted = (
            before * 2 if one is None else one[0] for one, before in zip(ran, (warm, predicted), strict=True)
        )
        yield _feature_row(case, mine, *ran)


def _feature_row(case: Case, mine: Measured, warm: Reference, predicted: Reference) -> Row:
    ran = [one for one in (warm, predicted) if one is not None]
    difference = max((float(np.abs(mine.values - values).max()) for _, values in ran), default=np.nan)
    told = " and ".join(
        f"{one[0]:.2f} s over {words}" if one else f"more than {_LONGEST_S:.0f} s, not run, over {words}"
        for one, words in ((warm, "a warm tf.function"), (predicted, "model.predict"))
    )
    name, reference = f"exact Shapley, {case.name}, {case.size()}", f"shap Exact: {told}"
    if warm is None:
        return Row(name=name, ours=str(mine), reference=reference)
    return Row.compared(
        name,
        ours=str(mine),
        reference=reference,
        ratio=warm[0] / mine.seconds,
        check=f"values {difference:.0e}",
        equal=difference < 1e-5,
    )


@dataclass(frozen=True)
class Measured:
    """What our own explanation took and gave."""

    seconds: float
    values: Values
    mixtures: int

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s ({self.mixtures:,} rows)"


def _ours(case: Case) -> Measured:
    """Explain until warm, then take the best of five."""
    exact.explain(*case.arguments())
    runs = [seconds_of(lambda: exact.explain(*case.arguments())) for _ in range(5)]
    seconds, found = min(runs, key=lambda run: run[0])
    return Measured(seconds, found.values[case.names[0]], found.samples)


def _shap_exact(case: Case, model: Callable[[Values], Values]) -> tuple[float, Values]:
    import shap

    # shap compiles its loops at the first call; a small one keeps that out of the figures.
    shap.explainers.Exact(lambda r: r[:, 0], np.zeros((1, 2)))(np.ones((1, 2)), silent=True)
    model(case.row)
    explainer = shap.explainers.Exact(model, case.masker())
    seconds, found = seconds_of(lambda: explainer(case.row, silent=True))
    return seconds, found.values[0]


def _sampled(case: Case) -> Iterator[Row]:
    """All features of a wider table, both ways of sampling."""
    name = f"sampled Shapley, {case.name}, {case.size()}"

    def by(method: Any, pairs: int = _PAIRS) -> Callable[[int], Values]:
        return lambda seed: method.explain(*case.arguments(pairs, seed)).values[case.names[0]]

    truth = by(permutation, 100 * _PAIRS)(99)
    for ours, theirs, reference, target in (
        (permutation, _permutation, "Permutation", 5.0),
        (permutation, _kernel, "KernelExplainer", 5.0),
        (kernel, _kernel, "KernelExplainer", None),
    ):
        words = "permutations" if ours is permutation else "KernelSHAP"
        yield at_equal_error(
            f"{name}, {words}", by(ours), theirs(case), truth, reference=reference, at_least=target
        )


def _permutation(case: Case) -> Callable[[int], Values]:
    import shap

    evaluations = _PERMUTATIONS * (2 * case.row.shape[1] + 1)

    def values(seed: int) -> Values:
        explainer = shap.explainers.Permutation(case.warm, case.masker(), seed=seed)
        found: Values = explainer(case.row, silent=True, max_evals=evaluations).values[0]
        return found

    return values


def _kernel(case: Case) -> Callable[[int], Values]:
    import shap

    explainer = shap.KernelExplainer(case.warm, case.background[case.names[0]])

    def values(seed: int) -> Values:
        np.random.seed(seed)
        found: Values = explainer.shap_values(case.row, nsamples=_COALITIONS, l1_reg=False, silent=True)[0]
        return found

    return values


def _cohort() -> Iterator[Row]:
    """Every row of a cohort, exactly: what a beeswarm draws."""
    name = f"beeswarm of heart-disease: {_COHORT:,} rows explained exactly"
    bundle = bundle_of("heart-disease")
    if bundle is None:
        yield missing(name, "no model ships yet")
        return
    labels, some = bundle.info.labels, prepared(bundle, _COHORT, seed=3)
    asked = bundle.forward, some, bundle.background, labels, ExplainRequest(target=labels[-1])
    with PeakMemory() as memory:
        seconds, found = seconds_of(lambda: cohort.shares("exact-shapley", *asked))
    missed = float(np.abs(found.base + found.shares.sum(axis=1) - found.output).max())
    yield Row(
        name=name,
        ours=f"{seconds:.1f} s, at most {memory.peak:.0f} MB ({memory.more:.0f} more than before)",
        check=f"residual {missed:.0e}",
        verdict="no target" if missed < 1e-5 else "not equal",
    )
