"""Read ARFF (Weka's table format) as text, with the slips of real files.

Blanks and tabs around values, tabs for commas, empty cells too many and any case of the keywords are
understood. Sparse rows are read; relational attributes are not.

References
----------
https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pandas as pd

from healthdash.errors import UnreadableUpload

from .layout import HINT, check_size

__all__ = ["looks_like_arff", "read_arff"]

_ATTRIBUTE = re.compile(
    r"@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s{'\"]+))\s*(\{.*|\S.*)", re.I
)
_NUMBERS = ("numeric", "real", "integer")
_MOST_SHOWN = 5


def looks_like_arff(text: str) -> bool:
    """Say from the first lines whether the text is ARFF: comments, then a relation or an attribute."""
    for line in text[:65_536].splitlines():
        if line.strip() and not line.lstrip().startswith("%"):
            return re.match(r"\s*@(relation|attribute)\b", line, re.I) is not None
    return False


def read_arff(text: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the cells (gaps are "") under their names, and "number", "category" or "date" as declared.

    Raises
    ------
    UnreadableUpload
        No attributes or no data, a type that tables cannot hold, or rows of another length.
    InvalidInput
        Too many rows or columns.
    """
    lines = iter(enumerate(text.splitlines(), 1))
    declared = dict(_attributes(lines))
    if len(declared) < 2:
        raise UnreadableUpload("expected two attributes or more in the ARFF file", hint=HINT)
    rows: list[list[str]] = []
    wrong: list[str] = []
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("%"):
            continue
        cells = _row(line, len(declared))
        check_size(len(rows), len(declared))
        rows.append(cells)
        if len(cells) != len(declared):
            wrong.append(f"line {number}: expected {len(declared)} columns, got {len(cells)}")
    if wrong:
        raise UnreadableUpload("; ".join(wrong[:_MOST_SHOWN]), hint=HINT)
    return pd.DataFrame(rows, columns=list(declared), dtype=object), declared


def _attributes(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    """Yield each attribute's name and kind, up to the data."""
    for number, line in lines:
        word = line.strip().lower()
        if word.startswith("@data"):
            return
        if not word.startswith("@attribute"):
            continue
        found = _ATTRIBUTE.match(line.strip())
        if found is None:
            raise UnreadableUpload(f"line {number}: expected an attribute with a name and a type", hint=HINT)
        name = next(part for part in found.groups()[:3] if part is not None)
        yield re.sub(r"\\(.)", r"\1", name).strip(), _kind(found[4].strip().lower(), number)
    raise UnreadableUpload("expected @data in the ARFF file, got none", hint=HINT)


def _kind(written: str, line: int) -> str:
    if written.startswith("{"):
        return "category"
    if written.startswith(_NUMBERS):
        return "number"
    if written.startswith("date"):
        return "date"
    if written.startswith("string"):
        return ""
    raise UnreadableUpload(f"line {line}: an attribute of a type that a table cannot hold", hint=HINT)


def _row(line: str, width: int) -> list[str]:
    """Return the cells of a line, stripped; "?" becomes an empty one."""
    if line.lstrip().startswith("{"):
        return _sparse(line, width)
    separator = "," if "," in line else "\t"
    cells = [_cell(cell) for cell in _cut(line, separator)]
    while len(cells) > width and cells[-1] == "":
        cells.pop()
    if len(cells) > width:
        # Real files hold ",," by mistake; to drop the empty cells is right only if the rest fits.
        filled = [cell for cell in cells if cell]
        cells = filled if len(filled) == width else cells
    return ["" if cell == "?" else cell for cell in cells]


def _cut(line: str, separator: str) -> list[str]:
    quote = "'" if "'" in line and '"' not in line else '"'
    try:
        return next(
            csv.reader([line], delimiter=separator, quotechar=quote, escapechar="\\", skipinitialspace=True)
        )
    except (csv.Error, StopIteration) as error:
        raise UnreadableUpload("expected ARFF rows, the quotes are damaged", hint=HINT) from error


def _sparse(line: str, width: int) -> list[str]:
    """Return a row that names only its values that are not 0."""
    cells = ["0"] * width
    for part in line.strip().strip("{}").split(","):
        place, _, value = part.strip().partition(" ")
        if not place:
            continue
        if not place.isdigit() or int(place) >= width:
            raise UnreadableUpload("expected a sparse ARFF row with numbers of columns", hint=HINT)
        cells[int(place)] = "" if value.strip() == "?" else _cell(value)
    return cells


def _cell(cell: str) -> str:
    return cell.strip().strip("'\"").strip()
