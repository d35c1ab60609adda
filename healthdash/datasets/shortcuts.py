"""What simple properties of files give away about their labels: a shortcut that a network would take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.tables.findings import Finding, Table
from healthdash.tables.kinds import profiles
from healthdash.tables.leaks import area, auc_of_each
from healthdash.training.splits import folds_by_group

from .items import Items
from .listing import LABEL
from .steps import ItemStep

__all__ = ["GROUP", "shortcuts", "table_of"]

GROUP = "group"
#: A single trait with this area under the curve, and lower end of its interval, is made by how files came
#: about; several together tell as much only where brightness and the like do.
_CERTAIN, _CERTAIN_LOW = 0.99, 0.95
_STRONG, _STRONG_LOW = 0.95, 0.9
_TOGETHER, _TOGETHER_LOW = 0.9, 0.85
_FOLDS = 4
_FEWEST_ITEMS, _FEWEST_GROUPS = 60, 10
_TREES, _SMALLEST_LEAF = 100, 3
_MOST_LABELS_TOLD = 4


def table_of(items: Items, columns: pd.DataFrame | None = None) -> Table:
    """Return items as a table of text: their labels, their groups if any are named, and more columns."""
    frame = pd.DataFrame({LABEL: items.frame[LABEL].to_numpy(), GROUP: items.groups})
    frame = frame if columns is None else pd.concat([frame, columns.reset_index(drop=True)], axis=1)
    found = {one.name: one for one in profiles(frame)}
    is_grouped = items.group is not None or items.together
    return Table(frame, found, LABEL, GROUP if is_grouped else None, unit=items.unit)


def shortcuts(items: Items) -> Iterator[Finding[ItemStep]]:
    """Yield traits of the files that tell labels apart, alone or together; usable items only."""
    survey = items.survey
    items = items.without(~items.is_usable)
    if len(items) < _FEWEST_ITEMS:
        return
    traits = survey.traits.iloc[items.files]
    table = table_of(items, traits)
    told = False
    for profile, auc, low in auc_of_each(table):
        if profile.name == GROUP or auc < _STRONG or low < _STRONG_LOW:
            continue
        told = True
        is_certain = auc >= _CERTAIN and low >= _CERTAIN_LOW
        yield Finding(
            "shortcut",
            "error" if is_certain else "warning",
            f"{profile.name} alone tells the labels apart (area under the curve {auc:.3f} on "
            f"{items.unit}s left out): {_differences(table, profile.name)}. A network may learn it, and be "
            "wrong elsewhere.",
            (profile.name,),
        )
    if not told:
        yield from _together(items)


def _together(items: Items) -> Iterator[Finding[ItemStep]]:
    statistics = items.survey.statistics[items.files]
    if not statistics.shape[1]:
        return
    found = _cross_fitted(statistics, items)
    if found is None or found[1] < _TOGETHER or found[2] < _TOGETHER_LOW:
        return
    label, auc, _ = found
    words = (
        "Simple figures of the whole, such as brightness, contrast and sharpness, are enough to tell "
        f"{label} from the rest (area under the curve {auc:.2f} on {items.unit}s left out). If they come "
        f"from how the {items.unit}s were made, a network that learns them is wrong elsewhere: measure it "
        f"on {items.unit}s of another place."
    )
    yield Finding("shortcut-together", "note", words)


def _cross_fitted(statistics: NDArray[np.float32], items: Items) -> tuple[str, float, float] | None:
    """Return the label that is told best, with its area under the curve and the lower end of the interval."""
    from sklearn.ensemble import RandomForestClassifier

    table = table_of(items)
    rows = table.sampled
    truth, groups = table.truth[rows], table.groups[rows]
    counts = {int(k): len(np.unique(groups[truth == k])) for k in np.unique(truth)}
    kept = np.isin(truth, [k for k, count in counts.items() if count >= _FEWEST_GROUPS])
    truth, groups, values = truth[kept], groups[kept], statistics[rows][kept]
    labels = np.unique(truth)
    if len(labels) < 2:
        return None
    scores = np.zeros((len(truth), len(labels)))
    for fold in folds_by_group(truth, groups, _FOLDS, seed=0):
        rest = np.setdiff1d(np.arange(len(truth)), fold)
        model = RandomForestClassifier(_TREES, min_samples_leaf=_SMALLEST_LEAF, random_state=0)
        scores[fold] = model.fit(values[rest], truth[rest]).predict_proba(values[fold])
    areas = [(table.labels[k], *area(truth == k, scores[:, n])) for n, k in enumerate(labels)]
    return max(areas, key=lambda one: one[1])


def _differences(table: Table, name: str) -> str:
    """Say what a trait is under each label: the median, or the commonest code with its share."""
    told = []
    for number, label in enumerate(table.labels[:_MOST_LABELS_TOLD]):
        rows = table.truth == number
        if table.profiles[name].is_number:
            told.append(f"{label} {np.nanmedian(table.numbers(name)[rows]):.4g}")
        else:
            counts = table.frame[name][rows].value_counts(normalize=True)
            told.append(f"{label} {counts.index[0]} in {counts.iloc[0]:.0%}")
    return ", ".join(told)
