"""What could not be analysed among many inputs: which, what went wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from healthdash.errors import HealthdashError
from healthdash.task import Report
from healthdash.ui import problems

__all__ = ["left_out", "lines", "show"]

#: A list that is read at a glance; the rest is elsewhere.
_MOST_LINES, _MOST_NAMES, _MOST_PROBLEMS = 5, 3, 3


def show(reports: Sequence[Report], *, rest: str) -> None:
    """List why inputs have no result, where any has none; `rest` says where reasons beyond the first are."""
    found = lines(reports)
    # A list and no table: on a telephone a long name leaves no room for further columns.
    st.markdown("\n".join(f"- {line}" for line in found[:_MOST_LINES]))
    if len(found) > _MOST_LINES:
        st.caption(f"The first {_MOST_LINES} of {len(found):,} reasons; {rest}.")


def left_out(reports: Sequence[Report]) -> None:
    """Say which inputs and rows cannot be explained, and why: in the open where there is no other input."""
    failed = [report for report in reports if report.error is not None]
    partly = [report for report in reports if report.error is None and report.refusals]
    if len(reports) == 1 and reports[0].error is not None:
        problems.tell(reports[0].error)
    elif failed or partly:
        words = [_of_all(len(failed), len(reports), "inputs")] if failed else []
        if partly:
            rows = [place for report in partly for _, place in report.rows()]
            words.append(_of_all(rows.count(None), len(rows), "rows"))
        with st.expander("; ".join(words), expanded=len(failed) == len(reports), icon=":material/error:"):
            show([*failed, *partly], rest="the table on the page of the task has them all")


def _of_all(part: int, whole: int, what: str) -> str:
    return f"{part:,} of {whole:,} {what} {'is' if part == 1 else 'are'} left out"


def lines(reports: Sequence[Report]) -> list[str]:
    """Return one line a reason: files that share one are named together, and so are rows of a file.

    Returns
    -------
    list of str
        Markdown in which nothing of a file is read as such.
    """
    files: dict[str, list[str]] = {}
    rows: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        if report.error is not None:
            files.setdefault(_told(report.error), []).append(report.source)
        for row, error in report.refusals.items():
            rows.setdefault((report.source, _told(error)), []).append(f"{row + 1:,}")
    named = [(_together(names), told) for told, names in files.items()]
    for (source, told), numbers in rows.items():
        word = "row" if len(numbers) == 1 else "rows"
        named.append((f"{source}, {word} {_together(numbers)}", told))
    return [f"**{problems.plain(' '.join(name.split()))}**: {told}" for name, told in named]


def _told(error: HealthdashError) -> str:
    """Return what went wrong and what to do, as sentences."""
    found = problems.gathered(error.problems)
    more = [f"And {len(found) - _MOST_PROBLEMS:,} more."] if len(found) > _MOST_PROBLEMS else []
    hint = [problems.sentence(error.hint)] if error.hint else []
    return " ".join([*map(problems.sentence, found[:_MOST_PROBLEMS]), *more, *hint])


def _together(names: Sequence[str]) -> str:
    """Return names in one phrase: "a, b and c", "a, b, c and 9 more"."""
    if len(names) > _MOST_NAMES:
        return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES:,} more"
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
