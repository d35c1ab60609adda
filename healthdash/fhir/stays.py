"""Hospital stays of a record as the rows of a table: encounters, and what was found and done during each.

Only what the record itself says of a stay is told. What a stay has none of is a gap, not a zero: a record may
hold a part of what was done. Diagnoses are those that the encounter ranks (R4, 8.11 Encounter.diagnosis), as
Condition.encounter names where one was first entered; they are told as they are coded, ICD-9-CM alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from healthdash.errors import InvalidInput
from healthdash.tables.layout import Origin, TableFormat, TextTable

from .codes import codings
from .document import Entry, entries
from .encounters import INPATIENT, Encounters, encounters_of
from .findings import Finding
from .identity import record_of
from .moments import Moment, asked, moment_of, years_between
from .plain import Json, each, part, text_in
from .table import Patient, column_of, frame_of, left_out, patients_of

__all__ = ["read_stays"]

_VISITS = {"inpatient_visits": INPATIENT, "emergency_visits": {"EMER"}, "outpatient_visits": {"AMB"}}
#: v3 ActPriority (Encounter.priority), and the value sets of R4 admit-source and discharge-disposition: those
#: codes alone that have one counterpart in IDs_mapping.csv of the data set (UCI, doi:10.24432/C5230J).
_PRIORITY = {"EM": "emergency", "UR": "urgent", "EL": "elective"}
_SOURCE = {
    "hosp-trans": "another hospital", "emd": "emergency room", "gp": "physician referral",
    "mp": "physician referral", "born": "born in this hospital",
}  # fmt: skip
_DISPOSITION = {
    "home": "home", "aadvice": "left against medical advice", "exp": "died", "psy": "psychiatric hospital",
    "rehab": "rehabilitation facility", "snf": "skilled nursing facility",
}  # fmt: skip
_YEAR = timedelta(days=365)
#: An earlier stay is a typing error, and the year before it may be none of the calendar.
_FIRST_YEAR = 1900
_DRUGS = (
    "insulin", "metformin", "repaglinide", "nateglinide", "glimepiride", "glipizide", "glyburide",
    "glibenclamide", "pioglitazone", "rosiglitazone", "acarbose",
)  # fmt: skip
_GIVEN = frozenset(("completed", "in-progress"))
_ORDERED = frozenset(("active", "completed"))
_RESULTS = frozenset(("final", "amended", "corrected"))
_MOST_ORIGINS = 200_000


@dataclass(frozen=True, slots=True)
class _Stay:
    """One finished stay of one patient; `places` are those of it and its parts."""

    entry: Entry
    start: Moment
    end: Moment
    places: frozenset[str]
    around: Encounters


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of a stay: its finding, the cell, what the record says, and the resource it comes from."""

    field: str
    cell: str
    told: str
    resource: str
    place: str
    date: str = ""
    code: str = ""


def read_stays(data: bytes, before: str = "") -> TextTable:
    """Return a table with a finished inpatient stay a row, and where each value comes from.

    Parameters
    ----------
    data : bytes
        A Bundle, one resource, or one a line.
    before : str
        Only stays that ended before this date count; empty: all.

    Raises
    ------
    UnreadableUpload
        No FHIR in JSON.
    InvalidInput
        No such stay, or too large.
    """
    limit, passed = asked(before), Counter[str]()
    rows: list[dict[str, str]] = []
    origins: list[Origin] = []
    has_diabetes = True
    record = record_of(entries(data))
    for patient in patients_of(record, passed).values():
        for stay in _stays(patient, limit, passed):
            values = list(_values(patient, stay))
            origins += [_origin(len(rows), one) for one in values]
            rows.append({column_of(one.field): one.cell for one in values})
            has_diabetes = has_diabetes and any(one.field == "diabetes" for one in patient.found)
    if not rows:
        raise InvalidInput(
            "expected a finished hospital stay: an Encounter of class IMP with start and end of its period",
            hint="Export the patient with the encounters, or upload the stay as a table.",
        )
    notices = [
        f"{len(rows):,} hospital {'stay was' if len(rows) == 1 else 'stays were'} found in the record."
    ]
    if not has_diabetes:
        notices.append("The record of a stay names no diabetes; the data to learn from were stays with it.")
    notices += left_out(record, passed)
    form = TableFormat(file="fhir")
    found = tuple(origins[:_MOST_ORIGINS])
    return TextTable(frame_of(rows), form.words, tuple(notices), form, origins=found)


