"""One trial: a single fit, judged on the validation part; the test part stays unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.calibration import fit_calibration
from healthdash.training.history import EpochRow
from healthdash.training.settings import TrainSettings
from healthdash.training.studio.items import Labelled
from healthdash.training.studio.search.pruning import Pruner

__all__ = ["LOSS", "NETWORK", "Outcome", "run", "settings_of"]

#: The figure that trials are compared by.
LOSS = "validation loss"
_PART = "validation"
#: As the network of a split is called in every history.
NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial.

    Attributes
    ----------
    loss : float
        Cross-entropy of the validation items, in nats; smaller is better. Calibrated, as the model will
        be, so that trials with other losses and weights of labels can be compared. Of a trial that was
        ended early, the best validation loss that it had.
    auc : float or None
        Area under the ROC curve, see `ranking.separation`; None for a trial that was ended early.
    epochs : int
        Epoch whose weights were judged, or at which the trial was ended.
    items : int
        Validation items.
    """

    loss: float
    auc: float | None
    epochs: int
    items: int
    is_pruned: bool = False

    def metrics(self) -> dict[str, Any]:
        """Return the figures as the command line prints metrics."""
        part = f"{_PART}, ended after epoch {self.epochs}" if self.is_pruned else _PART
        shown = {LOSS: self.loss, "validation AUC": self.auc, "epochs": float(self.epochs)}
        return {
            name: {"value": value, "low": None, "high": None, "n": self.items, "part": part}
            for name, value in shown.items()
            if value is not None
        }


class _Pruned(Exception):
    """The trial is worse than the others were."""


def run(
    labelled: Labelled,
    settings: TrainSettings,
    on_epoch: Callable[[EpochRow], None],
    *,
    others: Sequence[Sequence[float]] = (),
) -> Outcome:
    """Train one network with some settings and judge it on the validation part.

    Parameters
    ----------
    settings : TrainSettings
        Trials of one seed share one split.
    on_epoch : function of a row
        May raise `TrainingStopped`.
    others : sequence of sequences of float
        Validation losses of other trials; with some of them, a hopeless trial is ended early.
    """
    from healthdash.training.studio.fitting import Part, fit_fold
    from healthdash.training.studio.parts import split_of

    split = split_of(labelled, settings.seed)
    held = split.validation
    part = Part(run=NETWORK, seed=settings.seed, train=split.train, validation=held, judged=held)
    losses: list[float] = []
    pruner = Pruner(others)

    def report(row: EpochRow) -> None:
        on_epoch(row)
        if row.get("run") == NETWORK and "val_loss" in row:
            losses.append(float(row["val_loss"]))
            if pruner.ends(len(losses), losses[-1]):
                raise _Pruned

    try:
        fitted = fit_fold(labelled, replace(settings, folds=0), part, report)
    except _Pruned:
        return Outcome(loss=min(losses), auc=None, epochs=len(losses), items=len(held), is_pruned=True)
    truth = labelled.truth[held]
    return Outcome(
        loss=_calibrated_loss(fitted.logits, truth),
        auc=_auc(fitted.logits, truth),
        epochs=fitted.best_epoch,
        items=len(held),
    )


def settings_of(stored: Mapping[str, Any]) -> TrainSettings:
    """Return stored settings; what this version does not know is left out."""
    known = TrainSettings.__dataclass_fields__
    return TrainSettings(**{name: value for name, value in stored.items() if name in known})


def _calibrated_loss(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    calibration = fit_calibration(logits, truth, method="platt", smooth=True)
    probability = calibration.apply(logits)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(probability, 1e-12)).mean())


def _auc(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float | None:
    """Return the area under the curve; None where a label has no validation item."""
    from healthdash.training.ranking import separation  # SciPy's statistics: a page must not wait for them

    shares = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    found = separation(truth, shares[:, 1] if shares.shape[1] == 2 else shares)
    return found if np.isfinite(found) else None
