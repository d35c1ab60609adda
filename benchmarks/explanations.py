"""Explanations against the `shap` library: same model, same background, same machine, warm."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, missing, seconds_of
from benchmarks.shipped import bundle_of, feed, prepared
from healthdash import runtime
from healthdash.bundles import Bundle
from healthdash.explain import ExplainRequest, exact, gradients, permutation

_PAIRS = 200
_SEEDS = 5
# For the gradients of one network; a truth of fewer than 20,000 draws is stated.
_BUDGET_S = 20.0

Values = NDArray[np.floating[Any]]


def rows() -> Iterator[Row]:
    """Yield exact, sampled and gradient explanations; a missing model gives a row that says so."""
    for task, row in (
        ("heart-disease", _exact),
        ("readmission", _sampled),
        ("ecg-beats", _gradients),
        ("chest-xray", _gradients),
    ):
        bundle = bundle_of(task)
        if bundle is None:
            yield missing(f"{task}: explanation against shap", "no model ships yet")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # of shap's colour maps
            yield from row(bundle)


@dataclass(frozen=True)
class Case:
    """One item of a model, its background, and the class that is explained."""

    bundle: Bundle
    item: dict[str, NDArray[np.float32]]

    @classmethod
    def of(cls, bundle: Bundle) -> Case:
        return cls(bundle, prepared(bundle, 1, seed=5))

    @property
    def target(self) -> int:
        return len(self.bundle.info.labels) - 1

    def request(self, samples: int, seed: int = 0) -> ExplainRequest:
        return ExplainRequest(target=self.bundle.info.labels[-1], samples=samples, seed=seed)

    def arguments(self, samples: int = 0, seed: int = 0) -> tuple[Any, ...]:
        """Return what every method's `explain` takes."""
        forward, background = self.bundle.forward, self.bundle.background
        return forward, self.item, background, self.target, self.request(samples, seed)

    def warm(self, rows_: Values) -> Values:
        """Give shap our compiled forward pass."""
        return self.bundle.forward.probabilities({self._name: rows_})[:, self.target]

    def predicted(self, rows_: Values) -> Values:
        """Give shap the network's `predict`."""
        logits = self.bundle.network.predict(rows_, verbose=0)
        return np.asarray(self.bundle.info.calibration.apply(logits))[:, self.target]

    def masker(self) -> Any:
        import shap

        background = self.bundle.background[self._name]
        return shap.maskers.Independent(background, max_samples=len(background))

    @property
    def _name(self) -> str:
        return next(iter(self.bundle.info.inputs))

    def size(self) -> str:
        m, p = self.bundle.background[self._name].shape[:2]
        return f"{p} features, background {m}"


def _exact(bundle: Bundle) -> Iterator[Row]:
    import shap

    case = Case.of(bundle)
    exact.explain(*case.arguments())
    ours, found = min((seconds_of(lambda: exact.explain(*case.arguments())) for _ in range(5)), key=_first)
    values = found.values["features"]
    # shap compiles its loops at the first call; a small one keeps that out of the figures.
    shap.explainers.Exact(lambda r: r[:, 0], np.zeros((1, 2)))(np.ones((1, 2)), silent=True)
    for words, model, target in (
        ("model.predict", case.predicted, 20.0),
        ("our warm forward pass", case.warm, None),
    ):
        explainer = shap.explainers.Exact(model, case.masker())
        theirs, reference = seconds_of(lambda e=explainer: e(case.item["features"], silent=True))
        difference = np.abs(values - reference.values[0]).max()
        yield Row.compared(
            f"exact Shapley, {bundle.info.task}, {case.size()}",
            ours=f"{ours:.3f} s ({found.samples:,} rows)",
            reference=f"{theirs:.2f} s shap.explainers.Exact over {words}",
            ratio=theirs / ours,
            at_least=target,
            check=f"values {difference:.0e}",
            equal=bool(difference < 1e-5),
        )