def _stays(patient: Patient, limit: Moment | None, passed: Counter[str]) -> Iterator[_Stay]:
    """Yield the finished stays in the order of time."""
    found, around = [], encounters_of(patient)
    for entry, parts in around.whole:
        resource = entry.resource
        if text_in(part(resource, "class"), "code") not in INPATIENT:
            continue
        start, end = _period(resource)
        if text_in(resource, "status") != "finished" or resource.get("modifierExtension"):
            passed["of a stay that is not finished"] += 1
        elif start is None or end is None or end.end < start.start or start.first_day.year < _FIRST_YEAR:
            passed["of a stay without a start and an end"] += 1
        elif limit is None or end.is_before(limit):
            places = frozenset(one.place for one in (entry, *parts))
            found.append(_Stay(entry, start, end, places, around))
    yield from sorted(found, key=lambda one: one.start.start)


def _period(resource: Json) -> tuple[Moment | None, Moment | None]:
    period = part(resource, "period")
    return moment_of(text_in(period, "start")), moment_of(text_in(period, "end"))


def _values(patient: Patient, stay: _Stay) -> Iterator[_Value]:
    yield from _person(patient, stay)
    yield from _course(stay)
    yield from _visits(stay)
    yield from _diagnoses(patient, stay)
    yield from _done(patient, stay)
    yield from _measured(patient, stay)


def _person(patient: Patient, stay: _Stay) -> Iterator[_Value]:
    sex = text_in(patient.resource, "gender")
    if sex in ("male", "female"):
        yield _Value("sex", sex, sex, "Patient", patient.place)
    age = years_between(text_in(patient.resource, "birthDate"), stay.start.first_day)
    if age is not None:
        yield _Value("age", str(age), f"{age} years on admission", "Patient", patient.place)


def _course(stay: _Stay) -> Iterator[_Value]:
    """Yield how long the stay was, where the patient came from and went."""
    resource = stay.entry.resource
    days = max(1, (stay.end.first_day - stay.start.first_day).days)
    yield _of_stay(stay, "length_of_stay", str(days), f"{days} {'day' if days == 1 else 'days'}")
    way = part(resource, "hospitalization")
    for field, concept, known in (
        ("admission_type", part(resource, "priority"), _PRIORITY),
        ("admission_source", part(way, "admitSource"), _SOURCE),
        ("discharge_disposition", part(way, "dischargeDisposition"), _DISPOSITION),
    ):
        code = next((c for coding in each(concept, "coding") if (c := text_in(coding, "code")) in known), "")
        if code:
            yield _of_stay(stay, field, known[code], code)


def _visits(stay: _Stay) -> Iterator[_Value]:
    """Yield the visits of the year before, where the record reaches back that far."""
    seen = [(_period(one.resource)[0], one.resource) for one, _ in stay.around.whole]
    dated = [(when, one) for when, one in seen if when and text_in(one, "status") == "finished"]
    since = stay.start.start - _YEAR
    if not any(when.start <= since for when, _ in dated):
        return
    within = [
        text_in(part(one, "class"), "code") for when, one in dated if since <= when.start < stay.start.start
    ]
    for field, classes in _VISITS.items():
        count = sum(code in classes for code in within)
        yield _of_stay(stay, field, str(count), f"{count} in the record")


def _diagnoses(patient: Patient, stay: _Stay) -> Iterator[_Value]:
    """Yield the diagnoses that the encounter lists, by their ranks, and how many they are."""
    listed = list(each(stay.entry.resource, "diagnosis"))
    if listed:
        yield _of_stay(stay, "diagnosis_count", str(len(listed)), f"{len(listed)} diagnoses")
    known = {one.place: one for one in patient.of("Condition")}
    for number, one in enumerate(sorted(listed, key=_rank)[:3], 1):
        told = text_in(part(one, "condition"), "reference")
        entry = known.get(stay.around.names.find(stay.entry, told) or "")
        codes = codings(part(entry.resource, "code")) if entry else iter(())
        code = next((code for system, code in codes if system == "ICD-9"), "")
        if entry and code:
            yield _Value(f"diagnosis_{number}", code, code, "Condition", entry.place, code=f"ICD-9 {code}")


