"""A DICOM structured report as text, without names and identifiers (PS3.3 C.17.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pydicom import Dataset

from .dicom_elements import number, sequence, text

__all__ = ["report_text"]

_DEEPEST, _MOST_LINES, _LONGEST_TEXT = 20, 2000, 4000
_SHORTEST_NAME = 3
_NAMES = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName",
    "ReferringPhysicianName", "PhysiciansOfRecord", "PerformingPhysicianName", "OperatorsName",
    "RequestingPhysician", "NameOfPhysiciansReadingStudy", "ResponsiblePerson",
)  # fmt: skip
_IDENTIFIERS = ("PatientID", "AccessionNumber", "StudyID", "PatientBirthDate", "InstitutionName")
# Concepts that hold an identity although their value is plain text, number or date.
_TELLING = re.compile(
    r"\b(name|id|uid|identifier|accession|record number|birth|address|phone|telephone|e-?mail)\b", re.I
)
# A person by title, in free text.
_PERSON = re.compile(r"\b(?:Dr|Prof|Mrs?|Ms|Miss)\.?\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?")
_LEFT_OUT = "[left out]"
_REFERENCES = {
    "COMPOSITE": "refers to another DICOM object", "IMAGE": "refers to a picture",
    "WAVEFORM": "refers to a signal", "SCOORD": "marks a place in a picture",
    "SCOORD3D": "marks a place in the patient", "TCOORD": "marks a time", "TABLE": "holds a table",
}  # fmt: skip


def report_text(dataset: Dataset) -> str:
    """Return the content tree, one item a line, indented; empty where the file is no report.

    Names of persons, references and identifiers are left out; the names that the header knows are
    left out of the report's own words too.
    """
    if "ContentSequence" not in dataset and "ConceptNameCodeSequence" not in dataset:
        return ""
    hidden = _hidden(dataset)
    lines = list(islice(_lines(dataset, 0, hidden), _MOST_LINES))
    return "\n".join([*lines, "... (cut off here)"] if len(lines) == _MOST_LINES else lines)


def _lines(item: Dataset, depth: int, hidden: re.Pattern[str]) -> Iterator[str]:
    concept, kind = _meaning(item, "ConceptNameCodeSequence"), text(item, "ValueType").upper()
    value = _PERSON.sub(_LEFT_OUT, hidden.sub(_LEFT_OUT, _value(item, kind, concept)))
    indent = "  " * depth
    if kind == "CONTAINER":
        yield f"{indent}{concept or 'Section'}"
    elif concept or value:
        yield f"{indent}{concept}: {value}" if concept else f"{indent}{value}"
    if depth < _DEEPEST:
        for child in sequence(item, "ContentSequence"):
            yield from _lines(child, depth + 1, hidden)


def _value(item: Dataset, kind: str, concept: str) -> str:
    if kind in ("PNAME", "UIDREF") or _TELLING.search(concept):
        return _LEFT_OUT
    if kind == "CODE":
        return _meaning(item, "ConceptCodeSequence")
    if kind == "NUM":
        return _measured(item)
    if kind in ("TEXT", "DATE", "TIME", "DATETIME"):
        keyword = {"TEXT": "TextValue", "DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}[kind]
        return " ".join(str(item.get(keyword) or "").split())[:_LONGEST_TEXT]
    return _REFERENCES.get(kind, "")


def _measured(item: Dataset) -> str:
    for measured in sequence(item, "MeasuredValueSequence"):
        value = number(measured, "NumericValue")
        unit = _meaning(measured, "MeasurementUnitsCodeSequence")
        return f"{value:g} {unit}".strip() if value is not None else ""
    return "not measured"


def _meaning(item: Dataset, keyword: str) -> str:
    return next((text(code, "CodeMeaning") for code in sequence(item, keyword)), "")


def _hidden(dataset: Dataset) -> re.Pattern[str]:
    """Return a pattern of the names and identifiers that header and tree know."""
    names = [*(str(dataset.get(keyword) or "") for keyword in _NAMES), *_named(dataset, 0)]
    known = {part for name in names for part in re.split(r"[\^=,\\\s]+", name)}
    known |= {str(dataset.get(keyword) or "") for keyword in _IDENTIFIERS}
    long = sorted((re.escape(w) for w in known if len(w) >= _SHORTEST_NAME), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(long)})(?!\w)" if long else r"(?!)", re.I)


def _named(item: Dataset, depth: int) -> Iterator[str]:
    """Yield the persons that the tree names, and who verified it."""
    for keyword in ("PersonName", "VerifyingObserverName"):
        if keyword in item:
            yield str(item.get(keyword) or "")
    if depth < _DEEPEST:
        for keyword in ("ContentSequence", "VerifyingObserverSequence"):
            for child in sequence(item, keyword):
                yield from _named(child, depth + 1)
