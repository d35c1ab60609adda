"""Whether a model of own signals may see another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from healthdash.task import Arrays, Gate

from .own_familiar import strangeness
from .own_windows import INPUT

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["judge_own"]

_HINT = "This model judges recordings like those it was trained with only."
_MOST_JUDGED = 500


def judge_own(inputs: Arrays, bundle: Bundle) -> Gate:
    """Say whether the windows of a recording are like those of the training.

    Parameters
    ----------
    inputs : dict
        `signal` float32 (n, samples, leads), the network's input.
    """
    windows = inputs[INPUT][:: max(1, len(inputs[INPUT]) // _MOST_JUDGED)]
    if (np.ptp(windows, axis=(0, 1)) == 0).any():
        return Gate.of(refuse=["a lead of the recording is flat"], hint=_HINT)
    distance = float(np.median(strangeness(windows, bundle.arrays)))
    limits = bundle.info.gate
    if distance > limits["refuse_above"]:
        return Gate.of(refuse=["the signal does not look like those of the training"], hint=_HINT)
    if distance > limits["warn_above"]:
        return Gate.of(warn=["the signal looks unlike most of those of the training"], hint=_HINT)
    return Gate()
