"""Columns that give the answer away, and groups that a random split would tear apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, rankdata

from healthdash.training.splits import folds_by_group

from .findings import Finding, Remedy, Table
from .kinds import Profile, is_gap
from .layout import canonical
from .names import is_bare_id, may_name_people, names_patients, names_people, names_stays
from .steps import DropColumns, GroupBy

__all__ = ["answers", "area", "auc_of_each", "groups_torn", "missing_by_label", "names", "told_beside"]

#: A single column with this area under the curve, or a little less, is rarely known beforehand.
_CERTAIN, _CERTAIN_LOW = 0.99, 0.95
_STRONG, _STRONG_LOW = 0.95, 0.92
_FOLDS = 5
_FEWEST = 5
#: Rows of one value, in the mean: what has more is rather a code or a place than a patient.
_MOST_ROWS_OF_ONE = 50
_LEAST_DIFFERENCE, _LARGEST_P = 0.25, 1e-4
_EVENT = re.compile(r"death|dead|died|event|surviv|mortal|censor|relapse|status|recur|readmi", re.I)
_FOLLOW_UP = re.compile(
    r"^(?:[rd]?_?time|days?|months?|years?|follow_?up\w*|fu_?(?:time|days|months)?|futime|tte|time_?to_?\w+|"
    r"(?:\w+_)?length_?of_?stay\w*|\w*_?los(?:_?days)?|"
    r"(?:os|pfs|dfs|rfs|survival)_?(?:time|days|months|years)?)$",
    re.I,
)


def answers(table: Table) -> Iterator[Finding]:
    """Yield columns of which each alone tells the labels apart almost without error."""
    for profile, auc, low in auc_of_each(table):
        name = profile.name
        drop = DropColumns(columns=(name,))
        if auc >= _CERTAIN and low >= _CERTAIN_LOW:
            words = (
                f"{name} alone gives the outcome away (area under the curve {auc:.3f} on rows left out). "
                "It is most likely a copy of the outcome, or was written down after it."
            )
            yield Finding(
                "gives-the-answer", "error", words, (name,), (Remedy("Leave the column out", (drop,), True),)
            )
        elif auc >= _STRONG and low >= _STRONG_LOW:
            words = (
                f"{name} alone tells the labels nearly apart (area under the curve {auc:.3f} on rows left "
                "out). Keep it only if it is known before the outcome."
            )
            yield Finding(
                "nearly-gives-the-answer",
                "warning",
                words,
                (name,),
                (Remedy("Leave the column out", (drop,)),),
            )


def auc_of_each(table: Table) -> Iterator[tuple[Profile, float, float]]:
    """Yield each input column with the area under the curve of a small model of it alone.

    The model (a tree of depth 3 for numbers, the share of labels at each code otherwise; a gap is a
    value too) is fitted on four fifths of the groups and asked about the last one. Of several labels
    the one that is told apart best counts, against the rest.

    Yields
    ------
    profile, auc, low
        `low` is the lower end of the 95 % interval.

    References
    ----------
    Hanley & McNeil 1982, Radiology 143:29, for the interval.
    """
    rows = table.sampled
    truth, groups = table.truth[rows], table.groups[rows]
    fewest = [len(np.unique(groups[truth == label])) for label in np.unique(truth)]
    if len(fewest) < 2 or sorted(fewest)[-2] < _FEWEST:
        return
    enough = np.isin(truth, np.unique(truth)[np.asarray(fewest) >= _FEWEST])
    rows, truth, groups = rows[enough], truth[enough], groups[enough]
    folds = folds_by_group(truth, groups, _FOLDS, seed=table.seed)
    for profile in table.inputs:
        if profile.kind in ("empty", "free text") or profile.distinct < 1:
            continue
        if profile.kind == "identifier" and profile.distinct > 0.5 * profile.known:
            continue
        scores = _left_out(table, profile, rows, truth, folds)
        yield profile, *max(area(truth == label, scores[:, label]) for label in np.unique(truth))


def names(table: Table) -> Iterator[Finding]:
    """Yield columns that are named like the outcome, and follow-up times of an event."""
    target = canonical(table.target)
    for profile in table.inputs:
        name, plain = profile.name, canonical(profile.name)
        # What was written down beside the outcome was written down when that was known.
        is_beside = name in table.outcomes
        drop = (Remedy("Leave the column out", (DropColumns(columns=(name,)),), is_beside),)
        if _is_alike(target, plain):
            words = f"{name} is named like the outcome {table.target}: is it known before the outcome?"
            yield Finding("named-like-the-outcome", "warning", words, (name,), drop)
        elif (
            _EVENT.search(table.target)
            and _FOLLOW_UP.match(name.strip().replace(".", "_"))
            and profile.is_number
        ):
            words = (
                f"{name} looks like the time until the outcome or the end of the study. It is known only "
                f"when the outcome is, so a model that is to foretell {table.target} must not have it."
            )
            yield Finding("follow-up-time", "warning", words, (name,), drop)


def told_beside(table: Table, told: Collection[str]) -> Iterator[Finding]:
    """Yield the columns of a table of outcomes that nothing else was found about."""
    beside = [one.name for one in table.inputs if one.name in table.outcomes and one.name not in told]
    if beside:
        words = (
            f"{', '.join(beside)} stand beside {table.target} in the table of outcomes. Keep them only if "
            "they are known when the model is asked."
        )
        drop = Remedy("Leave these columns out", (DropColumns(columns=tuple(beside)),))
        yield Finding("told-beside-the-outcome", "warning", words, tuple(beside), (drop,))


def missing_by_label(table: Table) -> Iterator[Finding]:
    """Yield columns that are missing far more often under one label than under another."""
    rows = table.sampled
    truth = table.truth[rows]
    for profile in table.inputs:
        if not 0 < profile.missing < profile.rows:
            continue
        gap = is_gap(table.frame[profile.name])[rows]
        counts = np.array(
            [[int((gap[truth == k]).sum()), int((~gap[truth == k]).sum())] for k in np.unique(truth)]
        )
        counts = counts[counts.sum(axis=1) >= _FEWEST]
        if len(counts) < 2 or not counts.sum(axis=0).all():
            continue
        shares = counts[:, 0] / counts.sum(axis=1)
        if np.ptp(shares) < _LEAST_DIFFERENCE or chi2_contingency(counts)[1] > _LARGEST_P:
            continue
        words = (
            f"{profile.name} is missing in {shares.max():.0%} of the rows of one label and in "
            f"{shares.min():.0%} of another: that it was not measured says something of the outcome here, "
            "and may not elsewhere."
        )
        drop = Remedy("Leave the column out", (DropColumns(columns=(profile.name,)),))
        yield Finding("missing-by-label", "warning", words, (profile.name,), (drop,))


def groups_torn(table: Table) -> Iterator[Finding]:
    """Yield the column of patients, where one has several rows that a random split would tear apart."""
    if table.group is not None:
        return
    people = [one for one in table.inputs if one.kind == "identifier" and one.known and _is_of_people(one)]
    found = [
        one for one in people if one.distinct < 0.98 * one.known and not _numbers_within(one, people, table)
    ]
    # A patient has several stays: the coarsest column of patients keeps most together.
    found.sort(key=lambda one: (not names_patients(one.name), names_stays(one.name), one.distinct))
    for profile in found[:1]:
        words = (
            f"{profile.name} names {profile.distinct:,} patients or stays in {profile.known:,} rows. A "
            "random split would put rows of one on both sides, and the figures would be too good."
        )
        split = Remedy(f"Split by {profile.name}", (GroupBy(column=profile.name),), True)
        yield Finding("groups-torn", "error", words, (profile.name,), (split,))


def _is_of_people(profile: Profile) -> bool:
    """Say whether an identifier that repeats is that of patients or stays, by its name and its values."""
    has_few_rows_each = profile.known <= _MOST_ROWS_OF_ONE * profile.distinct
    is_named = names_people(profile.name) or is_bare_id(profile.name)
    return is_named or (may_name_people(profile.name) and has_few_rows_each)


def _numbers_within(profile: Profile, people: Sequence[Profile], table: Table) -> bool:
    """Say whether a bare id numbers the visits of people whom another column names."""
    if not is_bare_id(profile.name):
        return False
    others = [one.name for one in people if one is not profile and not names_stays(one.name)]
    ids = table.frame[profile.name]
    return any(
        names_patients(name) or ids.groupby(table.frame[name].to_numpy()).nunique().max() > 1
        for name in others
    )


def _left_out(
    table: Table,
    profile: Profile,
    rows: NDArray[np.int64],
    truth: NDArray[np.int64],
    folds: list[NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return scores (n, labels) of each row from a model without its fold."""
    scores = np.zeros((len(rows), len(table.labels)))
    is_number = profile.is_number
    text = table.frame[profile.name].iloc[rows]
    values = table.numbers(profile.name)[rows] if is_number else _codes(text)
    for fold in folds:
        kept = np.ones(len(rows), bool)
        kept[fold] = False
        fitted = _tree(values, truth, kept) if is_number else _shares(values, truth, kept)
        scores[np.ix_(fold, np.unique(truth[kept]))] = fitted[fold]
    return scores


