"""The data report of labelled files: everything that is odd about them, before any training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from healthdash.errors import InvalidInput, TooLittleData
from healthdash.tables.findings import Finding, Remedy, Severity, stopping
from healthdash.tables.kinds import is_gap
from healthdash.tables.names import identifies, is_bare_id, names_patients, names_people, names_stays
from healthdash.tables.outcome import outcome
from healthdash.tables.steps import GroupBy

from .copies import MOST_COMPARED
from .items import Items, replayed
from .listing import FOLDER, LABEL, NAME, PATH, PEOPLE, Listing
from .shortcuts import shortcuts, table_of
from .steps import Fault, ItemStep, KeepTogether, LeaveOut
from .survey import Survey

__all__ = ["ItemFinding", "ItemReport", "checked", "report", "settled"]

ItemFinding = Finding[ItemStep]
#: What a kind of data asks beside the questions here.
Question = Callable[[Items], Iterator[ItemFinding]]
_ORDER = {"error": 0, "warning": 1, "note": 2}
_MOST_ROUNDS = 5
#: Columns of groups by their whole names.
_GROUPS = ("group", "record", PEOPLE)
_MOST_REASONS = 5
_FAULTS: Mapping[Fault, str] = {
    "blank": "{n} of one grey or colour: nothing is to be seen.",
    "flat": "{n} with a lead that never changes.",
    "clipped": "{n} with waves that are cut off at the ends of the scale.",
}


@dataclass(frozen=True, slots=True)
class ItemReport:
    """What a set of files holds after the steps, and what is odd about it.

    Attributes
    ----------
    items : Items
        Those that are left.
    labels : dict of str to int
        Items of each label.
    findings : tuple of Finding
        Errors first.
    """

    items: Items
    labels: Mapping[str, int]
    findings: tuple[ItemFinding, ...]

    @property
    def groups(self) -> int:
        """How many groups there are that a split keeps whole."""
        return len(np.unique(self.items.groups))

    @property
    def ranges(self) -> dict[str, str]:
        """What the files are like, a trait each: the commonest values, or from where to where."""
        return _ranges(self.items)


def report(
    listing: Listing, survey: Survey, steps: Sequence[ItemStep] = (), questions: Sequence[Question] = ()
) -> ItemReport:
    """Report on files after the steps that were chosen so far.

    Parameters
    ----------
    questions : sequence of functions of the items
        What the kind of data asks beside.

    Raises
    ------
    InvalidInput
        A step names a column that is not there.
    """
    _check_columns(listing, steps)
    items = replayed(listing, survey, steps)
    counts = items.frame[LABEL].value_counts()
    found = sorted(_findings(items, questions), key=lambda one: _ORDER[one.severity])
    return ItemReport(items, {str(k): int(n) for k, n in counts.items() if k}, tuple(found))


def settled(
    listing: Listing, survey: Survey, steps: Sequence[ItemStep] = (), questions: Sequence[Question] = ()
) -> tuple[list[ItemStep], ItemReport]:
    """Take the remedies that need no decision until none is left; return all steps and the last report."""
    taken = list(steps)
    for _ in range(_MOST_ROUNDS):
        found = report(listing, survey, taken, questions)
        more: list[ItemStep] = []
        for step in (step for one in found.findings for step in one.default):
            is_second = isinstance(step, GroupBy) and any(isinstance(s, GroupBy) for s in [*taken, *more])
            if step not in taken and step not in more and not is_second:
                more.append(step)
        if not more:
            break
        taken += more
    return taken, found


def checked(found: ItemReport, *, one_is_enough: bool = False) -> ItemReport:
    """Return a report of items that can be learnt.

    Parameters
    ----------
    one_is_enough : bool
        One label can be learnt too: what is usual.

    Raises
    ------
    InvalidInput
        There is one label, or far too many.
    TooLittleData
        A label has too few items or groups.
    """
    stop = next(iter(stopping(found.findings, one_is_enough=one_is_enough)), None)
    if stop is None:
        return found
    unit = found.items.unit
    if stop.code in ("too-few", "nothing-left"):
        known = found.items.survey.hints.get(found.items.survey.usual_reason)
        raise TooLittleData(stop.words, hint=known or f"Add {unit}s, or leave the label out.")
    raise InvalidInput(stop.words, hint=f"Give {unit}s of 2 to 20 labels.")


# -- the questions --------------------------------------------------------------------------


def _findings(items: Items, questions: Sequence[Question]) -> Iterator[ItemFinding]:
    yield from _unreadable(items)
    usable = items.without(~np.append(items.survey.is_readable, False)[items.files])
    if not len(usable):
        # Told here too: a step may have left out the files, and their reasons with them.
        reason = items.survey.usual_reason
        why = f" The commonest reason: {reason}." if reason else ""
        yield Finding("nothing-left", "error", f"No {items.unit} is left that can be used.{why}")
        return
    # Codes of annotations differ in case: "a" is another beat than "A".
    is_coded = usable.unit != usable.survey.unit
    yield from (one for one in outcome(table_of(usable)) if not is_coded or one.code != "spellings")  # type: ignore[misc]
    yield from _groups(usable)
    yield from _copies(usable)
    yield from _near(usable)
    yield from _faults(usable)
    yield from _identifying(usable)
    for question in questions:
        yield from question(usable)
    if usable.frame[LABEL].nunique() > 1:
        yield from shortcuts(usable)


def _unreadable(items: Items) -> Iterator[ItemFinding]:
    lost = items.files < 0
    survey, unit = items.survey, items.unit
    used = np.unique(items.files[~lost])
    reasons = [str(reason) for reason in survey.reasons[used] if reason]
    reasons += [f"named in the table, but not there: expected a {unit}"] * int(lost.sum())
    if not reasons:
        return
    counted = sorted({one: reasons.count(one) for one in set(reasons)}.items(), key=lambda one: -one[1])
    told = "; ".join(f"{count:,} x {reason}" for reason, count in counted[:_MOST_REASONS])
    more = f"; and {len(counted) - _MOST_REASONS} other reasons" if len(counted) > _MOST_REASONS else ""
    drop = Remedy("Leave them out", (LeaveOut(what="unreadable"),), True)
    yield Finding(
        "unreadable", "warning", f"Cannot be used: {_count(len(reasons), unit)} ({told}{more}).", (), (drop,)
    )


def _groups(items: Items) -> Iterator[ItemFinding]:
    unit = items.unit
    if items.group is not None:
        text = items.frame[items.group]
        gaps = int(is_gap(text).sum())
        if gaps:
            words = (
                f"{_count(gaps, unit)} without a value in {items.group}: each counts as a group of its own."
            )
            yield Finding("no-group", "warning", words, (items.group,))
        if len(np.unique(items.named_groups)) == len(items):
            words = f"{items.group} differs in every {unit}, so a split by it is a random split."
            yield Finding("group-of-one", "note", words, (items.group,))
        return
    for column, is_sure in _group_columns(items):
        count = items.frame[column].nunique()
        words = f"{column} names {count:,} patients or sources of {len(items):,} {unit}s. "
        if not is_sure:
            words = f"By the {column}, {len(items):,} {unit}s come from {count:,} patients or sources. "
        words += "A random split would put one on both sides, and the figures would be too good."
        split = Remedy(f"Split by {column}", (GroupBy(column=column),), is_sure)
        severity: Severity = "error" if is_sure else "warning"
        yield Finding("groups-torn", severity, words, (column,), (split,))


def _group_columns(items: Items) -> list[tuple[str, bool]]:
    """Return the likeliest column of groups, and whether its name says so."""
    known = (PATH, LABEL, FOLDER, NAME, items.listing.label_column)
    told = [str(name) for name in items.frame if name not in known]
    # Not what is told of patients (their sex, the number of a visit): what says who they are.
    people = [n for n in told if (names_people(n) and identifies(n)) or n.strip().lower() in _GROUPS]
    if all(names_stays(name) for name in people):
        people += [name for name in told if is_bare_id(name)]  # beside patients it numbers their pictures
    sites = [n for n in told if n.strip().lower() == "site"]
    for named in (people, sites):
        several = [name for name in named if 1 < items.frame[name].nunique() < len(items)]
        if several:
            # A patient has several stays.
            rank = {n: (not names_patients(n), names_stays(n), items.frame[n].nunique()) for n in several}
            return [(min(several, key=rank.__getitem__), True)]
    return [(name, False) for name in (FOLDER, NAME) if name in items.frame][:1]


def _copies(items: Items) -> Iterator[ItemFinding]:
    unit = items.unit
    contradicted = int(items.contradicted.sum())
    if contradicted:
        words = f"There again under another label, so that one must be wrong: {_count(contradicted, unit)}."
        drop = Remedy("Leave all of these out", (LeaveOut(what="contradictions"),), True)
        yield Finding("contradictions", "error", words, (), (drop,))
    count = int((items.copies & ~items.contradicted).sum())
    if count:
        words = f"Exactly the same as another one: {_count(count, unit)}. A split may put them on both sides."
        drop = Remedy("Keep one of each", (LeaveOut(what="copies"),), True)
        yield Finding("copies", "warning", words, (), (drop,))


def _near(items: Items) -> Iterator[ItemFinding]:
    """Tell near copies of different groups; exact ones are told before."""
    one, other = items.near.T
    apart = (items.groups[one] != items.groups[other]) & (items.content_of[one] != items.content_of[other])
    if not apart.any():
        return
    unit = items.survey.unit
    labels = items.frame[LABEL].to_numpy(str)
    differ = int((labels[one] != labels[other])[apart].sum())
    words = (
        f"{int(apart.sum()):,} pairs of {unit}s of different groups are nearly the same, as if one was saved "
        "twice or two were taken of one patient. A split may put them on both sides."
    )
    words += f" Under different labels: {differ:,}." if differ else ""
    if len(items) > MOST_COMPARED:
        words += f" Only {MOST_COMPARED:,} {unit}s were compared."
    keep = Remedy("Keep them in one part of the split", (KeepTogether(),), True)
    drop = Remedy("Keep one of each", (LeaveOut(what="near copies"),))
    yield Finding("near-copies", "warning", words, (), (keep, drop))


def _faults(items: Items) -> Iterator[ItemFinding]:
    used = np.unique(items.files)
    for fault, faulty in items.survey.faults.items():
        count = int(faulty[used].sum())
        if count:
            words = _FAULTS[fault].format(n=_count(count, items.survey.unit))
            drop = Remedy("Leave them out", (LeaveOut(what=fault),), fault == "blank")
            yield Finding(fault, "warning", words, (), (drop,))


def _identifying(items: Items) -> Iterator[ItemFinding]:
    named = items.survey.identifying
    if named:
        told = ", ".join(f"{entry} in {count:,}" for entry, count in named.items())
        words = (
            f"Files hold header entries that may name a person: {told}. Only the values of the "
            f"{items.survey.unit}s are used, and nothing of these goes into the model. Take them out all the "
            "same before you pass the files on."
        )
        yield Finding("identifying", "note", words)


def _ranges(items: Items) -> dict[str, str]:
    used = np.unique(items.files[items.files >= 0])
    used = used[items.survey.is_readable[used]]
    told = {}
    for name in items.survey.traits.columns:
        text = items.survey.traits[name].iloc[used]
        numbers = [float(value) for value in text] if _are_numbers(text) else []
        if numbers and len(set(numbers)) > 3:
            low, middle, high = np.percentile(numbers, [0, 50, 100])
            told[name] = f"{low:.4g} to {high:.4g}, median {middle:.4g}"
        elif len(text):
            counts = text.value_counts()
            told[name] = ", ".join(f"{value} ({count:,})" for value, count in counts.iloc[:4].items())
    return told


def _are_numbers(text: Iterable[str]) -> bool:
    return all(value.replace(".", "", 1).replace("-", "", 1).isdigit() for value in text)


def _check_columns(listing: Listing, steps: Sequence[ItemStep]) -> None:
    for step in steps:
        column = getattr(step, "column", None)
        if column is not None and column not in listing.frame:
            names = ", ".join(str(name) for name in listing.frame if name not in (PATH,))
            raise InvalidInput(
                f"expected a column {column}; there are: {names}", hint="Name a column of the table."
            )


def _count(count: int, unit: str) -> str:
    return f"1 {unit}" if count == 1 else f"{count:,} {unit}s"
