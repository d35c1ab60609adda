"""Open a file as the table of a task: parse it, find its columns, convert them, and say what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from healthdash.tables.mapped import Mapped, mapped
from healthdash.tables.mapping import ColumnMapping, propose
from healthdash.task import Upload

from .matching import found_columns, known_in, only_person, with_gaps
from .sample import TableSample

if TYPE_CHECKING:
    from .task import RecordsTask

__all__ = ["ONLY_PERSON", "opened"]

ONLY_PERSON = "nothing that the model asks for is known beyond age and sex"


def opened(task: RecordsTask, upload: Upload) -> TableSample:
    """Return the sample of one file.

    Parameters
    ----------
    upload : Upload
        Its hints may hold `mapping` (JSON), `before` (a date), and `draft`: the columns are still being
        matched, so that nothing is refused.

    Raises
    ------
    InputError
        It is no table, or the mapping does not fit.
    """
    hints, is_draft = upload.hints, bool(upload.hints.get("draft"))
    text = task.parsed(upload.data, str(hints.get("before", "")))
    told = str(hints.get("mapping", ""))
    given = ColumnMapping.from_json(told) if told else None
    found = mapped(text, task.asked, propose(text.frame, task.asked, text.titles, given))
    whole = with_gaps(found, task.asked, given, is_draft=is_draft)
    sample, typed = task.sample_of(task.mended(whole), upload.name)
    if not task.fields:
        return sample
    matching = found_columns(found, list(map(str, text.frame.columns)), task.fields, typed)
    if asked := task.coding_question(found):
        matching = replace(matching, coding=asked, problems=(*matching.problems, asked.problem))
    sample = replace(sample, matching=matching)
    if is_draft:
        return replace(sample, problems=())
    if matching.problems:
        return replace(sample, problems=(*matching.problems, *sample.problems), is_of_cells=False)
    return _with_findings(task, sample, typed, is_record=_is_record(found))


def _is_record(found: Mapped) -> bool:
    return found.text.found.file == "fhir"


def _with_findings(
    task: RecordsTask, sample: TableSample, typed: pd.DataFrame, *, is_record: bool
) -> TableSample:
    """Return the sample without the rows of which too little is known."""
    gaps: dict[int, tuple[str, ...]] = {}
    if is_record:
        gaps = dict.fromkeys(only_person(typed, task.fields), (ONLY_PERSON,))
    gaps |= {row: reason for row, reason in too_many_gaps(typed, task).items() if row not in gaps}
    if not gaps:
        return sample
    refused = dict(sorted({**gaps, **sample.refused}.items()))
    if len(refused) == len(typed):
        return replace(sample, problems=sample.problems or tuple(dict.fromkeys(sum(gaps.values(), ()))))
    kept = [row for row in sample.frame.index if row not in refused]
    return replace(sample, refused=refused, frame=sample.frame.loc[kept])


def too_many_gaps(typed: pd.DataFrame, task: RecordsTask) -> dict[int, tuple[str, ...]]:
    """Return the rows (from 0) in which more fields are missing than the task bears, each with the reason."""
    fields = [one for one in task.fields if one.name in typed]
    known = np.stack([known_in(typed, one) for one in fields], axis=1)
    missing = (~known).sum(axis=1)
    over = np.flatnonzero(missing > task.most_gaps * len(fields))
    most = int(task.most_gaps * len(fields))
    return {
        int(row): (
            f"{missing[row]} of {len(fields)} fields are missing; the model learnt from nearly full rows: "
            f"with more than {most} missing its output is wrong; upload a table that has the others too",
        )
        for row in over
    }
