"""Splits that keep a group (a patient, a record, near-duplicates) in one part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from healthdash.errors import TooLittleData

__all__ = ["Split", "folds_by_group", "folds_by_neighbours", "split_by_group"]

Indices = NDArray[np.int64]
# scikit-learn's cutter weighs every group against every fold in Python: a minute for 60,000.
_MANY_GROUPS = 10_000
#: How often groups are dealt anew where a part lacks a label.
_DEALS = 10


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of each part; no group is in two of them."""

    train: Indices
    validation: Indices
    test: Indices


def folds_by_group(labels: ArrayLike, groups: ArrayLike, n_folds: int, *, seed: int) -> list[Indices]:
    """Cut rows into folds of about equal label frequencies, groups kept whole.

    Parameters
    ----------
    labels : (n,)
        Class of each row.
    groups : (n,)
        Rows of one group go to one fold.

    Returns
    -------
    list of int64 arrays
        The rows of each fold; every row is in exactly one.

    Raises
    ------
    TooLittleData
        A class has fewer groups than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # the first page must not wait for it

    labels, groups = np.asarray(labels), np.asarray(groups)
    _check_enough(labels, groups, n_folds)
    if len(np.unique(groups)) > _MANY_GROUPS:
        return _dealt(labels, groups, n_folds, seed)
    cutter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return [test.astype(np.int64) for _, test in cutter.split(labels, labels, groups)]


def split_by_group(
    labels: ArrayLike, groups: ArrayLike, *, seed: int, validation: int = 1, test: int = 1, parts: int = 7
) -> Split:
    """Cut rows into train, validation and test; `validation` and `test` count parts of `parts`.

    Where rows are cut evenly and a part lacks a label, as one group holds most rows of it, the groups
    are dealt evenly in the place of the rows.

    Raises
    ------
    TooLittleData
        A class has fewer groups than there are parts, or a part without it was left each time.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    split = _joined(folds_by_group(labels, groups, parts, seed=seed), validation, test)
    for deal in range(_DEALS):
        if not _lacking(labels, split):
            return split
        folds = _dealt(_by_rarity(labels, groups), groups, parts, seed + deal)
        split = _joined(folds, validation, test)
    if lacking := _lacking(labels, split):
        raise TooLittleData(
            f"expected every class in every part of the split, got {'; '.join(lacking)}",
            hint="Add patients of these classes, or train with folds in the place of a split.",
        )
    return split


def folds_by_neighbours(labels: ArrayLike, groups: ArrayLike, n_folds: int) -> list[Indices]:
    """Cut the rows of each label into as many runs of neighbours, groups kept whole.

    For files that name no patient but are numbered one patient after another: a run cuts through a
    patient at its two ends only.

    Returns
    -------
    list of int64 arrays
        The rows of each fold; every row is in exactly one. A group lies where most of its rows would.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    fold = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[rows] = np.arange(len(rows)) * n_folds // len(rows)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        fold[rows] = np.bincount(fold[rows]).argmax()
    return [np.flatnonzero(fold == number) for number in range(n_folds)]


def _dealt(
    labels: NDArray[np.generic], groups: NDArray[np.generic], n_folds: int, seed: int
) -> list[Indices]:
    """Deal shuffled groups to the folds in turn, those of each label apart; quick and even for many."""
    names, codes = np.unique(groups, return_inverse=True)
    # The largest label number of a group: the rarer class, where there are two.
    _, label_codes = np.unique(labels, return_inverse=True)
    kind = np.zeros(len(names), np.int64)
    np.maximum.at(kind, codes, label_codes)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(kind[order], kind="stable")]
    fold = np.empty(len(names), np.int64)
    fold[order] = np.arange(len(names)) % n_folds
    return [np.flatnonzero(fold[codes] == number).astype(np.int64) for number in range(n_folds)]


def _joined(folds: Sequence[Indices], validation: int, test: int) -> Split:
    cut = test + validation
    return Split(
        train=np.sort(np.concatenate(folds[cut:])),
        validation=np.sort(np.concatenate(folds[test:cut])),
        test=np.sort(np.concatenate(folds[:test])),
    )


def _lacking(labels: NDArray[np.generic], split: Split) -> list[str]:
    """Return in words which parts lack which labels."""
    parts = {"training": split.train, "validation": split.validation, "test": split.test}
    return [
        f"no {label} in the {name} part"
        for name, rows in parts.items()
        for label in np.setdiff1d(labels, labels[rows])
    ]


def _by_rarity(labels: NDArray[np.generic], groups: NDArray[np.generic]) -> Indices:
    """Return labels as numbers (n,), the larger the fewer groups have them."""
    names, codes = np.unique(labels, return_inverse=True)
    counts = np.array([len(np.unique(groups[codes == code])) for code in range(len(names))])
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(names))
    return np.asarray(rank[codes], np.int64)


def _check_enough(labels: NDArray[np.generic], groups: NDArray[np.generic], needed: int) -> None:
    classes = np.unique(labels)
    if len(classes) < 2:
        raise TooLittleData("expected at least two classes, got one", hint="Add examples of another class.")
    short: Sequence[str] = [
        f"{label}: {len(np.unique(groups[labels == label]))} of {needed} groups"
        for label in classes
        if len(np.unique(groups[labels == label])) < needed
    ]
    if short:
        raise TooLittleData(
            f"each class must come from at least {needed} patients or groups; {', '.join(short)}",
            hint="Add patients of these classes, or lower the number of folds.",
        )
