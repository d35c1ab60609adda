"""Expected gradients of signals and pictures against `shap.GradientExplainer`, warm and at the first call."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.cases import Case, Values, ecg_12_lead, of_task
from benchmarks.equal_error import at_equal_error
from benchmarks.rows import Row, missing, seconds_of
from healthdash.explain import gradients

__all__ = ["CASES", "first_call", "rows"]

#: Name of a case to what makes it.
CASES: dict[str, Callable[[], Case | None]] = {
    "ecg-beats": lambda: of_task("ecg-beats"),
    "ecg-12-lead": ecg_12_lead,
    "chest-xray": lambda: of_task("chest-xray"),
}
_SAMPLES = 200
# Of the picture network this takes minutes.
_TRUTH = 20_000
# shap keeps all points of a call in memory.
_AT_ONCE = 1_000
_FIRST_CALL_SAMPLES, _FIRST_CALLS = 64, 2


def rows() -> Iterator[Row]:
    """Yield two rows a case; a missing model gives a row that says so."""
    for name, make in CASES.items():
        case = make()
        if case is None:
            yield missing(f"{name}: expected gradients against shap", "no model ships yet")
            continue
        yield _warm(case)
        yield _cold(name, case)


def _warm(case: Case) -> Row:
    # In the app the probability is on screen before anything is explained.
    case.forward.probabilities(case.item)
    ours, theirs = _sampler(case), _shap_sampler(case)
    # Half of the truth by either, so that it favours none.
    truth = (ours(_TRUTH // 2, 98) + _in_parts(theirs, _TRUTH // 2)) / 2
    return at_equal_error(
        f"expected gradients, {case.name}, {_SAMPLES} samples (truth: {_TRUTH:,})",
        lambda seed: ours(_SAMPLES, seed),
        lambda seed: theirs(_SAMPLES, seed),
        truth,
        reference="GradientExplainer",
        at_least=2,
        seeds=5,
    )


def _in_parts(sampler: Callable[[int, int], Values], draws: int) -> Values:
    sizes = [min(_AT_ONCE, draws - start) for start in range(0, draws, _AT_ONCE)]
    return np.average([sampler(size, 99 + n) for n, size in enumerate(sizes)], axis=0, weights=sizes)


def _sampler(case: Case) -> Callable[[int, int], Values]:
    def values(samples: int, seed: int) -> Values:
        found = gradients.explain(*case.arguments(samples, seed)).values
        return np.concatenate([np.ravel(found[name]) for name in case.names])

    return values


def _shap_sampler(case: Case) -> Callable[[int, int], Values]:
    import shap

    explainer = shap.GradientExplainer(case.as_model(), case.listed(case.background))

    def values(samples: int, seed: int) -> Values:
        found = explainer.shap_values(
            case.listed(case.item),
            nsamples=samples,
            rseed=seed,
            ranked_outputs=np.array([[case.target]]),
            output_rank_order="custom",
        )[0]
        return np.concatenate([np.ravel(one) for one in (found if len(case.names) > 1 else [found])])

    return values


def _cold(name: str, case: Case) -> Row:
    """Run each in processes of their own, in turn: what the first explanation after a start takes."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "shap": []}
    for _ in range(_FIRST_CALLS):
        for who, found in runs.items():
            found.append(_in_a_process(name, who))
    ours, theirs = (min(run["seconds"] for run in found) for found in runs.values())
    # Of two samples of 64: their sums, which both estimate output - base.
    difference = abs(runs["ours"][0]["sum"] - runs["shap"][0]["sum"])
    return Row.compared(
        f"the same, first call after a start, {_FIRST_CALL_SAMPLES} samples, {case.name}",
        ours=f"{ours:.1f} s",
        reference=f"{theirs:.1f} s shap GradientExplainer",
        ratio=theirs / ours,
        at_least=1,
        check=f"sums differ by {difference:.0e}",
        equal=difference < 0.1,
    )


def _in_a_process(name: str, who: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.first_call", name, who]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def first_call(case: Case, who: str) -> dict[str, float]:
    """Return the seconds of the first explanation in this process, and the sum of its values."""
    make = _sampler if who == "ours" else _shap_sampler
    seconds, values = seconds_of(lambda: make(case)(_FIRST_CALL_SAMPLES, 0))
    return {"seconds": seconds, "sum": float(values.sum())}
