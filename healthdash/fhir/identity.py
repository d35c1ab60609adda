"""Which resources of a file are one and the same, and which patient each of them is about.

A fullUrl of a server, or a UUID, names one resource wherever it stands. Any other fullUrl, and an id without
one, is sure within its own bundle, or among the resources that stand on lines of their own (a bulk export).
In two bundles it means one patient where date of birth, sex and an identifier are the same (the name where
there is no identifier; without both it is two), and one resource where the patient is the same: bundles of
one server overlap, but many systems call every patient of whom they make a bundle "p".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .document import Entry, address
from .moments import moment_of
from .plain import Json, each, part, text_in

__all__ = ["Names", "Record", "record_of"]

_Mark = tuple[str, ...]
_UNIQUE = re.compile(
    r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|urn:oid:[0-2](\.\d+)+", re.IGNORECASE
)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """The newest version of each resource of a file.

    Attributes
    ----------
    entries : list of Entry
        In the order of the file.
    owners : mapping of str to str
        By its place, the key of the patient that a resource is, or is about; empty where it is about none.
    superseded : int
        How many were left out, as a newer version is there, or the same again.
    """

    entries: list[Entry]
    owners: Mapping[str, str]
    superseded: int


class Names:
    """What references call the resources that were added, each by a key.

    Parameters
    ----------
    around : sequence of Entry
        All resources of the file; by them the addresses of one server are told from those of two.
    """

    def __init__(self, around: Sequence[Entry]) -> None:
        self._keys: dict[tuple[str, str], str | None] = {}
        self._servers: dict[str, str] = {}
        self._kinds: dict[tuple[str, str], set[str]] = {}
        for one in around:
            if not one.holder:
                self._kinds.setdefault((one.scopes[0], one.server), set()).add(one.kind)

    def add(self, entry: Entry, key: str) -> None:
        """Let references find a resource; those of one key are versions of each other."""
        self._servers[key] = entry.server
        for level in _levels(entry):
            for name in _names(entry):
                if self._keys.setdefault((level, name), key) != key:
                    self._keys[level, name] = None

    def find(self, entry: Entry, reference: str) -> str | None:
        """Return the key of what a reference in a resource means (R4, 2.36.4.1 references in a bundle).

        Parameters
        ----------
        entry : Entry
            The resource that refers to another.
        reference : str

        Returns
        -------
        str or None
            Empty: nothing that was added; None: it may be one of several.
        """
        name = _target(entry, reference)
        bare = name if reference.startswith("#") else _bare(name)
        for wanted in dict.fromkeys((name, bare)):
            for farther, level in enumerate(_levels(entry)):
                if (level, wanted) in self._keys:
                    key = self._keys[level, wanted]
                    if wanted == name or key is None:
                        return key
                    # By its address it was not found: what has one of its own elsewhere is another resource.
                    server = self._servers[key]
                    is_other = bool(server) if farther else self._is_other(entry, reference, server)
                    return "" if is_other else key
        return ""

    def _is_other(self, entry: Entry, reference: str, found: str) -> bool:
        """Say whether a reference means another resource than that of its type and id beside it.

        Two servers count each for itself, so two resources may have one id. But one server may have two
        addresses: one of references alone, or where no reference tells an address, one for each type.

        Parameters
        ----------
        found : str
            Server of the resource that was found; empty: none is told.
        """
        server, kind, _ = f"/{_target(entry, reference)}".rsplit("/", 2)
        held = self._kinds.get((entry.scopes[0], server[1:]), set())
        if found and "://" in reference:
            return bool(held)
        return not held.isdisjoint(self._kinds[entry.scopes[0], found] if found else {kind})

    def linked(self, entry: Entry, element: str) -> str:
        """Return the key of what an element of a resource refers to; empty: not there, or not sure."""
        return self.find(entry, text_in(part(entry.resource, element), "reference")) or ""


def _levels(entry: Entry) -> Iterator[str]:
    """Yield where a name counts: beside the resource itself first, then in all of each bundle around it."""
    yield f"beside {entry.scopes[0]}"
    yield from entry.scopes


def _names(entry: Entry) -> set[str]:
    identity = "" if entry.holder else text_in(entry.resource, "id")
    bare = _bare(entry.url) if entry.server and not entry.holder else ""
    return {entry.url, bare, f"{entry.kind}/{identity}" if identity else ""} - {""}


def _target(entry: Entry, reference: str) -> str:
    """Return the address that a reference means: "Patient/12" without a server, "place#id" if contained."""
    if reference.startswith("#"):
        return f"{entry.holder or entry.place}{reference}"
    if reference.startswith("urn:") or "://" in reference:
        return address(reference)
    bare = _bare(address(reference))
    return f"{entry.server}/{bare}" if entry.server else bare


def _bare(name: str) -> str:
    """Return an address without its server, "Encounter/12"; a URN stays as it is."""
    return name if name.startswith("urn:") else "/".join(name.rsplit("/", 2)[-2:])


def record_of(found: Sequence[Entry]) -> Record:
    """Return the newest version of each resource, with the patient whom it is about.

    The newest is by `meta.lastUpdated`; without it, or at the same instant, the last in the file. What has
    no id is never left out.
    """
    people = [one for one in found if one.kind == "Patient"]
    others = [one for one in found if one.kind != "Patient"]
    keys = _keys(people, lambda one: _marks(one.resource))
    names = Names(found)
    for one in people:
        names.add(one, keys[one.place])
    owners = keys | {one.place: _subject(one, names) for one in others}
    keys |= _keys(others, lambda one: [(owners[one.place],)] if owners[one.place] else [])
    return Record(list(_newest(found, keys)), owners, len(found) - len(set(keys.values())))


def _keys(found: Sequence[Entry], marks: Callable[[Entry], list[_Mark]]) -> dict[str, str]:
    """Return by its place a key of each resource: the place of the first that is the same.

    `marks` are what a resource must share, one of them, with one of its name in another bundle.
    """
    first: dict[_Mark, str] = {}
    keys: dict[str, str] = {}
    for entry in found:
        ways = _ways(entry, marks)
        key = next((first[way] for way in ways if way in first), entry.place)
        for way in ways:
            first.setdefault(way, key)
        keys[entry.place] = key
    return keys


def _ways(entry: Entry, marks: Callable[[Entry], list[_Mark]]) -> list[_Mark]:
    """Return what only the same resource has too; nothing of what has no name, or is contained in another."""
    identity = text_in(entry.resource, "id")
    if entry.holder or not (identity or (entry.url and entry.kind == "Patient")):
        return []
    name = (entry.url, entry.kind, identity)
    if entry.server or _UNIQUE.fullmatch(entry.url):
        return [name]
    return [("in", entry.scopes[0], *name), *(("as", *mark, *name) for mark in marks(entry))]


def _marks(patient: Json) -> list[_Mark]:
    """Return what two people of one id do not share; nothing where neither identifier nor name is told."""
    born, sex = text_in(patient, "birthDate"), text_in(patient, "gender")
    known: list[_Mark] = [
        (text_in(one, "system"), value)
        for one in each(patient, "identifier")
        if (value := text_in(one, "value"))
    ]
    called = sorted({word for one in each(patient, "name") for word in _words(one)})
    return [(born, sex, *one) for one in known or ([tuple(called)] if called else [])]


def _words(name: Json) -> Iterator[str]:
    given = name.get("given")
    every = [name.get("text"), name.get("family"), *(given if isinstance(given, list) else ())]
    return (one for one in every if isinstance(one, str) and one)


def _subject(entry: Entry, names: Names) -> str:
    """Return the key of the patient that a resource is about; empty where that is none, or not sure."""
    told = text_in(part(entry.resource, "subject"), "reference") or text_in(
        part(entry.resource, "patient"), "reference"
    )
    key = names.find(entry, told) if told else None
    if key or key is None:
        return key or ""
    # A patient whose resource is not in the file is one nevertheless.
    name = _target(entry, told)
    is_patient = name.startswith("urn:") or _bare(name).startswith("Patient/")
    return name if is_patient and not told.startswith("#") else ""


def _newest(found: Sequence[Entry], keys: Mapping[str, str]) -> Iterator[Entry]:
    """Yield the newest of each key; what is contained in another goes with it."""
    last: dict[str, str] = {}
    times: dict[str, datetime] = {}
    for entry in found:
        key = keys[entry.place]
        known = times.get(key, _NEVER)
        when = moment_of(text_in(part(entry.resource, "meta"), "lastUpdated"))
        time = when.start if when else known
        if time >= known:
            last[key], times[key] = entry.place, time
    gone: set[str] = set()
    for entry in found:
        if last[keys[entry.place]] == entry.place and entry.holder not in gone:
            yield entry
        else:
            gone.add(entry.place)
