"""Which codes mean which finding: `codes.csv`, a code a line with its system, display, field and unit.

Fields are the findings of `healthdash/tables/concepts.csv`. A code of ICD stands for all below it: E11 for
E11.9. The unit is the usual one; what counts is the unit that a resource itself tells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from .plain import Json, each, text_in

__all__ = ["Code", "codings", "known_code"]

#: Short names of the systems, and their other addresses (R4, 4.3 code systems; OIDs as HL7 v3 writes them).
_SYSTEMS = {
    "http://loinc.org": "LOINC",
    "urn:oid:2.16.840.1.113883.6.1": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "urn:oid:2.16.840.1.113883.6.96": "SNOMED CT",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10",
    "urn:oid:2.16.840.1.113883.6.90": "ICD-10",
    "urn:oid:2.16.840.1.113883.6.3": "ICD-10",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD-9",
    "urn:oid:2.16.840.1.113883.6.103": "ICD-9",
}
_BELOW = ("ICD-10", "ICD-9")


@dataclass(frozen=True, slots=True)
class Code:
    """A code that is understood: "LOINC 2093-3", what it is called, and the finding that it means."""

    system: str
    code: str
    display: str
    field: str
    unit: str

    @property
    def words(self) -> str:
        """Name the code for people."""
        return f"{self.system} {self.code}"


@cache
def _known() -> Mapping[tuple[str, str], Code]:
    with (Path(__file__).parent / "codes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    codes = [Code(_SYSTEMS[r["system"]], r["code"], r["display"], r["field"], r["unit"]) for r in rows]
    return {(one.system, _plain(one.system, one.code)): one for one in codes}


def known_code(concept: Json) -> Code | None:
    """Return the first code of a CodeableConcept that is understood."""
    return next((found for system, code in codings(concept) if (found := _lookup(system, code))), None)


def codings(concept: Json) -> Iterator[tuple[str, str]]:
    """Yield the short name of the system and the code of each coding whose system is known."""
    for coding in each(concept, "coding"):
        system, code = _SYSTEMS.get(text_in(coding, "system").rstrip("/")), text_in(coding, "code").strip()
        if system and code:
            yield system, code


@lru_cache(maxsize=4096)
def _lookup(system: str, code: str) -> Code | None:
    plain = _plain(system, code)
    lengths = range(len(plain), 2, -1) if system in _BELOW else (len(plain),)
    return next((found for n in lengths if (found := _known().get((system, plain[:n])))), None)


def _plain(system: str, code: str) -> str:
    return code.replace(".", "").upper() if system in _BELOW else code
