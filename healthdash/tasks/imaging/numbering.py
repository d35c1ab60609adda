"""Figures by where patients stand in the published numbering.

Numbers follow the order of collection. Where two labels were taken in different ways in one part of it and
alike in another, that other part shows what a network can tell without the way in which they were taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from healthdash.bundles import BundleInfo
from healthdash.training.evaluation import MetricRow, metric_row
from healthdash.training.ranking import auc

from .dataset import LabelledPictures
from .measuring import one_against_another

__all__ = ["numbers", "rows_by_numbering"]

_QUARTERS = 4
_LAST_NUMBER = re.compile(r"(\d+)$")


def numbers(groups: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the number at the end of each group's name, -1 where there is none."""
    found = [_LAST_NUMBER.search(str(group)) for group in groups]
    return np.array([int(match.group(1)) if match else -1 for match in found], np.int64)


def rows_by_numbering(
    info: BundleInfo,
    judged: Mapping[str, NDArray[np.float32]],
    dataset: LabelledPictures,
    rows: NDArray[np.int64],
    *,
    part: str,
) -> list[MetricRow]:
    """Return how well two labels of a group are told apart in each quarter of their numbering.

    Parameters
    ----------
    judged : dict
        Probabilities float32 (len(rows), labels) of several models; the names go into the notes.
    rows : int64 (n,)
        What is measured. The quarters are those of all pictures of the two labels.

    Returns
    -------
    list of MetricRow
        None of a quarter without both labels, or of groups that are not numbered.
    """
    number, found = numbers(dataset.groups), []
    for name in info.label_groups:
        members = info.members(name)
        own = np.isin(dataset.labels, members)
        if len(members) != 2 or (number[own] < 0).any():
            continue
        for low, high in _quarters(number[own]):
            inside = own[rows] & (number[rows] >= low) & (number[rows] <= high)
            note = f"patients numbered {low:,} to {high:,}"
            truth = dataset.labels[rows], dataset.groups[rows]
            found += _rows(info, members, judged, truth, inside, part=part, note=note)
    return found


def _quarters(number: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the first and the last number of each quarter; no number is in two."""
    last = np.quantile(number, np.linspace(0, 1, _QUARTERS + 1)[1:], method="lower").astype(int).tolist()
    return list(zip([int(number.min()), *(end + 1 for end in last[:-1])], last, strict=True))


def _rows(
    info: BundleInfo,
    members: Sequence[int],
    judged: Mapping[str, NDArray[np.float32]],
    truth: tuple[NDArray[np.int64], NDArray[np.str_]],
    inside: NDArray[np.bool_],
    *,
    part: str,
    note: str,
) -> list[MetricRow]:
    """Return a row for each model, of the pictures inside a quarter."""
    first, second = members
    labels, groups = truth[0][inside], truth[1][inside]
    if len(np.unique(labels)) < 2:
        return []
    return [
        metric_row(
            f"{info.labels[first]} against {info.labels[second]} AUC",
            auc,
            labels == second,
            one_against_another(probabilities[inside], first, second),
            groups,
            part=part,
            note=f"{note}; {model}" if model else note,
        )
        for model, probabilities in judged.items()
    ]