def _rank(diagnosis: Json) -> int:
    rank = diagnosis.get("rank")
    return rank if isinstance(rank, int) and rank > 0 else 1_000


def _done(patient: Patient, stay: _Stay) -> Iterator[_Value]:
    """Yield how many procedures, tests and medicines name the stay; none named is not known."""
    given = _of(patient, stay, "MedicationAdministration", _GIVEN, "context")
    ordered = _of(patient, stay, "MedicationRequest", _ORDERED, "encounter")
    tests = [
        one for one in _of(patient, stay, "Observation", _RESULTS, "encounter") if _is_test(one.resource)
    ]
    procedures = _of(patient, stay, "Procedure", frozenset(("completed",)), "encounter")
    kinds = {medicine for one in given if (medicine := _medicine(one.resource))}
    for field, count, found in (
        ("medication_count", len(kinds), given),
        ("lab_count", len(tests), tests),
        ("procedure_count", len(procedures), procedures),
    ):
        if count:
            kind, told = text_in(found[0].resource, "resourceType"), f"{count} of this stay, the first here"
            yield _Value(field, str(count), told, kind, found[0].place, stay.start.day)
    for one in [*given, *ordered]:
        if any(drug in _medicine(one.resource) for drug in _DRUGS):
            kind = text_in(one.resource, "resourceType")
            yield _Value("diabetes_medication", "Yes", _medicine(one.resource), kind, one.place)
            return


def _of(patient: Patient, stay: _Stay, kind: str, statuses: frozenset[str], link: str) -> list[Entry]:
    """Return the resources of a kind that name the stay as theirs."""
    return [
        one
        for one in patient.of(kind)
        if stay.around.names.linked(one, link) in stay.places
        and text_in(one.resource, "status") in statuses
        and not one.resource.get("modifierExtension")
    ]


def _is_test(resource: Json) -> bool:
    """Say whether an observation is of the laboratory (R4, 10.1 observation-category)."""
    found = (coding for one in each(resource, "category") for coding in each(one, "coding"))
    return any(text_in(coding, "code") == "laboratory" for coding in found)


def _medicine(resource: Json) -> str:
    """Return what a medicine is called, in small letters."""
    concept = part(resource, "medicationCodeableConcept")
    names = (text_in(coding, "display") for coding in each(concept, "coding"))
    return (text_in(concept, "text") or next(filter(None, names), "")).lower()[:200]


def _measured(patient: Patient, stay: _Stay) -> Iterator[_Value]:
    """Yield the last HbA1c and the highest glucose of the stay, and the last weight before its end."""
    first, last = stay.start.first_day, stay.end.last_day
    for field, earliest, choose in (
        ("hba1c", first, _when),
        ("glucose", first, _size),
        ("weight", None, _when),
    ):
        found = [
            one
            for one in patient.found
            if one.field == field
            and one.when
            and one.when.last_day <= last
            and (earliest is None or one.when.first_day >= earliest)
        ]
        if found:
            one = max(found, key=choose)
            day = one.when.day if one.when else ""
            yield _Value(field, one.value, one.told, one.resource, one.place, day, one.code)


def _when(one: Finding) -> float:
    return one.when.start.timestamp() if one.when else 0.0


def _size(one: Finding) -> float:
    return float(one.value)


def _of_stay(stay: _Stay, field: str, cell: str, told: str) -> _Value:
    return _Value(field, cell, told, "Encounter", stay.entry.place, stay.start.day)


def _origin(row: int, one: _Value) -> Origin:
    return Origin(
        row=row, column=column_of(one.field), resource=one.resource, place=one.place, date=one.date,
        code=one.code, told=one.told,
    )  # fmt: skip
