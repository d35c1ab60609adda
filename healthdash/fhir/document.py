"""The resources of a file: a Bundle, one resource, or one a line (NDJSON), each with its place in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from healthdash.errors import InvalidInput, UnreadableUpload

from .plain import Json, each, part, text_in

__all__ = ["Entry", "address", "entries", "looks_like_fhir"]

_HINT = "Export the patient as a FHIR R4 Bundle in JSON."
#: One document; parsed it takes about ten times as much memory.
_MOST_BYTES = 32 << 20
_MOST_RESOURCES = 500_000
_DEEPEST = 6
_TYPED = re.compile(rb'"resourceType"\s*:\s*"[A-Z][A-Za-z]{1,60}"')


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource, and where it stands.

    Attributes
    ----------
    place : str
        As "line 3 entry[12]"; no two resources of a file have the same.
    resource : Json
    url : str
        Its fullUrl without scheme and version; of what is contained, the place of its holder, "#" and its id.
    server : str
        That of the fullUrl, such as "a.org/fhir"; empty where the fullUrl is none of a server.
    scopes : tuple of str
        The places of the bundles around it, from the inside out; the last is the file, "".
    holder : str
        The place of the resource that contains it.
    """

    place: str
    resource: Json
    url: str = ""
    server: str = ""
    scopes: tuple[str, ...] = ("",)
    holder: str = ""

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return text_in(self.resource, "resourceType")


def address(url: str) -> str:
    """Return a URL without version and scheme: a server is the same by http and https."""
    return url.split("/_history")[0].split("://", 1)[-1].rstrip("/")


def looks_like_fhir(data: bytes) -> bool:
    """Say from the first bytes whether this is FHIR in JSON; never raises."""
    head = data[:3].replace(b"\xef\xbb\xbf", b"") + data[3:65_536]
    return head.lstrip()[:1] in (b"{", b"[") and _TYPED.search(head) is not None


def entries(data: bytes) -> list[Entry]:
    """Return every resource of a file, those within bundles and those contained in others too.

    Raises
    ------
    UnreadableUpload
        No JSON, or no resource in it.
    InvalidInput
        Too large.
    """
    found: list[Entry] = []
    for place, document in _documents(data):
        for entry in _inside(place, document, 0):
            found.append(entry)
            if len(found) > _MOST_RESOURCES:
                raise InvalidInput(f"expected at most {_MOST_RESOURCES:,} resources", hint="Split the file.")
    if not found:
        raise UnreadableUpload("expected FHIR resources, found none in the JSON", hint=_HINT)
    return found


def _documents(data: bytes) -> Iterator[tuple[str, Json]]:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if len(filled) > 1 and all(line.strip()[:1] == b"{" and line.strip()[-1:] == b"}" for _, line in filled):
        for number, line in filled:
            yield f"line {number}", _parsed(line, f"line {number}: ")
        return
    yield "", _parsed(data, "")


def _parsed(data: bytes, where: str) -> Json:
    if len(data) > _MOST_BYTES:
        limit = _MOST_BYTES >> 20
        raise InvalidInput(
            f"{where}expected at most {limit} MB of JSON in one document, got more",
            hint="Export fewer patients.",
        )
    try:
        found = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableUpload(f"{where}expected JSON, the file is damaged", hint=_HINT) from error
    if isinstance(found, list):
        found = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
    if not isinstance(found, dict) or not text_in(found, "resourceType"):
        raise UnreadableUpload(f"{where}expected a FHIR resource, got other JSON", hint=_HINT)
    return found


def _no_constant(_: str) -> float:
    """Take NaN and Infinity, which JSON does not have, as no number."""
    return math.nan


def _inside(
    place: str, resource: Json, depth: int, url: str = "", scopes: tuple[str, ...] = ("",)
) -> Iterator[Entry]:
    """Yield a resource and what it holds; a bundle is only what it holds."""
    if depth > _DEEPEST or not text_in(resource, "resourceType"):
        return
    if resource["resourceType"] == "Bundle":
        within = (place, *scopes) if place else scopes
        for number, entry in enumerate(_slots(resource)):
            inner = f"{place} entry[{number}]".strip()
            yield from _inside(inner, part(entry, "resource"), depth + 1, text_in(entry, "fullUrl"), within)
        return
    kind = resource["resourceType"]
    whole = Entry(place or kind, resource, address(url), _server(url, kind), scopes)
    yield whole
    for number, one in enumerate(each(resource, "contained")):
        for held in _inside(f"{place} contained[{number}]".strip(), one, depth + 1, "", scopes):
            name = f"{whole.place}#{text_in(held.resource, 'id')}"
            yield replace(held, url=name, server=whole.server, holder=whole.place)


def _server(url: str, kind: str) -> str:
    """Return the server of a fullUrl: what stands before the type of its resource and an id."""
    before, _, _ = address(url).rpartition("/")
    server, _, last = before.rpartition("/")
    return server if "://" in url and last == kind else ""


def _slots(bundle: Json) -> list[Json]:
    """Return the entries of a bundle in their places."""
    found = bundle.get("entry")
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []
