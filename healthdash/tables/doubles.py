"""Rows that are the same or nearly so, beyond what chance gives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .findings import Finding, Remedy, Table
from .kinds import is_gap
from .steps import DropDuplicates

__all__ = ["doubles"]

_LARGEST_BUCKET = 40
#: Pairs must be this many times more than chance would give.
_BEYOND_CHANCE = 10
_FEWEST_COLUMNS = 4


def doubles(table: Table) -> Iterator[Finding]:
    """Yield rows that are there twice, and rows of different groups that differ in one column at most.

    In a table of few codes rows meet by chance; how often is reckoned from how common each value is,
    as if columns were independent, and only far more than that is told.
    """
    columns = [one.name for one in table.inputs if one.kind not in ("empty", "identifier")]
    if len(columns) < _FEWEST_COLUMNS or len(table.frame) < 2:
        return
    codes = np.stack([_codes(table, name) for name in columns], axis=1)
    chance = np.log([_chance(codes[:, place]) for place in range(len(columns))])
    pairs = len(codes) * (len(codes) - 1) / 2
    exact = pd.Series(_alike(codes)).duplicated().to_numpy(bool)
    if exact.sum() > 1 + _BEYOND_CHANCE * pairs * float(np.exp(chance.sum())):
        yield _exact(table, codes, exact)
    # One column may differ: the likeliest of the ways in which all others agree by chance.
    expected = pairs * float(np.exp(chance.sum() - chance).sum())
    if len(columns) < 2 * _FEWEST_COLUMNS:
        return
    near = _near_pairs(codes[~exact], table.groups[~exact])
    if len(near) > 1 + _BEYOND_CHANCE * expected:
        whose = "different groups" if table.group else "the table"
        words = (
            f"{len(near):,} pairs of rows of {whose} differ in one column only, far more than chance gives: "
            "perhaps one patient twice. A split puts such pairs on both sides."
        )
        yield Finding("near-duplicates", "warning", words)


def _exact(table: Table, codes: NDArray[np.int64], repeated: NDArray[np.bool_]) -> Finding:
    together = _alike(codes)
    labels = pd.Series(table.truth).groupby(together).nunique()
    across = pd.Series(table.groups).groupby(together).nunique() if table.group else labels * 0
    words = f"{int(repeated.sum()):,} rows repeat another one in every column."
    if (labels > 1).any():
        words += f" {int((labels > 1).sum()):,} of these sets have different outcomes."
    if (across > 1).any():
        words += f" {int((across > 1).sum()):,} sets lie in different groups, so a split by group leaks them."
    but_for = tuple(
        name for name, one in table.profiles.items() if one.kind == "identifier" or name == table.group
    )
    drop = Remedy("Keep one of each", (DropDuplicates(but_for=but_for),), True)
    return Finding("duplicates", "warning", words, (), (drop,))


def _codes(table: Table, name: str) -> NDArray[np.int64]:
    text = table.frame[name]
    codes, different = pd.factorize(text)
    cells = pd.Series([*different, ""], dtype=object)
    plain = pd.factorize(cells.str.lower().where(~is_gap(cells), ""))[0]
    return np.asarray(plain[codes], np.int64)


def _chance(codes: NDArray[np.int64]) -> float:
    """Return how likely two rows drawn at random agree in a column."""
    shares = np.bincount(codes) / len(codes)
    return float((shares**2).sum())


def _alike(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a number (n,) for each row that is the same for equal rows only."""
    together = np.zeros(len(codes), np.int64)
    for column in codes.T:
        # Both are smaller than the number of rows, so that no two pairs meet.
        pairs = together * (int(column.max(initial=0)) + 1) + column
        together = np.asarray(pd.factorize(pairs)[0], np.int64)
    return together


def _buckets(numbers: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each number that a few rows share."""
    order = np.argsort(numbers, kind="stable")
    counts = np.bincount(numbers)
    ends = np.cumsum(counts)
    for number in np.flatnonzero((counts > 1) & (counts <= _LARGEST_BUCKET)):
        yield order[ends[number] - counts[number] : ends[number]]


def _near_pairs(codes: NDArray[np.int64], groups: NDArray[np.int64]) -> set[tuple[int, int]]:
    """Return pairs of rows of different groups that differ in one column at most.

    Such a pair agrees in all columns of one half, so only rows of one bucket are compared.
    """
    found: set[tuple[int, int]] = set()
    halves = np.array_split(np.arange(codes.shape[1]), 2)
    for half in halves:
        for rows in _buckets(_alike(codes[:, half])):
            differ = (codes[rows][:, None] != codes[rows][None]).sum(axis=2)
            apart = groups[rows][:, None] != groups[rows][None]
            for i, j in np.argwhere((differ <= 1) & apart):
                if i < j:
                    found.add((int(rows[i]), int(rows[j])))
    return found
