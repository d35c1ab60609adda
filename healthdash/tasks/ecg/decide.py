"""From logits to labels: calibration, and the probabilities from which V and S are decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.bundles import OperatingPoint
from healthdash.training.calibration import Calibration, fit_calibration

from .examples import LABELS

__all__ = ["Decision", "fit_decision"]

_NOT_COUNTED = {"V": ("F", "Q"), "S": ("Q",)}
# How much more a missed beat weighs than a false one: S are missed more easily than V.
_BETA = {"V": 1.0, "S": 1.5}


@dataclass(frozen=True, slots=True)
class Decision:
    """How logits become labels: calibration, and the probability from which V and S are decided."""

    calibration: Calibration
    points: tuple[OperatingPoint, ...]

    def labels(self, logits: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the decided label number of each row, as the bundle would."""
        probabilities = self.calibration.apply(logits)
        rest = [i for i, label in enumerate(LABELS) if label not in {p.label for p in self.points}]
        decided = np.asarray(rest)[probabilities[:, rest].argmax(axis=1)]
        for point in reversed(self.points):
            number = LABELS.index(point.label)
            decided = np.where(probabilities[:, number] >= point.threshold, number, decided)
        return np.asarray(decided, np.int64)


def fit_decision(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Decision:
    """Fit the calibration, and the thresholds of V and S, on beats of left-out recordings."""
    known = labels >= 0
    calibration = fit_calibration(
        logits[known], labels[known], method="platt", fitted_on="beats of recordings left out of the training"
    )
    probabilities = calibration.apply(logits)
    points = []
    for label in ("V", "S"):
        number = LABELS.index(label)
        if not (labels == number).any():
            continue
        # EC57 does not count it as wrong when a fusion or unknown beat is called V.
        counted = ~np.isin(labels, [-2, *(LABELS.index(other) for other in _NOT_COUNTED[label])])
        beta = _BETA[label]
        threshold = _best_f(labels[counted] == number, probabilities[counted, number], beta)
        rule = f"best F score (beta {beta:g}) on recordings left out"
        points.append(OperatingPoint(label=label, threshold=threshold, rule=rule))
    return Decision(calibration, tuple(points))


def _best_f(truth: NDArray[np.bool_], scores: NDArray[np.float32], beta: float) -> float:
    """Return the threshold with the best F score (van Rijsbergen 1979, Information Retrieval, chapter 7)."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(truth[order])
    weight = beta * beta
    f = (1 + weight) * right / (np.arange(1, len(order) + 1) + weight * truth.sum())
    return float(scores[order[int(f.argmax())]])
