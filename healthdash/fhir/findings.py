"""What one resource says of a patient: findings with a value, a moment and a place in the file.

What was refuted, cancelled or entered in error says nothing; nor does what changes its meaning in a way that
is not known (R4, 2.4.1 modifierExtension must be understood), or a value that is only bounded ("< 5").
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from healthdash.tables.concepts import concept_named
from healthdash.tables.units import Conversion, conversion, unit_named

from .codes import Code, codings, known_code
from .document import Entry
from .moments import Moment, of_resource
from .plain import Json, each, number_in, part, text_in

__all__ = ["Finding", "findings"]

#: R4, 4.2.4 observation-status: what is neither of these is not, or not yet, a result.
_RESULTS = frozenset(("final", "amended", "corrected"))
_WHEN_OBSERVED = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
_WHEN_BEGUN = ("onsetDateTime", "onsetPeriod", "recordedDate", "assertedDate")
_WHEN_ENDED = ("abatementDateTime", "abatementPeriod")
_OVER = frozenset(("inactive", "resolved", "remission"))
#: US Core smoking status value set, SNOMED CT codes.
_SMOKING = {
    "449868002": "current", "428041000124106": "current", "77176002": "current", "428071000124103": "current",
    "428061000124105": "current", "8517006": "former", "266919005": "never",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One value of one patient.

    Attributes
    ----------
    field : str
        As in `healthdash/tables/concepts.csv`.
    value : str
        In the unit of that finding.
    told : str
        As the resource says it, with its unit.
    when : Moment or None
    until : Moment or None
        When it ended, where it did.
    code, resource, place : str
    """

    field: str
    value: str
    told: str
    when: Moment | None
    code: str
    resource: str
    place: str
    until: Moment | None = None


def findings(entry: Entry, passed: Counter[str]) -> Iterator[Finding]:
    """Yield the findings of a resource; what is passed over is counted by its reason in `passed`."""
    resource = entry.resource
    kind = text_in(resource, "resourceType")
    if kind not in ("Observation", "Condition"):
        return
    if resource.get("modifierExtension"):
        passed["with a modifier that is not understood"] += 1
    elif kind == "Observation":
        yield from _observed(entry, passed)
    else:
        yield from _diagnosed(entry, passed)


def _observed(entry: Entry, passed: Counter[str]) -> Iterator[Finding]:
    resource = entry.resource
    if text_in(resource, "status") not in _RESULTS:
        passed["cancelled, preliminary or entered in error"] += 1
        return
    when = of_resource(resource, _WHEN_OBSERVED)
    for number, one in enumerate([resource, *each(resource, "component")]):
        code = known_code(part(one, "code"))
        value = _value(one, code, passed) if code else None
        if code and value:
            place = entry.place if number == 0 else f"{entry.place} component[{number - 1}]"
            yield Finding(code.field, value[0], value[1], when, code.words, "Observation", place)


def _value(one: Json, code: Code, passed: Counter[str]) -> tuple[str, str] | None:
    """Return the value of an observation or a component in the unit of its finding, and as it is told."""
    if code.field == "smoking":
        answer = (c for system, c in codings(part(one, "valueCodeableConcept")) if system == "SNOMED CT")
        told = next((_SMOKING[c] for c in answer if c in _SMOKING), None)
        return (told, told) if told else None
    quantity = part(one, "valueQuantity")
    number, concept = number_in(quantity, "value"), concept_named(code.field)
    if number is None or not math.isfinite(number) or concept is None:
        return None
    if text_in(quantity, "comparator"):
        passed["only bounded, such as below 5"] += 1
        return None
    unit = next(
        (
            u
            for u in (text_in(quantity, "code"), text_in(quantity, "unit"))
            if _way(u, concept.unit, concept.analyte)
        ),
        "",
    )
    way = _way(unit, concept.unit, concept.analyte)
    if way is None:
        passed["in a unit that is missing or not known"] += 1
        return None
    if code.unit == "mmol/mol" and unit_named(unit) != code.unit:
        # IFCC has its own percentage: 5.3 % of it is 53 mmol/mol, and 7.0 % by NGSP (Hoelzel et al. 2004).
        passed["HbA1c of the IFCC protocol in another unit than mmol/mol"] += 1
        return None
    converted = number * way.factor + way.offset
    return f"{converted:.6g}", f"{number:g} {way.source}"


def _way(unit: str, target: str, analyte: str) -> Conversion | None:
    return conversion(unit, target, analyte) if unit else None


def _diagnosed(entry: Entry, passed: Counter[str]) -> Iterator[Finding]:
    resource = entry.resource
    verified = _statuses(resource, "verificationStatus", "condition-ver-status")
    if verified and "confirmed" not in verified:
        passed["refuted, unconfirmed or entered in error"] += 1
        return
    code = known_code(part(resource, "code"))
    if code is None:
        return
    until = of_resource(resource, _WHEN_ENDED)
    if until is None and _OVER & _statuses(resource, "clinicalStatus", "condition-clinical"):
        passed["of a disease that is over"] += 1
        return
    when = of_resource(resource, _WHEN_BEGUN)
    yield Finding(code.field, "yes", code.display, when, code.words, "Condition", entry.place, until)


def _statuses(resource: Json, name: str, system: str) -> frozenset[str]:
    """Return the codes of a status: those of FHIR's own system, else all, as their order means nothing.

    Before R4 a status was a plain text.
    """
    plain = text_in(resource, name)
    if plain:
        return frozenset((plain,))
    coded = [
        (text_in(one, "system").rstrip("/"), text_in(one, "code"))
        for one in each(part(resource, name), "coding")
    ]
    own = {code for where, code in coded if where.endswith(system)} - {""}
    return frozenset(own or {code for _, code in coded} - {""})
