"""A table once it was read: its text, the task's columns, and how the one became the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from healthdash.tables.layout import TextTable
from healthdash.task import Sample

from .matching import Matching

__all__ = ["TableSample"]


@dataclass(frozen=True, kw_only=True)
class TableSample(Sample):
    """A table, one patient or stay a row.

    Attributes
    ----------
    text : TextTable
        As the file holds it.
    frame : DataFrame
        The task's columns: float64 with NaN for gaps, or text with "" for gaps. Without the rows
        that are `refused`; the index is the row number in the file, from 0.
    problems : tuple of str
        What `validate` raises: what is wrong with the whole table, or with all of its rows.
    is_of_cells : bool
        The problems are of single cells; the columns are right.
    matching : Matching
        How the columns of the file became those of the task.
    """

    text: TextTable
    frame: pd.DataFrame
    problems: tuple[str, ...] = ()
    is_of_cells: bool = False
    matching: Matching = field(default_factory=Matching)
