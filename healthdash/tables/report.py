"""The data report: everything that is odd about a labelled table, before any training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from healthdash.errors import InvalidInput

from . import doubles, leaks, oddities
from .findings import Finding, Remedy, Table
from .kinds import Profile, is_gap, profiles
from .layout import canonical
from .outcome import outcome
from .steps import GroupBy, LeaveOutRows, Step, events_of, group_of, kinds_of, replay

__all__ = ["DataReport", "column_named", "report", "settled"]

_ORDER = {"error": 0, "warning": 1, "note": 2}
_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class DataReport:
    """What a table holds, and what is odd about it.

    Attributes
    ----------
    rows : int
    profiles : tuple of Profile
        Of every column, outcome and group included.
    target : str
    group : str or None
    labels : dict of str to int
        Rows of each label.
    missing : DataFrame
        Share of gaps of each input (rows) in all rows and under each label (columns).
    findings : tuple of Finding
        Errors first.
    """

    rows: int
    profiles: tuple[Profile, ...]
    target: str
    group: str | None
    labels: Mapping[str, int]
    missing: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps a model from being trained, or its figures from being right."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def report(
    frame: pd.DataFrame,
    target: str,
    *,
    declared: Mapping[str, str] | None = None,
    steps: Sequence[Step] = (),
    seed: int = 0,
) -> DataReport:
    """Report on a table after the steps that were chosen so far.

    Parameters
    ----------
    frame : DataFrame of str
        As it was read.
    target : str
        Column to predict.
    declared : dict of str to str
        Kinds that the file itself tells.
    steps : sequence of Step
        One `GroupBy` among them names the column of patients.

    Raises
    ------
    InvalidInput
        There is no such column, or no row is left.
    """
    group = group_of(steps)
    for name in filter(None, (target, group)):
        column_named(frame, name)
    mended = replay(frame, steps, is_training=True)
    if not len(mended) or target not in mended:
        raise InvalidInput("expected rows with an outcome after cleaning, got none", hint="Take a step back.")
    made = events_of(steps)
    # Whatever the stays are called, their names are no measurements.
    whose = {made.stay: "identifier"} if made else {}
    found = profiles(mended, {**(declared or {}), **whose, **kinds_of(steps)})
    table = Table(
        mended, {one.name: one for one in found}, target, group, seed, outcomes=made.outcomes if made else ()
    )
    return DataReport(
        rows=len(mended),
        profiles=found,
        target=target,
        group=group,
        labels={label: int((table.truth == number).sum()) for number, label in enumerate(table.labels)},
        missing=_missing(table),
        findings=tuple(sorted(_findings(table), key=lambda one: _ORDER[one.severity])),
    )


def settled(
    frame: pd.DataFrame,
    target: str,
    *,
    declared: Mapping[str, str] | None = None,
    steps: Sequence[Step] = (),
    seed: int = 0,
) -> tuple[list[Step], DataReport]:
    """Take the remedies that need no decision until none is left; return all steps and the last report."""
    taken = list(steps)
    for _ in range(_MOST_ROUNDS):
        found = report(frame, target, declared=declared, steps=taken, seed=seed)
        more = [step for one in found.findings for step in one.default if step not in taken]
        if not more:
            break
        taken += _once_each(more)
    return taken, found


def column_named(frame: pd.DataFrame, name: str) -> str:
    """Return the table's own spelling of a column, whatever the case and punctuation.

    Raises
    ------
    InvalidInput
        There is none, or it is there twice.
    """
    names = [str(column) for column in frame.columns]
    alike = [one for one in names if one == name] or [
        one for one in names if canonical(one) == canonical(name)
    ]
    if len(alike) != 1:
        shown = ", ".join(names[:30]) + (" ..." if len(names) > 30 else "")
        raise InvalidInput(
            f"expected one column {name}, found {len(alike)}; there are: {shown}",
            hint="Name a column of the table.",
        )
    return alike[0]


def _findings(table: Table) -> Iterator[Finding]:
    found = list(outcome(table))
    yield from found
    yield from _group(table)
    yield from oddities.columns(table)
    yield from oddities.values(table)
    torn = list(leaks.groups_torn(table))
    yield from torn
    # Beside other rows of the same patient whatever is the patient's own would tell the outcome.
    judged = replace(table, group=torn[0].columns[0]) if torn else table
    if not {one.code for one in found} & {"one-label", "too-many-labels"}:
        given_away = list(leaks.answers(judged))
        yield from given_away
        told = {name for one in given_away if one.severity == "error" for name in one.columns}
        named = [one for one in leaks.names(judged) if not told & set(one.columns)]
        yield from named
        told |= {name for one in named for name in one.columns}
        yield from leaks.told_beside(judged, told)
        yield from leaks.missing_by_label(judged)
    yield from doubles.doubles(table)


def _group(table: Table) -> Iterator[Finding]:
    if table.group is None:
        return
    gaps = int(is_gap(table.frame[table.group]).sum())
    if gaps:
        words = f"{gaps:,} rows have no value in {table.group}, so nobody knows whose they are."
        drop = Remedy("Leave these rows out", (LeaveOutRows(column=table.group),), True)
        yield Finding("no-group", "error", words, (table.group,), (drop,))
    count = table.profiles[table.group].distinct
    if count == len(table.frame) - gaps:
        words = f"{table.group} differs in every row, so a split by it is a random split."
        yield Finding("group-of-one", "note", words, (table.group,))


def _missing(table: Table) -> pd.DataFrame:
    truth = table.truth
    shares = {}
    for profile in table.inputs:
        gap = is_gap(table.frame[profile.name])
        by_label = {
            label: float(gap[truth == number].mean()) for number, label in enumerate(table.labels[:20])
        }
        shares[profile.name] = {"all rows": float(gap.mean()), **by_label}
    return pd.DataFrame.from_dict(shares, orient="index")


def _once_each(steps: Sequence[Step]) -> list[Step]:
    """Return the steps without those on a column that another one leaves out, and one group at most."""
    dropped = {name for step in steps if step.do == "drop-columns" for name in step.columns}
    kept: list[Step] = []
    for step in steps:
        about = getattr(step, "column", None)
        is_second_group = isinstance(step, GroupBy) and any(isinstance(one, GroupBy) for one in kept)
        if (about in dropped and not isinstance(step, GroupBy)) or is_second_group or step in kept:
            continue
        kept.append(step)
    grouped = {step.column for step in kept if isinstance(step, GroupBy)}
    return [step for step in kept if not (step.do == "drop-columns" and grouped & set(step.columns))]
