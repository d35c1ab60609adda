"""Calibration: probability = softmax(scale * logits + offset), fitted on validation data only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

__all__ = ["Calibration", "fit_calibration"]


class Calibration(BaseModel):
    """How logits become calibrated probabilities.

    Attributes
    ----------
    method : str
        "none", "temperature" (offset 0), or "platt" (scale and an offset for each label).
    scale : float
        1 / temperature; below 1 the network was over-confident.
    offset : tuple of float
        One for each label; empty means 0.
    fitted_on : str
        The rows that it was fitted on, in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    method: Literal["none", "temperature", "platt"] = "none"
    scale: float = 1.0
    offset: tuple[float, ...] = ()
    fitted_on: str = ""

    def apply(self, logits: ArrayLike) -> NDArray[np.float32]:
        """Return calibrated probabilities (n, k) of logits (n, k)."""
        from scipy.special import softmax  # the first page must not wait for it

        logits = np.asarray(logits, np.float32)
        offset = np.asarray(self.offset or [0.0] * logits.shape[1], np.float32)
        return np.asarray(softmax(self.scale * logits + offset, axis=1), np.float32)


def fit_calibration(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    method: Literal["temperature", "platt"] = "temperature",
    fitted_on: str = "validation rows",
    smooth: bool = False,
) -> Calibration:
    """Fit a calibration by least negative log likelihood.

    Parameters
    ----------
    logits : (n, k)
        Of rows that the network was not trained on.
    labels : (n,)
        True label numbers.
    smooth : bool
        Aim at (n + 1) / (n + 2) for a label with n rows instead of at 1, so that rows that are told
        apart without error do not make the probabilities 0 and 1.

    References
    ----------
    Guo et al. 2017, ICML, On Calibration of Modern Neural Networks (temperature);
    Platt 1999, Advances in Large Margin Classifiers (scale, offset, and what is aimed at).
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    logits = np.asarray(logits, np.float64)
    k = logits.shape[1]
    aims = _aims(np.asarray(labels, np.int64), k, smooth=smooth)
    free_offsets = k - 1 if method == "platt" else 0

    def loss(parameters: NDArray[np.float64]) -> float:
        log_p = log_softmax(np.exp(parameters[0]) * logits + _offset(parameters, k, free_offsets), axis=1)
        return float(-(aims * log_p).sum(axis=1).mean())

    best = minimize(loss, np.zeros(1 + free_offsets), method="L-BFGS-B").x
    offset = _offset(best, k, free_offsets)
    return Calibration(
        method=method, scale=float(np.exp(best[0])), offset=tuple(offset.tolist()), fitted_on=fitted_on
    )


def _aims(labels: NDArray[np.int64], k: int, *, smooth: bool) -> NDArray[np.float64]:
    """Return the probability (n, k) that each row's labels are drawn to."""
    aims = np.eye(k)
    if smooth:
        counts = np.bincount(labels, minlength=k)
        miss = 1.0 / (counts + 2.0)
        aims = aims * (1.0 - miss)[:, None] + (1.0 - aims) * (miss / (k - 1))[:, None]
    return np.asarray(aims[labels], np.float64)


def _offset(parameters: NDArray[np.float64], k: int, free: int) -> NDArray[np.float64]:
    """Return an offset for each label; the first label's is 0, for only differences count."""
    return np.concatenate([[0.0], parameters[1:]]) if free else np.zeros(k)
