"""How good a bundle's explanations are, measured for its card on synthetic items of its task.

The measures are those of `healthdash.explain.quality`, averaged over items. All are about the
explanation and the model: none says whether the model is right, nor where a disease is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash import bundles, explain, pipeline
from healthdash.bundles import Bundle
from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import ExplainRequest, Explanation, quality
from healthdash.explain.copies import shuffled
from healthdash.explain.quality import Question, units
from healthdash.explain.quality.question import alike
from healthdash.explain.types import OnProgress, Progress
from healthdash.judging.averages import Scores, agreed, averaged
from healthdash.judging.items import Item, synthetic_items
from healthdash.task import Arrays, Task
from healthdash.training.explained import ExplanationQuality

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["ITEMS", "after_training", "judge"]

#: Synthetic items of a card.
ITEMS = 12
# Of a model that was just trained, for which somebody waits.
_FEW_ITEMS, _PATIENCE_S = 4, 20.0
# What each item and method costs: explain, explain with noise, take parts out, explain other weights.
_STEPS = 4

_log = logging.getLogger(__name__)


def judge(
    task: Task,
    bundle: Bundle,
    *,
    items: int = ITEMS,
    samples: int = 0,
    seed: int = 0,
    patience_s: float = float("inf"),
    on_progress: OnProgress | None = None,
) -> ExplanationQuality:
    """Measure each method that the task offers on synthetic items.

    Each item has noise of its own, and is explained of a network with weights shuffled for it alone, so
    that the averages are over all three.

    Parameters
    ----------
    items : int
        At most so many.
    samples : int
        Of each explanation; 0 takes the task's own number for each method, as the app does.
    seed : int
    patience_s : float, second
        After this time no further item is begun, nor another method of the first item: the task's
        default comes first.
    on_progress : function of Progress
        Told the share done; raising cancels.

    Raises
    ------
    ModelMismatch
        The model takes nothing that could be explained.
    ExplainerNotApplicable
        None of the task's methods fits.
    """
    task = task.bound(bundle)
    chosen = synthetic_items(task, bundle, items, seed=seed)
    methods = _fitting(task, bundle, chosen)
    bench = _Bench(task, bundle, _Told(on_progress, _STEPS * len(chosen) * len(methods)))
    others = shuffled(bundle.forward, (1.0,), len(chosen), seed)
    until, measured = time.perf_counter() + patience_s, list[_Measured]()
    for number, (item, other) in enumerate(zip(chosen, others, strict=True)):
        request = ExplainRequest(item=item.number, samples=samples, seed=seed + number)
        measured.append(bench.measured(item, request, methods, other, float("inf") if measured else until))
        methods = list(measured[0].scores)
        if time.perf_counter() > until:
            break
    return ExplanationQuality(
        items=len(measured),
        kind=f"synthetic {task.unit}s" if chosen[0].is_given else "typical inputs stored with the model",
        samples=samples,
        seed=seed,
        methods=tuple(
            averaged(
                name,
                [one.scores[name] for one in measured],
                _samples(task, name, samples) if explain.uses(name, "samples") else 0,
            )
            for name in methods
        ),
        agreement=tuple(agreed(methods, [one.agreement for one in measured])),
        command=f"python -m healthdash judge {task.slug} --model {bundle.name} --items {len(measured)} "
        f"{f'--samples {samples} ' if samples else ''}--seed {seed} --write",
    )


def after_training(task: Task, bundle: Bundle, on_progress: OnProgress | None = None) -> Bundle:
    """Measure the explanations of a new model on a few items and put them in its card.

    A model is worth keeping without these figures: when `on_progress` raises, or anything fails, the
    bundle stays as it is, and the log says why.
    """
    try:
        found = judge(task, bundle, items=_FEW_ITEMS, patience_s=_PATIENCE_S, on_progress=on_progress)
        return bundles.with_explanations(bundle, found)
    except Exception as error:  # whatever it is, hours of training must not be lost for it
        _log.warning("%s: explanations not judged, %s: %s", task.slug, type(error).__name__, error)
        return bundle


@dataclass(frozen=True, eq=False)
class _Measured:
    """What was measured of one item: the scores of each method, and how they agree."""

    scores: Mapping[str, Scores]
    agreement: quality.Agreement


class _Told:
    """Tells a listener the share done of many steps; what it raises goes through."""

    def __init__(self, on_progress: OnProgress | None, steps: int) -> None:
        self._on_progress, self._steps, self._done = on_progress, steps, 0

    def __call__(self, share: float) -> None:
        """Tell how much of the present step is done; answers nothing, for a true answer would end it."""
        if self._on_progress:
            self._on_progress(Progress(min(1.0, (self._done + share) / self._steps)))

    def step(self) -> None:
        """Go on to the next step."""
        self._done += 1
        self(0.0)


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where the items of one bundle are measured."""

    task: Task
    bundle: Bundle
    told: _Told

    @cached_property
    def noisy(self) -> dict[str, NDArray[np.bool_]] | None:
        """Where noise may be added: to the numbers of a table, not to codes; None: the measure decides."""
        columns = self.task.choices(self.bundle)
        if not columns:
            return None
        return {name: np.array([column.is_number for column in columns]) for name in self.bundle.info.inputs}

    def measured(
        self, item: Item, request: ExplainRequest, methods: Sequence[str], other: Forward, until: float
    ) -> _Measured:
        """Explain one item by every method, the first one even late, and take every measure.

        Parameters
        ----------
        other : Forward
            The network with shuffled weights.
        until : float, second
            Of the clock: no other method is begun later.
        """
        found: list[Explanation] = []
        scores: dict[str, Scores] = {}
        for method in methods:
            if found and time.perf_counter() > until:
                break
            asked = replace(request, method=method, samples=_samples(self.task, method, request.samples))
            explanation = self._explained(item, asked)
            found.append(explanation)
            question = Question(
                method=method,
                forward=self.bundle.forward,
                inputs=item.inputs,
                background=self.bundle.background,
                labels=self.bundle.info.labels,
                request=replace(asked, target=explanation.target),
            )
            scores[method] = self._scores(question.among(explanation), explanation, other)
        return _Measured(scores, quality.agreement(found))

    def _explained(self, item: Item, asked: ExplainRequest) -> Explanation:
        report = pipeline.explain(self.task, item.report, self.bundle, asked, self.told)
        self.told.step()
        if report.error or report.explanation is None:
            raise report.error or ExplainerNotApplicable(f"{asked.method} gave nothing")
        return report.explanation

    def _scores(self, question: Question, explanation: Explanation, other: Forward) -> Scores:
        told = self.told
        try:
            still = quality.stability(
                question, explanation, repeats=1, noisy=self.noisy, on_progress=told
            ).mean
        except ExplainerNotApplicable:
            still = float("nan")
        told.step()
        curves = quality.curves(question, explanation, on_progress=told)
        told.step()
        without = question.asked(forward=other)
        told.step()
        return Scores(
            residual=abs(explanation.residual),
            stability=still,
            deletion=curves.random_deletion_area - curves.deletion_area,
            insertion=curves.insertion_area - curves.random_insertion_area,
            beaten=curves.beaten,
            shuffled=alike(explanation, without, units(explanation)),
        )


def _samples(task: Task, method: str, asked: int) -> int:
    """Return the samples of a method's explanations: those asked for, or else the task's own number."""
    return asked or task.usual_samples(method)


def _fitting(task: Task, bundle: Bundle, items: Sequence[Item]) -> list[str]:
    """Return the methods of a task that fit every item."""

    def fits(method: str, inputs: Arrays) -> bool:
        among = task.players(inputs, bundle.info.preprocessing) if method in explain.WITH_PLAYERS else None
        return explain.reason_against(method, inputs, bundle.forward, among) is None

    offered = task.methods_of(bundle)
    methods = [method for method in offered if all(fits(method, item.inputs) for item in items)]
    if not methods:
        raise ExplainerNotApplicable(f"none of {', '.join(offered) or 'no methods'} fits the items")
    return methods
