"""Measure a table model: discrimination, calibration, decisions, subgroups; two labels or more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from healthdash.training.evaluation import (
    Evaluation,
    MetricRow,
    confusion,
    curve_points,
    metric_row,
    rate_row,
    reliability_bins,
)
from healthdash.training.ranking import auc, average_precision, separation
from healthdash.training.scores import brier

from .many import decisions_of_many, measures_of_many
from .prepare import band_middles, features

if TYPE_CHECKING:
    from healthdash.bundles import Bundle, BundleInfo

    from .dataset import Dataset

__all__ = [
    "Scored",
    "calibration_line",
    "evaluate",
    "evaluation_of",
    "measures",
    "subgroup_rows",
]

#: A subgroup with fewer rows of either class gets no figure: its interval would span everything.
_FEWEST = 20
_AGE_BANDS = (0, 50, 60, 70, 200)
_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows with what the model gave them.

    Attributes
    ----------
    data : Dataset
    probability : float (n, k)
        Calibrated, labels in the network's order.
    part : str
        Where the rows come from, as it stands in the card.
    """

    data: Dataset
    probability: NDArray[np.float32]
    part: str

    @property
    def positive(self) -> NDArray[np.float64]:
        """Estimated probability of the second label, (n,)."""
        return np.asarray(self.probability[:, 1], np.float64)

    @property
    def ranking(self) -> NDArray[np.float64]:
        """What ranks the rows: `positive` (n,) of two labels, the probabilities (n, k) of more."""
        return self.positive if self.probability.shape[1] == 2 else np.asarray(self.probability, np.float64)


def evaluate(bundle: Bundle, dataset: Dataset) -> Evaluation:
    """Measure a saved bundle on labelled rows."""
    inputs = {"features": features(dataset.frame, bundle.info.preprocessing)}
    scored = Scored(dataset, bundle.forward.probabilities(inputs), dataset.site or "the given table")
    return evaluation_of(scored, bundle.info, split_rule="Measured on a table given by the user.", counts={})


def evaluation_of(
    scored: Scored, info: BundleInfo, *, split_rule: str, counts: dict[str, int], site: str = ""
) -> Evaluation:
    """Return everything measured on one set of rows."""
    truth, decided = scored.data.truth, info.decide(scored.probability)
    # Of two labels the second says all; of more each is drawn against the rest.
    shown = (1,) if len(info.labels) == 2 else range(len(info.labels))
    seen = [k for k in shown if 0 < (truth == k).sum() < len(truth)]
    curves = {k: curve_points(truth == k, scored.probability[:, k]) for k in seen}
    figures = measures(scored, site) if len(info.labels) == 2 else measures_of_many(scored, info.labels, site)
    decisions = _decisions if len(info.labels) == 2 else decisions_of_many
    return Evaluation(
        split_rule=split_rule,
        counts=counts or {"rows": len(scored.data), "patients": len(np.unique(scored.data.groups))},
        metrics=(*figures, *decisions(scored, decided, site, _rule(info))),
        roc={info.labels[k]: roc for k, (roc, _) in curves.items()},
        precision_recall={info.labels[k]: line for k, (_, line) in curves.items()},
        reliability={
            info.labels[k]: reliability_bins(truth == k, scored.probability[:, k], scored.data.groups)
            for k in curves
        },
        confusion=confusion(info.labels, truth, decided),
        subgroups=tuple(subgroup_rows(scored)),
    )


def measures(scored: Scored, site: str = "") -> Iterator[MetricRow]:
    """Yield the figures that need no threshold, with 95 % bootstrap intervals over patients."""
    slope_note = "1 is right; below 1 the estimates are too extreme"
    for name, score, note in (
        ("AUC", auc, ""),
        ("average precision", average_precision, f"prevalence {scored.data.truth.mean():.3f}"),
        ("Brier score", brier, "smaller is better"),
        ("calibration slope", lambda y, p: calibration_line(y, p)[0], slope_note),
        (
            "calibration in the large",
            lambda y, p: float(y.mean() - p.mean()),
            "observed minus estimated; 0 is right",
        ),
    ):
        draws = 200 if name == "calibration slope" else _DRAWS
        yield metric_row(
            name + site,
            score,
            scored.data.truth,
            scored.positive,
            scored.data.groups,
            part=scored.part,
            note=note,
            draws=draws,
        )


def calibration_line(truth: NDArray[np.int64], probability: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and intercept of the logistic regression of truth on the estimated log-odds.

    References
    ----------
    Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC Medicine 17:230.
    """
    log_odds = logit(np.clip(probability, 1e-6, 1 - 1e-6))

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = line[0] * log_odds + line[1]
        error = expit(z) - truth
        return float(np.mean(np.logaddexp(0, z) - truth * z)), np.array(
            [np.mean(error * log_odds), np.mean(error)]
        )

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return float(slope), float(intercept)


def subgroup_rows(scored: Scored) -> Iterator[MetricRow]:
    """Yield the AUC of each subgroup that is large enough, by sex, age and the data's own columns."""
    for name, members in _subgroups(scored.data):
        rows = np.flatnonzero(members)
        truth = scored.data.truth[rows]
        if np.bincount(truth, minlength=scored.probability.shape[1]).min() < _FEWEST:
            continue
        is_two = scored.probability.shape[1] == 2
        estimate = f"prevalence {truth.mean():.3f}, mean estimate {scored.positive[rows].mean():.3f}"
        yield metric_row(
            f"AUC, {name}",
            separation,
            truth,
            scored.ranking[rows],
            scored.data.groups[rows],
            part=scored.part,
            note=estimate if is_two else "mean over labels, each against the rest",
            draws=500,
        )


def _subgroups(data: Dataset) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    frame = data.frame
    for column, names in (
        ("sex", {"0": "female", "1": "male"}),
        ("gender", {"Female": "female", "Male": "male"}),
    ):
        if column in frame and column not in data.subgroups:
            yield from (
                (f"{column} {name}", (frame[column] == code).to_numpy()) for code, name in names.items()
            )
    if "age" in frame:
        ages = frame["age"] if frame["age"].dtype.kind == "f" else pd.Series(band_middles(frame["age"]))
        for low, high in pairwise(_AGE_BANDS):
            name = (
                f"age under {high}"
                if not low
                else f"age {low} and over"
                if high > 150
                else f"age {low} to {high - 1}"
            )
            yield name, ((ages >= low) & (ages < high)).to_numpy()
    for column in map(str, data.subgroups):
        for value in sorted(set(data.subgroups[column]) - {""}):
            yield f"{column} {value}", (data.subgroups[column] == value).to_numpy()


def _rule(info: BundleInfo) -> str:
    return "at the operating point" if info.operating_points else "the more likely label"


def _decisions(scored: Scored, decided: NDArray[np.int64], site: str, note: str) -> Iterator[MetricRow]:
    """Yield what the operating point gives; sensitivity and specificity are of the second label."""
    truth, groups = scored.data.truth, scored.data.groups
    right, every = decided == truth, np.ones(len(truth), bool)
    for name, rows in (("sensitivity", truth == 1), ("specificity", truth == 0), ("accuracy", every)):
        yield rate_row(name + site, right[rows], groups[rows], part=scored.part, note=note)
