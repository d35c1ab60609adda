"""The patients of a file as the rows of a table: the latest value of each finding before a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pandas as pd

from healthdash.errors import UnreadableUpload
from healthdash.tables.concepts import concept_named
from healthdash.tables.layout import Origin, TableFormat, TextTable

from .document import Entry, entries
from .findings import Finding, findings
from .identity import Record, record_of
from .moments import Moment, asked, of_resource, years_between
from .plain import Json, text_in

__all__ = ["Patient", "column_of", "frame_of", "left_out", "patients_of", "read_fhir"]

_HINT = "Export a patient with observations, as a FHIR R4 Bundle in JSON."
_MOST_ORIGINS = 200_000


@dataclass(slots=True)
class Patient:
    """What a file says of one patient: findings that count somewhere, and all that is about them."""

    resource: Json = field(default_factory=dict)
    place: str = ""
    found: list[Finding] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def of(self, kind: str) -> Iterator[Entry]:
        """Yield the resources of a kind that are about the patient."""
        return (one for one in self.entries if one.kind == kind)


def read_fhir(data: bytes, before: str = "") -> TextTable:
    """Return a table with a patient a row and a finding a column, and where each value comes from.

    Parameters
    ----------
    data : bytes
        A Bundle, one resource, or one a line.
    before : str
        A date or instant: later values and those of that day do not count; empty: the last ones.

    Raises
    ------
    UnreadableUpload
        No FHIR in JSON, or nothing about a patient.
    InvalidInput
        Too large, or `before` is no date.
    """
    limit = asked(before)
    record = record_of(entries(data))
    passed: Counter[str] = Counter()
    patients = [one for one in patients_of(record, passed).values() if one.resource or one.found]
    if not patients:
        raise UnreadableUpload(_nothing(record, passed), hint=_HINT)
    rows, origins = [], []
    for number, patient in enumerate(patients):
        values, places = _row(patient, number, limit)
        rows.append(values)
        origins += places
    frame = frame_of(rows)
    if not len(frame.columns):
        raise UnreadableUpload(_nothing(record, passed), hint=_HINT)
    notices = tuple(_notices(record, passed, limit))
    form = TableFormat(file="fhir")
    return TextTable(frame, form.words, notices, form, origins=tuple(origins[:_MOST_ORIGINS]))


def _nothing(record: Record, passed: Counter[str]) -> str:
    """Say why a file tells nothing of a patient."""
    kinds = sorted({one.kind[:40] for one in record.entries})
    if passed:
        why = ", ".join(f"{times:,} {reason}" for reason, times in passed.most_common(3))
        return f"expected findings of a patient that can be used; left out were: {why}"
    if {"Observation", "Condition"} & set(kinds):
        return "expected observations or conditions with a code of LOINC, SNOMED CT or ICD that is known here"
    return f"expected observations, conditions or a patient, got {', '.join(kinds[:5])} alone"


def patients_of(record: Record, passed: Counter[str]) -> dict[str, Patient]:
    """Return each patient by a name of the file's own, in the order in which they come."""
    patients = {
        record.owners[one.place]: Patient(one.resource, one.place)
        for one in record.entries
        if one.kind == "Patient"
    }
    for entry in record.entries:
        key = record.owners[entry.place]
        if key and entry.kind != "Patient":
            patients.setdefault(key, Patient()).entries.append(entry)
        for one in findings(entry, passed):
            if key:
                patients[key].found.append(one)
            else:
                passed["without a patient"] += 1
    return patients


def _row(patient: Patient, number: int, limit: Moment | None) -> tuple[dict[str, str], list[Origin]]:
    """Return the values of a patient by their columns, and where each comes from."""
    latest: dict[str, Finding] = {}
    for one in patient.found:
        if _counts(one, limit) and _order(one) >= _order(latest.get(one.field)):
            latest[one.field] = one
    values = {column_of(name): one.value for name, one in latest.items()}
    origins = [_origin(number, one) for one in latest.values()]
    for name, value, told in _person(patient, latest, limit):
        values[column_of(name)] = value
        origins.append(
            Origin(row=number, column=column_of(name), resource="Patient", place=patient.place, told=told)
        )
    return values, origins


def _counts(one: Finding, limit: Moment | None) -> bool:
    """Say whether a finding was there before the moment; one without a date is not taken into the past."""
    if limit is None:
        return one.until is None
    has_begun = one.when is not None and one.when.is_before(limit)
    return has_begun and (one.until is None or one.until.start >= limit.start)


def _order(one: Finding | None) -> datetime:
    return one.when.start if one and one.when else datetime.min.replace(tzinfo=UTC)


def _person(
    patient: Patient, latest: Mapping[str, Finding], limit: Moment | None
) -> Iterator[tuple[str, str, str]]:
    """Yield age and sex, each with its words; the date of birth itself is not told."""
    if patient.resource.get("modifierExtension"):
        return
    sex = text_in(patient.resource, "gender")
    if sex in ("male", "female"):
        yield "sex", sex, sex
    when, why = _day_of_age(patient, latest, limit)
    age = years_between(text_in(patient.resource, "birthDate"), when)
    if age is not None:
        yield "age", str(age), f"{age} years {why}"


def _day_of_age(patient: Patient, latest: Mapping[str, Finding], limit: Moment | None) -> tuple[date, str]:
    """Return the day on which the age counts: the moment asked for, else that of the last value."""
    died = of_resource(patient.resource, ("deceasedDateTime",))
    if limit is not None:
        day, why = limit.first_day, "at the moment asked for"
    else:
        days = [one.when.first_day for one in latest.values() if one.when]
        day, why = (
            (max(days), "on the day of the last value") if days else (datetime.now(UTC).date(), "today")
        )
    return (died.first_day, "at death") if died and died.first_day < day else (day, why)


def _origin(number: int, one: Finding) -> Origin:
    return Origin(
        row=number, column=column_of(one.field), resource=one.resource, place=one.place,
        date=one.when.day if one.when else "", code=one.code, told=one.told,
    )  # fmt: skip


def column_of(name: str) -> str:
    """Return the name of a finding's column: its label, with its unit."""
    concept = concept_named(name)
    if concept is None:
        return name
    return f"{concept.label} ({concept.unit})" if concept.unit else concept.label


def frame_of(rows: list[dict[str, str]]) -> pd.DataFrame:
    """Return rows with some columns each as a table; what a row has not is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame(
        [[row.get(name, "") for name in columns] for row in rows], columns=columns, dtype=object
    )


def _notices(record: Record, passed: Counter[str], limit: Moment | None) -> Iterator[str]:
    if limit is not None:
        yield f"The latest values before {limit.day} were taken."
    yield from left_out(record, passed)


def left_out(record: Record, passed: Counter[str]) -> Iterator[str]:
    """Say what was passed over, and how often."""
    if times := record.superseded:
        what = "resource was" if times == 1 else "resources were"
        yield f"{times:,} {what} left out: the file has a newer version, or the same again."
    for reason, times in passed.most_common(6):
        yield f"{times:,} {'finding was' if times == 1 else 'findings were'} left out: {reason}."
