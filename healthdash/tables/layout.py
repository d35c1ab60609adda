"""What was found out about the layout of a table's file, and what a table is once it was read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import pandas as pd

from healthdash.errors import ContractError, InvalidInput

__all__ = [
    "HINT",
    "MOST_CELLS",
    "MOST_COLUMNS",
    "MOST_EVENTS",
    "MOST_ROWS",
    "SEPARATORS",
    "FileKind",
    "Origin",
    "TableFormat",
    "TextTable",
    "canonical",
    "check_size",
    "contradict",
    "is_same_name",
    "signs",
]

MOST_ROWS = 1_000_000
#: Of a table that may be one of events: few columns, three at least.
MOST_EVENTS = 5_000_000
_NARROW = range(3, 13)
MOST_COLUMNS = 2_000
#: As many as the widest table of so many events has; each takes eight bytes and more.
MOST_CELLS = 60_000_000
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
HINT = "Save the table as CSV (UTF-8, comma separated) with one header line, and upload that."


FileKind = Literal[
    "text",
    "excel",
    "xls",
    "ods",
    "parquet",
    "arff",
    "events",
    "spss",
    "portable",
    "stata",
    "xport",
    "sas",
    "fhir",
]
#: Kinds of files with nothing to say but their name.
_NAMES = {
    "excel": "Excel workbook (.xlsx)",
    "xls": "Excel workbook (.xls)",
    "ods": "OpenDocument spreadsheet (.ods)",
    "parquet": "Parquet",
    "events": "Text files of events",
    "spss": "SPSS",
    "portable": "SPSS portable file",
    "stata": "Stata",
    "xport": "SAS transport file (XPORT)",
    "sas": "SAS data set (.sas7bdat)",
    "fhir": "FHIR R4 (JSON)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFormat:
    """How a file holds its table, as found; each attribute can be chosen in its place.

    Attributes
    ----------
    file : str
    encoding : str
        "UTF-8", "GB18030" and others; empty where the file says it itself.
    separator : str
        Of the cells; empty where the file has none.
    decimal, thousands : str
        Marks within numbers; thousands is empty where there is no mark.
    header_row : int or None
        Row of the column names, from 0, empty lines not counted; None: the file has none.
    sheet : str
        Of a workbook; `sheets` are all of them, in order.
    """

    file: FileKind = "text"
    encoding: str = ""
    separator: str = ""
    decimal: str = "."
    thousands: str = ""
    header_row: int | None = 0
    sheet: str = ""
    sheets: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        """Return the format as plain data, for a bundle."""
        return asdict(self) | {"sheets": list(self.sheets)}

    @property
    def words(self) -> str:
        """Name the format for people."""
        if self.file in _NAMES:
            sheet = f", sheet {self.sheet}" if len(self.sheets) > 1 else ""
            return _NAMES[self.file] + sheet
        if self.file == "arff":
            return f"ARFF, {self.encoding}"
        return f"CSV, {SEPARATORS.get(self.separator, self.separator)} separated, {self.encoding}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where one value of a table comes from.

    Attributes
    ----------
    row : int
        From 0.
    column : str
    resource : str
        Its type: "Observation".
    place : str
        Where it stands in the file: "entry[12]"; never an identifier of a person.
    date : str
        ISO date of the finding; empty where the resource says none.
    code : str
        "LOINC 2093-3".
    told : str
        The value as the resource tells it, with its unit.
    """

    row: int
    column: str
    resource: str
    place: str
    date: str = ""
    code: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as text.

    Attributes
    ----------
    frame : DataFrame of str
        One column for each header cell, in file order; cells are stripped, gaps are "", numbers
        have a point before their decimals and no mark of thousands.
    format : str
        "CSV, semicolon separated, UTF-8".
    notices : tuple of str
        Odd but usable things.
    found : TableFormat
        The layout, for correction.
    declared : dict of str to str
        "category" or "date" of the columns of which the file itself says so.
    outcomes : tuple of str
        Of a table of events: parameters that were told beside the outcome.
    titles : dict of str to str
        What the file calls a column beside its short name, as SPSS, Stata and SAS do.
    origins : tuple of Origin
        Of a record of FHIR: where each value comes from.
    codes : dict of str to dict of str to str
        Of a data set of SPSS, Stata or SAS: what stood in the file for each text of a column.
    """

    frame: pd.DataFrame
    format: str
    notices: tuple[str, ...] = ()
    found: TableFormat = field(default_factory=TableFormat)
    declared: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def is_same_name(one: str, other: str) -> bool:
    """Say whether two names differ in case, blanks and punctuation only, and not in what `signs` says.

    >>> is_same_name("Neut #", "neut#"), is_same_name("NEUT#", "NEUT%"), is_same_name("EF", "EF %")
    (True, False, True)
    """
    return canonical(one) == canonical(other) and not contradict(one, other)


def contradict(one: str, other: str) -> bool:
    """Say whether two names have different signs; a name without any contradicts none."""
    return bool(signs(one) and signs(other) and signs(one) != signs(other))


def signs(name: str) -> frozenset[str]:
    """Return the signs that tell a count (#) from a share (%), and a finding (+) from its absence (-)."""
    plain = name.strip()
    return frozenset(sign for sign in "#%" if sign in plain) | (frozenset(plain[-1:]) & {"+", "-"})


def canonical(name: str) -> str:
    """Return a column name without case, blanks and punctuation, for comparing; letters of any script."""
    return re.sub(r"[\W_]+", "", name.lower())


def check_size(rows: int, columns: int, *, may_be_events: bool = False) -> None:
    """Raise `InvalidInput` for a table with too many rows (its header included) or columns."""
    most = MOST_EVENTS if may_be_events and columns in _NARROW else MOST_ROWS
    if rows > most + 1 or columns > MOST_COLUMNS:
        raise InvalidInput(
            f"expected at most {most:,} rows and {MOST_COLUMNS:,} columns, got more",
            hint="Split the table into parts.",
        )
    if rows * columns > MOST_CELLS:
        raise InvalidInput(
            f"expected at most {MOST_CELLS:,} cells, got more", hint="Split the table into parts."
        )


def check_chosen(chosen: Mapping[str, Any]) -> None:
    """Raise `ContractError` where something else is chosen than an attribute of the format."""
    unknown = set(chosen) - {one.name for one in fields(TableFormat)}
    if unknown:
        raise ContractError(f"a table format has no {', '.join(sorted(unknown))}")
