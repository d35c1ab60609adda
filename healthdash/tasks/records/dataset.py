"""Labelled tables: rows, their classes, and the patients that must stay in one part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InputError, InvalidInput
from healthdash.fields import Field
from healthdash.tables.layout import TextTable
from healthdash.tables.mapped import mapped
from healthdash.tables.mapping import propose
from healthdash.tables.read import canonical
from healthdash.training import TrainSettings

from .columns import match_columns, shortened, type_columns, with_row_numbers

if TYPE_CHECKING:
    from .task import RecordsTask

__all__ = ["Dataset", "load"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled rows of one task.

    Attributes
    ----------
    frame : DataFrame, n rows
        Typed columns of the task.
    truth : int64 (n,)
        Label numbers.
    groups : object (n,)
        Patient of each row; the row number where each row is a patient.
    subgroups : DataFrame, n rows
        Text columns by which the evaluation is broken down.
    site : str
        Where the rows come from, for people.
    external : tuple of Dataset
        Rows of other sites, for testing only.
    """

    frame: pd.DataFrame
    truth: NDArray[np.int64]
    groups: NDArray[np.object_]
    subgroups: pd.DataFrame
    site: str = ""
    external: tuple[Dataset, ...] = ()

    def __len__(self) -> int:
        return len(self.truth)

    def rows(self, which: NDArray[np.int64]) -> Dataset:
        """Return the rows of these numbers."""
        return Dataset(
            self.frame.iloc[which].reset_index(drop=True),
            self.truth[which],
            self.groups[which],
            self.subgroups.iloc[which].reset_index(drop=True),
            self.site,
        )


def load(task: RecordsTask, path: Path, settings: TrainSettings) -> Dataset:
    """Read a labelled table; of a folder, the task's training file and all others as external.

    Raises
    ------
    InvalidInput
        A column is missing (the target too), or a value breaks its field.
    """
    main, *others = task.data_files(path)
    external = tuple(_one(task, file, settings) for file in others)
    first = _one(task, main, settings)
    return Dataset(first.frame, first.truth, first.groups, first.subgroups, first.site, external)


def _one(task: RecordsTask, file: Path, settings: TrainSettings) -> Dataset:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"the data cannot be opened: {error.strerror}", hint="Check --data.") from error
    text = task.read_text(data)
    sample, _ = task.sample_of(text, file.name)
    target = _column(text.frame, settings.target or task.target)
    group = settings.group or task.group_column
    # To leave out rows here would quietly change who is in the data.
    problems = [*sample.problems, *shortened(with_row_numbers(sample.refused))]
    if target is None:
        problems.append(f"missing column: {settings.target or task.target}, the one to predict")
    if group and _column(text.frame, group) is None:
        problems.append(f"missing column: {group}, the patient of each row")
    codes = _other_codes(task, text)
    if problems or codes:
        raise InvalidInput([*problems, *codes], hint=_hint(problems, codes))
    assert target is not None
    named = _column(text.frame, group) if group else None
    groups = np.arange(len(text.frame)).astype(object) if named is None else named.to_numpy(object)
    subgroups = _typed(text.frame, task.subgroup_fields)
    return Dataset(sample.frame, task.truth(target), groups, subgroups, task.site_of(file))


def _other_codes(task: RecordsTask, text: TextTable) -> list[str]:
    """Say that the codes may not be those of the task: labels learnt or judged with others mean nothing."""
    asked = task.coding_question(mapped(text, task.fields, propose(text.frame, task.fields)))
    return [f"{asked.found}; labelled rows must be in the codes of the task"] if asked else []


def _hint(problems: Sequence[str], codes: Sequence[str]) -> str:
    """Return what to do next: no command on labelled data takes a mapping, so that the table must change."""
    hints = []
    if any(one.startswith("missing column") for one in problems):
        hints.append("Give a table with all columns, the target included.")
    elif problems:
        hints.append("Correct what is named here, or leave these rows out.")
    if codes:
        hints.append(
            "Write these columns in the codes that docs/records.md lists, then give the table again."
        )
    return " ".join(hints)


def _typed(frame: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Return those of the fields that the table has."""
    places, _ = match_columns(list(frame.columns), fields)
    columns = {name: frame.iloc[:, at] for name, at in places.items()}
    return type_columns(columns, [f for f in fields if f.name in places], len(frame)).frame


def _column(frame: pd.DataFrame, name: str) -> pd.Series | None:
    wanted = canonical(name)
    place = next((i for i, column in enumerate(frame.columns) if canonical(str(column)) == wanted), None)
    return None if place is None else frame.iloc[:, place]
