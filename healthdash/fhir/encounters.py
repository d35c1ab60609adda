"""The encounters of a patient: which stand for themselves, which are parts of a stay, and what names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .document import Entry
from .identity import Names
from .plain import part, text_in
from .table import Patient

__all__ = ["INPATIENT", "Encounters", "encounters_of"]

#: v3 ActEncounterCode, as Encounter.class takes it.
INPATIENT = frozenset(("IMP", "ACUTE", "NONAC"))


@dataclass(frozen=True, slots=True)
class Encounters:
    """The encounters of one patient.

    Attributes
    ----------
    whole : sequence of (Entry, sequence of Entry)
        Those that are no part of a stay, each with its parts: departments, intensive care.
    names : Names
        What others of the patient's resources may refer to, each by its place.
    """

    whole: Sequence[tuple[Entry, Sequence[Entry]]]
    names: Names


def encounters_of(patient: Patient) -> Encounters:
    """Return the encounters of a patient, with the parts of each.

    FHIR R4, Encounter.partOf. A part whose stay is not in the record stands for itself.
    """
    names, every = _names(patient), list(patient.of("Encounter"))
    tops = _tops(every, names)
    parts: dict[str, list[Entry]] = {}
    for one in every:
        if tops[one.place] != one.place:
            parts.setdefault(tops[one.place], []).append(one)
    return Encounters(
        [(one, parts.get(one.place, [])) for one in every if tops[one.place] == one.place], names
    )


def _names(patient: Patient) -> Names:
    names = Names(patient.entries)
    for one in patient.entries:
        if one.kind in ("Encounter", "Condition"):
            names.add(one, one.place)
    return names


def _tops(every: Sequence[Entry], names: Names) -> dict[str, str]:
    """Return by its place the stay that each encounter is part of, however deep; itself where of none."""
    stays = {one.place for one in every if text_in(part(one.resource, "class"), "code") in INPATIENT}
    above = {one.place: place for one in every if (place := names.linked(one, "partOf")) in stays}
    tops: dict[str, str] = {}
    for entry in every:
        path, place = dict[str, None](), entry.place
        # What was walked before is not walked again, and a circle ends where it closes.
        while place in above and place not in tops and place not in path:
            path[place] = None
            place = above[place]
        top = tops.get(place, place)
        tops.update(dict.fromkeys((*path, place), top))
    return tops