def _sampled(bundle: Bundle) -> Iterator[Row]:
    """Compare at equal error: time times mean square error, which sampling keeps constant."""
    import shap

    case = Case.of(bundle)
    truth = permutation.explain(*case.arguments(100 * _PAIRS, seed=99)).values["features"]

    def ours(seed: int) -> Values:
        return permutation.explain(*case.arguments(_PAIRS, seed)).values["features"]

    def theirs(seed: int) -> Values:
        explainer = shap.explainers.Permutation(case.warm, case.masker(), seed=seed)
        return explainer(case.item["features"], silent=True, max_evals=10 * (2 * len(truth) + 1)).values[0]

    yield _at_equal_error(f"sampled Shapley, readmission, {case.size()}", ours, theirs, truth, "Permutation")


def _gradients(bundle: Bundle) -> Iterator[Row]:
    case = Case.of(bundle)
    names = list(bundle.info.inputs)
    reference = _gradient_explainer(case, names)

    def join(values: dict[str, Values]) -> Values:
        return np.concatenate([np.ravel(values[name]) for name in names])

    def ours(samples: int, seed: int) -> Values:
        return join(dict(gradients.explain(*case.arguments(samples, seed)).values))

    def theirs(samples: int, seed: int) -> Values:
        found = reference.shap_values(
            [case.item[n] for n in names] if len(names) > 1 else case.item[names[0]],
            nsamples=samples,
            rseed=seed,
            ranked_outputs=np.array([[case.target]]),
            output_rank_order="custom",
        )[0]
        return join(dict(zip(names, found if len(names) > 1 else [found], strict=True)))

    ours(16, 0)
    per_draw = seconds_of(lambda: ours(64, 0))[0] / 64
    samples = int(np.clip(_BUDGET_S / 10 / per_draw, 32, 200))
    draws = int(np.clip(_BUDGET_S / 3 / per_draw, 2 * samples, 20_000))
    seeds = _SEEDS if samples == 200 else 2
    # Half of the truth by either, so that it favours none.
    truth = (ours(draws // 2, 98) + theirs(draws // 2, 99)) / 2
    yield _at_equal_error(
        f"expected gradients, {bundle.info.task}, {samples} samples (truth: {draws:,})",
        lambda seed: ours(samples, seed),
        lambda seed: theirs(samples, seed),
        truth,
        "GradientExplainer",
        seeds,
    )


def _gradient_explainer(case: Case, names: list[str]) -> Any:
    """Return shap's explainer of the calibrated probabilities; only one class will be asked."""
    import shap

    runtime.tensorflow()
    import keras

    info, network = case.bundle.info, case.bundle.network
    offset = np.asarray(info.calibration.offset or [0.0] * len(info.labels), np.float32)
    logits = network(network.inputs if len(names) > 1 else network.inputs[0])
    probabilities = keras.layers.Softmax()(info.calibration.scale * logits + offset)
    background = {name: case.bundle.background[name] for name in names}
    data = feed(background)
    return shap.GradientExplainer(
        keras.Model(network.inputs, probabilities), list(background.values()) if len(names) > 1 else data
    )


def _at_equal_error(
    name: str,
    ours: Callable[[int], Values],
    theirs: Callable[[int], Values],
    truth: Values,
    reference: str,
    seeds: int = _SEEDS,
) -> Row:
    """Compare two samplers by the time that each needs for one error."""
    theirs(0)
    runs = [[seconds_of(lambda s=seed, f=f: f(s)) for seed in range(1, seeds + 1)] for f in (ours, theirs)]
    times = [float(np.median([seconds for seconds, _ in run])) for run in runs]
    errors = [_error(np.array([values for _, values in run]), truth) for run in runs]
    both = [np.mean([values for _, values in run], axis=0) for run in runs]
    difference = float(np.sqrt(np.square(both[0] - both[1]).mean()))
    expected = float(np.sqrt((errors[0] ** 2 + errors[1] ** 2) / seeds))
    return Row.compared(
        name,
        ours=f"{times[0]:.2f} s, error {errors[0]:.1e}",
        reference=f"{times[1]:.2f} s, error {errors[1]:.1e} shap {reference}",
        ratio=times[1] * errors[1] ** 2 / (times[0] * errors[0] ** 2),
        at_least=1,
        check=f"means differ by {difference:.0e}, chance {expected:.0e}",
        equal=difference < 3 * expected + 1e-7,
    )


def _error(runs: Values, truth: Values) -> float:
    return float(np.sqrt(np.square(runs - truth).mean()))


def _first(pair: tuple[float, Any]) -> float:
    return pair[0]
