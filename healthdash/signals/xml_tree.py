"""XML of hostile origin: no entity is expanded, nothing outside is fetched, and its size is bounded."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, UnreadableUpload

__all__ = ["base64_bytes", "child_text", "named", "numbers", "parsed", "root_name"]

# A 12-lead recording of 10 s has 0.2 MB and 3,000 tags; a day of one lead as digits has 100 MB.
_MOST_BYTES = 150_000_000
_MOST_TAGS = 2_000_000
_MOST_DEPTH = 100
_SNIFFED = 65_536
_BEFORE_ROOT = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL)
_TAG = re.compile(r"<(?:[\w.\-]+:)?([A-Za-z_][\w.\-]*)")


def root_name(data: bytes) -> str | None:
    """Return the name of the outermost tag without its namespace; None: this is no XML."""
    head = data[:_SNIFFED]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    elif head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        text = head.decode("latin-1")
    else:
        return None
    at = text.find("<")
    while before := _BEFORE_ROOT.match(text, at):  # not sought everywhere: that takes time with the square
        at = text.find("<", before.end())
        if at < 0:
            return None
    match = _TAG.search(text, at)
    return match.group(1) if match else None


def parsed(data: bytes, what: str) -> Element:
    """Return the outermost element.

    Raises
    ------
    InvalidInput
        It is larger, or has more tags or a greater depth, than any recording.
    UnreadableUpload
        It is no well-formed XML, or defines entities.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if len(data) > _MOST_BYTES or data.count(b"<") > _MOST_TAGS:
        raise InvalidInput(
            f"expected {what} of at most {_MOST_BYTES // 1_000_000} MB and {_MOST_TAGS:,} tags, got more",
            hint="Export a shorter recording, or as EDF or WFDB.",
        )
    try:
        root: Element = ElementTree.fromstring(data)
    except DefusedXmlException as error:
        raise UnreadableUpload(
            f"expected {what} without entities of its own, got some; they are never expanded",
            hint="Export the recording again, or remove the entities.",
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableUpload(
            f"expected {what}, the XML is not well formed", hint="It may be cut off: export it again."
        ) from error
    _check_depth(root)
    return root


def _check_depth(root: Element) -> None:
    level = [root]
    for _ in range(_MOST_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise InvalidInput(
        f"expected XML of at most {_MOST_DEPTH} levels, got more",
        hint="Export only the ECG, not a document around it.",
    )


def named(element: Element, name: str) -> Iterator[Element]:
    """Yield every element below one that has a name, whatever its namespace."""
    return (found for found in element.iter() if _local(found) == name)


def _local(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def child_text(element: Element, name: str, default: str = "") -> str:
    """Return the text of the first element of a name, without white space around it."""
    found = next(named(element, name), None)
    return (found.text or "").strip() if found is not None else default


def base64_bytes(text: str, what: str) -> bytes:
    """Return decoded base64; raise `UnreadableUpload` where it is damaged."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableUpload(
            f"expected base64 in {what}, it is damaged", hint="It may be cut off: export it again."
        ) from error


def numbers(text: str, what: str) -> NDArray[np.float64]:
    """Return numbers between white space; raise `UnreadableUpload` where one is none."""
    try:
        return np.array(text.split(), np.float64)
    except ValueError as error:
        raise UnreadableUpload(
            f"expected numbers in {what}, got other text", hint="Export the recording again."
        ) from error
