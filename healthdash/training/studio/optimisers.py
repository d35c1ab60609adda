"""Optimisers and how their learning rate changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from healthdash.training.history import EpochRow
from healthdash.training.studio.plans import Plan

__all__ = ["callbacks", "optimiser"]

#: Longer gradients are cut to this length: recurrent networks and attention need it, others hardly notice.
_LONGEST_GRADIENT = 1.0
_MOMENTUM = 0.9
# One cycle: up for 30 % of the steps from a 25th of the peak (Smith & Topin 2018, arXiv:1708.07120; the
# shares are those that fastai found to work for most networks).
_RISE, _FIRST_SHARE, _LAST_SHARE = 0.3, 1 / 25, 1e-3
#: On a plateau the rate is halved after so many epochs without a better loss.
_PLATEAU_EPOCHS, _PLATEAU_FACTOR, _LEAST_BETTER = 3, 0.5, 1e-4


def optimiser(plan: Plan, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimiser of a plan.

    Parameters
    ----------
    steps : int
        Steps of one epoch.
    """
    common: dict[str, Any] = {"global_clipnorm": _LONGEST_GRADIENT}
    if plan.weight_decay and plan.optimizer != "adam":
        common["weight_decay"] = plan.weight_decay
    scheduled = _scheduled(plan.schedule, plan.learning_rate, max(1, steps * plan.epochs))
    made: keras.optimizers.Optimizer
    if plan.optimizer == "sgd":
        made = keras.optimizers.SGD(scheduled, momentum=_MOMENTUM, nesterov=True, **common)
    else:
        kind = keras.optimizers.AdamW if plan.optimizer == "adamw" else keras.optimizers.Adam
        made = kind(scheduled, **common)
    if "weight_decay" in common:
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def callbacks(plan: Plan, told: Sequence[EpochRow]) -> list[keras.callbacks.Callback]:
    """Return what changes the rate between epochs.

    Parameters
    ----------
    told : sequence of rows
        The epochs so far; it grows. A run that goes on is told its earlier epochs again.
    """
    return [_Plateau(plan.learning_rate, told)] if plan.schedule == "plateau" else []


def reductions(losses: Sequence[float]) -> int:
    """Return how often a plateau was reached by so many epochs' losses."""
    best, waited, found = float("inf"), 0, 0
    for loss in losses:
        if loss < best - _LEAST_BETTER:
            best, waited = loss, 0
            continue
        waited += 1
        if waited >= _PLATEAU_EPOCHS:
            found, waited = found + 1, 0
    return found


class _Plateau(keras.callbacks.Callback):  # type: ignore[misc]
    """Halves the rate on plateaus; the epochs so far are all that it depends on, so it has no state."""

    def __init__(self, rate: float, told: Sequence[EpochRow]) -> None:
        super().__init__()
        self._rate, self._told = rate, told

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        losses = [float(row.get("val_loss", row["loss"])) for row in self._told[:epoch]]
        self.model.optimizer.learning_rate = self._rate * _PLATEAU_FACTOR ** reductions(losses)


def _scheduled(name: str, peak: float, steps: int) -> Any:
    schedules = keras.optimizers.schedules
    if name == "cosine":
        return schedules.CosineDecay(peak, steps)
    if name == "one-cycle":
        rise = max(1, round(_RISE * steps))
        return schedules.CosineDecay(
            _FIRST_SHARE * peak,
            max(1, steps - rise),
            alpha=_LAST_SHARE,
            warmup_target=peak,
            warmup_steps=rise,
        )
    return peak
