"""How table models are made: split by patient, fit, calibrate, test; see also `crossing.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash import bundles
from healthdash.bundles import Bundle, BundleInfo, OperatingPoint
from healthdash.training import TrainSettings
from healthdash.training.calibration import fit_calibration
from healthdash.training.command import command_line
from healthdash.training.evaluation import Evaluation
from healthdash.training.history import EpochRow, recorded
from healthdash.training.splits import Split, split_by_group
from healthdash.training.stopping import NOT_BY_FOLDS
from healthdash.training.youden import youden_point

from .compare import Rows, other_models
from .fit import Plan, background_rows, fit, logits_of
from .measure import Scored, evaluation_of
from .prepare import features, fitted_columns

if TYPE_CHECKING:
    from .dataset import Dataset
    from .network import Shape
    from .task import RecordsTask

__all__ = ["Recipe", "Run", "measured_again", "train_by_split"]

_SPLIT_RULE = (
    "Split at random by {unit} into train, validation and test (5:1:1). The validation rows stop the "
    "training, calibrate the model and set its operating point; the test rows have no part in that."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a task's training is made of.

    Attributes
    ----------
    shape, plan : Shape, Plan
        Size of the network, and how it is trained.
    rarest : int
        Values of a category seen less often count as unknown.
    background : int
        Rows wanted for the background of the explanations.
    folds : int
        Of the cross-validation, where there is one.
    facts : function of Dataset
        Returns title, data, intended use and limits for the card.
    smooth : bool
        Of the calibration, see `fit_calibration`: for tables that may be told apart without error.
    notes : dict of str to str
        What else the card says of the training.
    """

    shape: Shape
    plan: Plan
    rarest: int
    background: int
    facts: Callable[[Dataset], dict[str, Any]]
    folds: int = 10
    smooth: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def described(self, plan: Plan, *, is_crossed: bool) -> dict[str, Any]:
        """Return the settings for the card; `is_crossed`: the figures are from folds."""
        fitted = asdict(plan)
        patience = f"{fitted.pop('patience')} epochs of no lower validation loss"
        stopping = {"early stopping": NOT_BY_FOLDS if is_crossed else patience}
        return {**asdict(self.shape), **fitted, **stopping, "rarest_value": self.rarest, **self.notes}


class Run:
    """One training run: its recipe and settings, and the epochs so far."""

    def __init__(
        self, task: RecordsTask, recipe: Recipe, settings: TrainSettings, on_epoch: Callable[[EpochRow], None]
    ) -> None:
        self.task, self.recipe, self.seed = task, recipe, settings.seed
        self.plan = recipe.plan.with_settings(settings)
        self.history, self._record = recorded(on_epoch)

    def fit(
        self,
        columns: list[dict[str, Any]],
        train: Rows,
        validation: Rows | None,
        *,
        run: str = "",
        stop_early: bool = True,
    ) -> Any:
        """Fit the network and return it averaged over its members."""
        return fit(
            columns,
            self.recipe.shape,
            self.plan,
            train=train,
            validation=validation,
            seed=self.seed,
            run=run,
            labels=len(self.task.labels),
            stop_early=stop_early,
            on_epoch=self._record,
        )

    def info(
        self,
        data: Dataset,
        name: str,
        columns: list[dict[str, Any]],
        *,
        is_crossed: bool = False,
        **more: Any,
    ) -> BundleInfo:
        """Return what the bundle says of itself; `is_crossed`: its figures are from folds."""
        return BundleInfo(
            task=self.task.slug,
            name=name,
            labels=tuple(self.task.labels),
            preprocessing={"columns": columns, **self.task.stored()},
            inputs={},
            recipe=self.recipe.described(self.plan, is_crossed=is_crossed),
            seed=self.seed,
            **self.recipe.facts(data),
            **more,
        )

    def save(self, out: Path, network: Any, info: BundleInfo, evaluation: Evaluation, train: Rows) -> Bundle:
        """Save the bundle with the background of its explanations."""
        columns = info.preprocessing["columns"]
        centroids = background_rows(*train, columns, self.recipe.background, seed=self.seed)
        return bundles.save(
            out,
            network,
            info,
            history=self.history,
            evaluation=evaluation.model_copy(update={"command": command_line()}),
            arrays={"features": centroids},
        )


def train_by_split(
    task: RecordsTask,
    data: Dataset,
    settings: TrainSettings,
    out: Path,
    on_epoch: Callable[[EpochRow], None],
    recipe: Recipe,
) -> Bundle:
    """Train on some patients, stop and calibrate on others, test on a third part."""
    run = Run(task, recipe, settings, on_epoch)
    split = split_by_group(data.truth, data.groups, seed=settings.seed)
    columns = fitted_columns(data.frame.iloc[split.train], task.columns, rarest=recipe.rarest)
    values = features(data.frame, {"columns": columns})
    rows = {"train": split.train, "validation": split.validation}
    part: dict[str, Rows] = {name: (values[at], data.truth[at]) for name, at in rows.items()}
    network = run.fit(columns, part["train"], part["validation"])
    validation = logits_of(network, part["validation"][0])
    calibration = fit_calibration(validation, part["validation"][1], method="platt", smooth=recipe.smooth)
    points: tuple[OperatingPoint, ...] = ()
    if len(task.labels) == 2:
        estimates = calibration.apply(validation)
        second, truth = tuple(task.labels)[1], part["validation"][1]
        points = (youden_point(second, truth, estimates[:, 1], "the validation rows"),)
    info = run.info(data, out.name, columns, calibration=calibration, operating_points=points)
    return run.save(out, network, info, _tested(task, data, network, info, split), part["train"])


def measured_again(task: RecordsTask, data: Dataset, bundle: Bundle) -> Evaluation:
    """Measure a bundle that was trained by split on the test rows of its data, as its training did."""
    split = split_by_group(data.truth, data.groups, seed=bundle.info.seed)
    measured = _tested(task, data, bundle.network, bundle.info, split)
    return measured.model_copy(update={"command": bundle.evaluation.command})


def _tested(task: RecordsTask, data: Dataset, network: Any, info: BundleInfo, split: Split) -> Evaluation:
    values = features(data.frame, info.preprocessing)
    rows = {"train": split.train, "validation": split.validation, "test": split.test}
    given = info.calibration.apply(logits_of(network, values[split.test]))
    scored = Scored(data.rows(split.test), given, f"test {task.item}s")
    rule = _SPLIT_RULE.format(unit=task.item)
    evaluation = evaluation_of(scored, info, split_rule=rule, counts=_counts(data, rows))
    train = values[split.train], data.truth[split.train]
    others = other_models(info.preprocessing["columns"], train, values[split.test], scored)
    return evaluation.model_copy(update={"comparisons": tuple(others)})


def _counts(data: Dataset, rows: Mapping[str, NDArray[np.int64]]) -> dict[str, int]:
    counts = {f"{name} rows": len(at) for name, at in rows.items()}
    return counts | {f"{name} patients": len(np.unique(data.groups[at])) for name, at in rows.items()}
