"""Group ICD-9-CM codes: the three-digit category, and the chapter that it belongs to."""

from __future__ import annotations

import bisect
import re

__all__ = ["CHAPTERS", "category_of", "chapter_of"]

#: First category of each chapter of ICD-9-CM (National Center for Health Statistics, 2011).
CHAPTERS: tuple[tuple[int, str], ...] = (
    (1, "infectious"),
    (140, "neoplasms"),
    (240, "endocrine"),
    (280, "blood"),
    (290, "mental"),
    (320, "nervous"),
    (390, "circulatory"),
    (460, "respiratory"),
    (520, "digestive"),
    (580, "genitourinary"),
    (630, "pregnancy"),
    (680, "skin"),
    (710, "musculoskeletal"),
    (740, "congenital"),
    (760, "perinatal"),
    (780, "symptoms"),
    (800, "injury"),
)
_STARTS = [start for start, _ in CHAPTERS]
_DIABETES = 250


def category_of(code: str) -> str:
    """Return the category of a code: "428.0" gives "428"; "" when it is not a code.

    Diabetes (250) keeps its fourth digit, the kind of complication, for it is what the data
    set is about: "250.83" gives "250.8".
    """
    code = _pointed(code)
    number = _number(code)
    if number is None:
        letter = re.fullmatch(r"(V\d{2}|E\d{3})(\.\d+)?", code)
        return letter[1] if letter else ""
    decimals = code.partition(".")[2]
    return f"250.{decimals[:1] or '0'}" if number == _DIABETES else f"{number:03d}"


def chapter_of(code: str) -> str:
    """Return the chapter's short name; "supplementary" and "external" for V and E codes."""
    number = _number(_pointed(code))
    if number is not None:
        return CHAPTERS[bisect.bisect_right(_STARTS, number) - 1][1] if number else ""
    return (
        {"V": "supplementary", "E": "external"}.get(code.strip()[:1].upper(), "") if category_of(code) else ""
    )


def _pointed(code: str) -> str:
    """Return a code with the point that claims leave out: after three digits, V and two, E and three."""
    return re.sub(r"^(\d{3}|V\d{2}|E\d{3})(\d{1,2})$", r"\1.\2", code.strip().upper())


def _number(code: str) -> int | None:
    found = re.fullmatch(r"(\d{1,3})(?:\.\d*)?", code)
    return int(found[1]) if found else None
