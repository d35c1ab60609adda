"""Which learning rate to begin with: one short training in which it grows, and what the loss does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash import runtime
from healthdash.errors import InvalidInput
from healthdash.training.settings import TrainSettings
from healthdash.training.studio import batches, optimisers
from healthdash.training.studio.items import Labelled
from healthdash.training.studio.losses import loss_of
from healthdash.training.studio.parts import split_of
from healthdash.training.studio.plans import Plan

__all__ = ["STEPS", "RateCurve", "find_rate", "proposed"]

STEPS = 100
_LOWEST, _HIGHEST = 1e-6, 1.0
#: A loss that many times the least one has run away; what is larger still tells nothing.
_RUN_AWAY = 4.0
_MEMORY = 0.9
#: The first steps hold little of the running mean, the last ones are where the loss turns.
_FIRST, _LAST = 8, 4


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """The loss while the learning rate grows.

    Attributes
    ----------
    rates : float (m,)
        Growing; the curve ends where the loss has run away.
    losses : float (m,)
        A running mean over the batches.
    proposed : float
        Where the loss falls most steeply, to two digits.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    proposed: float

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "proposed": self.proposed,
            "rates": [float(f"{rate:.4g}") for rate in self.rates],
            "losses": [float(f"{loss:.6g}") for loss in self.losses],
        }


def find_rate(
    labelled: Labelled,
    settings: TrainSettings,
    on_progress: Callable[[float], object] | None = None,
    *,
    steps: int = STEPS,
) -> RateCurve:
    """Train on batches of the training items, each with a larger rate than the one before.

    Parameters
    ----------
    settings : TrainSettings
        As of the training that the rate is wanted for; the rate itself and the schedule play no part.
    on_progress : function of a share
        May raise `TrainingStopped`.

    References
    ----------
    Smith 2017, WACV, Cyclical learning rates for training neural networks, section 3.3.
    """
    plan = replace(Plan.of(settings, labelled), schedule="constant")
    train = split_of(labelled, plan.seed).train
    prepared = labelled.fitted(train)
    runtime.tensorflow()
    keras.utils.set_random_seed(plan.seed)
    network = plan.entry.build(prepared, len(labelled.labels), plan)
    items = batches.Items(prepared, labelled.truth, train, len(labelled.labels))
    learnt = batches.training(items, plan, seed=plan.seed)
    network.compile(optimisers.optimiser(plan, len(learnt)), loss_of(plan.loss), jit_compile=False)
    rates, losses = np.geomspace(_LOWEST, _HIGHEST, steps), []
    for step, rate in enumerate(rates):
        if step % len(learnt) == 0:
            learnt.begin(step // len(learnt))
        network.optimizer.learning_rate = rate
        inputs, targets, weights = learnt[step % len(learnt)]
        # A metric of Keras would be a mean over all steps so far.
        loss = network.train_on_batch(inputs, targets, weights, return_dict=True)["loss"]
        network.reset_metrics()
        losses.append(float(loss))
        if on_progress:
            on_progress((step + 1) / steps)
        if _has_run_away(_smooth(losses)):
            break
    smooth = _smooth(losses)
    kept = len(smooth) if np.isfinite(smooth[-1]) else len(smooth) - 1
    return RateCurve(rates[:kept], smooth[:kept], proposed(rates[:kept], smooth[:kept]))


def proposed(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> float:
    """Return the rate where the loss falls most steeply by the logarithm of the rate, to two digits.

    Only before the least loss: behind it the loss does not fall for good.

    Raises
    ------
    InvalidInput
        The loss does not fall at all.
    """
    end = int(np.argmin(losses)) + 1
    first = min(_FIRST, max(0, end - 3))
    if end - first < 3 or losses[first] <= losses[end - 1]:
        raise InvalidInput(
            "the loss falls at no learning rate",
            hint="Look at the data and the labels, or change the network.",
        )
    slopes = np.gradient(losses, np.log(rates))[first : max(first + 1, end - _LAST)]
    return float(f"{rates[first + int(np.argmin(slopes))]:.2g}")


def _smooth(losses: list[float]) -> NDArray[np.float64]:
    """Return the running mean of losses without its lag at the beginning (Kingma & Ba 2015, section 3)."""
    mean, found = 0.0, []
    for number, loss in enumerate(losses, 1):
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        found.append(mean / (1 - _MEMORY**number))
    return np.asarray(found)


def _has_run_away(losses: NDArray[np.float64]) -> bool:
    return not np.isfinite(losses[-1]) or (len(losses) > _FIRST and losses[-1] > _RUN_AWAY * losses.min())