def _codes(text: pd.Series) -> NDArray[np.float64]:
    codes, different = pd.factorize(text)
    cells = pd.Series([*different, ""], dtype=object)
    plain = pd.factorize(cells.str.strip().str.lower().where(~is_gap(cells), ""))[0]
    return np.asarray(plain[codes], np.float64)


def _tree(
    values: NDArray[np.float64], truth: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    from sklearn.tree import DecisionTreeClassifier

    leaf = max(_FEWEST, len(values) // 200)
    gap = np.isnan(values)
    table = np.stack([np.where(gap, 0.0, values), gap], axis=1)
    model = DecisionTreeClassifier(max_depth=3, min_samples_leaf=leaf, random_state=0)
    return np.asarray(model.fit(table[kept], truth[kept]).predict_proba(table), np.float64)


def _shares(
    values: NDArray[np.float64], truth: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the share of each label at a row's code, drawn to that of all rows as if by two more."""
    labels, numbers = np.unique(truth[kept], return_inverse=True)
    codes = values.astype(np.int64)
    counts = np.zeros((int(codes.max()) + 1, len(labels)))
    np.add.at(counts, (codes[kept], numbers), 1)
    overall = counts.sum(axis=0) / counts.sum()
    shares = (counts + 2 * overall) / (counts.sum(axis=1, keepdims=True) + 2)
    return np.asarray(shares[codes], np.float64)


def area(is_label: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[float, float]:
    """Return the area under the curve of scores (n,), and the lower end of its 95 % interval.

    References
    ----------
    Hanley & McNeil 1982, Radiology 143:29.
    """
    n, m = int(is_label.sum()), int((~is_label).sum())
    found = float((rankdata(score)[is_label].sum() - n * (n + 1) / 2) / (n * m))
    q1, q2 = found / (2 - found), 2 * found * found / (1 + found)
    variance = (found * (1 - found) + (n - 1) * (q1 - found**2) + (m - 1) * (q2 - found**2)) / (n * m)
    return found, found - 1.96 * max(variance, 0.0) ** 0.5


def _is_alike(target: str, name: str) -> bool:
    """Say whether two plain names share most of the shorter one, and enough of it to mean something."""
    if re.sub(r"\d", "", target) == re.sub(r"\d", "", name):
        return False  # one of a row of numbered columns
    if len(target) < 4 or len(name) < 4:
        return False
    match = SequenceMatcher(None, target, name, autojunk=False).find_longest_match()
    return match.size >= max(4, 0.7 * min(len(target), len(name)), 0.5 * len(target))
