"""Read a user's labelled table: mend it by recorded steps, and find the question that it poses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, TooLittleData
from healthdash.tables.cleaning import Cleaning
from healthdash.tables.coding import plain_code
from healthdash.tables.find_events import with_events
from healthdash.tables.findings import Finding, stopping
from healthdash.tables.kinds import is_gap
from healthdash.tables.layout import canonical
from healthdash.tables.outcome import GUESSED, ordered_labels
from healthdash.tables.read import TextTable, read_path
from healthdash.tables.report import DataReport, column_named, report, settled
from healthdash.tables.steps import GroupBy, LeaveOutRows, Step, TakeAs, fitted, group_of
from healthdash.training import TrainSettings
from healthdash.training.studio.networks import learns_one_label

from .columns import type_columns
from .dataset import Dataset
from .question import Question, fields_of, named_alike

if TYPE_CHECKING:
    from .labelled import LabelledRows

__all__ = ["OwnData", "labelled", "load_own", "rows_of"]

_log = logging.getLogger(__name__)
SITE = "the table"
_SMALL_TABLE = 1000
_RAREST = (3, 10)
#: Columns by whose values the evaluation is broken down.
_SUBGROUPS = (
    "sex", "gender", "race", "ethnicity", "site", "hospital", "ward", "icutype", "centre", "center",
)  # fmt: skip
_MOST_SUBGROUPS = 6


@dataclass(frozen=True, slots=True)
class OwnData:
    """A labelled table of a user's.

    Attributes
    ----------
    question : Question
    data : Dataset
    left : tuple of Finding
        What the data report still finds after the steps.
    unused : tuple of str
        Columns that the network cannot take in.
    """

    question: Question
    data: Dataset
    left: tuple[Finding, ...] = ()
    unused: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    def labelled(self) -> LabelledRows:
        """Return the rows as the studio takes them."""
        from .labelled import LabelledRows

        return LabelledRows(self)

    @property
    def labels(self) -> tuple[str, ...]:
        """The values of the outcome, in the order of the network's outputs."""
        return self.question.labels


def load_own(path: Path, settings: TrainSettings) -> OwnData:
    """Read a labelled table and find its question.

    The cleaning that `settings.cleaning` names is done as it is written; without it every remedy that
    needs no decision is taken.

    Raises
    ------
    InputError
        The file cannot be opened or is no table.
    InvalidInput
        There is no such column, or the outcome cannot be learnt.
    TooLittleData
        A label has too few rows or groups.
    """
    cleaning = Cleaning.from_file(settings.cleaning) if settings.cleaning else None
    text = read_path(path, cleaning.layout if cleaning else {})
    text = replace(text, frame=named_alike(text.frame, ()))
    text, steps = with_events(text, cleaning.steps if cleaning else (), is_found=cleaning is None)
    frame = text.frame
    target = _target(frame, settings.target)
    if settings.group:
        steps = [step for step in steps if not isinstance(step, GroupBy)]
        steps.append(GroupBy(column=column_named(frame, settings.group)))
    if cleaning is None:
        steps, found = settled(frame, target, declared=text.declared, steps=steps, seed=settings.seed)
        if steps:
            _log.warning("%d cleaning steps were taken by themselves; the card names them", len(steps))
    else:
        found = report(frame, target, declared=text.declared, steps=steps, seed=settings.seed)
    _check(found, one_is_enough=learns_one_label(settings))
    return _posed(frame, text, _with_needed(steps, found), found)


def _with_needed(steps: Sequence[Step], found: DataReport) -> list[Step]:
    """Return the steps with those that training needs anyway: no rows without outcome, numbers only."""
    needed: list[Step] = [LeaveOutRows(column=found.target)]
    needed += [TakeAs(column=one.name, kind="hours") for one in found.profiles if one.kind == "hours"]
    needed += [TakeAs(column=one.name, kind="number") for one in found.profiles if one.is_number and one.odd]
    return [*steps, *(step for step in needed if step not in steps)]


def labelled(text: pd.Series, labels: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each row's label (n,), -1 where there is none of them.

    "Yes" is also "yes", and 1 is also the "1.0" of a spreadsheet, where no other label is written so.
    """
    spellings = (str, _lower, lambda cell: plain_code(_lower(cell)))
    numbers = {spell(label): k for spell in spellings[::-1] for k, label in enumerate(labels)}
    cells = [str(cell) for cell in text]
    known = {
        cell: next((numbers[word] for spell in spellings if (word := spell(cell)) in numbers), -1)
        for cell in set(cells)
    }
    return np.where(is_gap(text), -1, np.asarray([known[cell] for cell in cells], np.int64))


def _lower(cell: str) -> str:
    return cell.strip().lower()


def rows_of(frame: pd.DataFrame, question: Question, group: str | None = None, site: str = SITE) -> Dataset:
    """Return the rows of a mended table that have one of the question's labels."""
    truth = labelled(frame[question.target], question.labels)
    frame, truth = frame[truth >= 0], truth[truth >= 0]
    n, group = len(frame), group or question.group
    columns = {one.name: frame[one.name] for one in question.fields if one.name in frame}
    typed = type_columns(columns, question.fields, n)
    groups = np.arange(n).astype(object)
    if group and group in frame:
        groups = frame[group].to_numpy(object)
    named = [one.name for one in question.fields if canonical(one.name) in _SUBGROUPS and one.name in frame]
    few = [name for name in named if frame[name].nunique() <= _MOST_SUBGROUPS]
    return Dataset(typed.frame, truth, groups, frame[few].reset_index(drop=True), site)


def _target(frame: pd.DataFrame, wanted: str | None) -> str:
    if wanted:
        return column_named(frame, wanted)
    guessed = [str(name) for name in frame.columns if canonical(str(name)) in GUESSED]
    if len(guessed) != 1:
        raise InvalidInput("expected the column of the outcome to be named", hint="Say --target COLUMN.")
    return guessed[0]


def _check(found: DataReport, *, one_is_enough: bool) -> None:
    """Raise what keeps a model from being trained."""
    few = [one.words for one in found.findings if one.code == "too-few"]
    blocking = [one.words for one in stopping(found.findings, one_is_enough=one_is_enough)]
    if few:
        raise TooLittleData("; ".join(blocking), hint="Add rows, or leave these labels out, or join them.")
    if blocking:
        raise InvalidInput(blocking, hint="Choose another outcome, or mend it by a cleaning step.")


def _posed(frame: pd.DataFrame, text: TextTable, steps: Sequence[Step], found: DataReport) -> OwnData:
    steps, mended = fitted(frame, steps)
    inputs = [one for one in found.profiles if one.name not in (found.target, found.group)]
    rarest = _RAREST[len(mended) > _SMALL_TABLE]
    pairs = list(fields_of(mended, inputs, rarest=rarest))
    if not pairs:
        raise InvalidInput("expected a column to learn from, got none", hint="Leave fewer columns out.")
    question = Question(
        target=found.target,
        group=group_of(steps),
        labels=ordered_labels(tuple(found.labels)),
        fields=tuple(one for one, _ in pairs),
        columns=tuple(column for _, column in pairs),
        steps=tuple(steps),
        layout=text.found.stored(),
    )
    used = {one.name for one in question.fields}
    site = "Synthetic rows" if _is_synthetic(text) else SITE
    return OwnData(
        question,
        rows_of(mended, question, site=site),
        found.findings,
        tuple(one.name for one in inputs if one.name not in used),
    )


def _is_synthetic(text: TextTable) -> bool:
    """Say whether the table is the one that this package draws."""
    return any(canonical(str(name)) == "syntheticrow" for name in text.frame.columns)
