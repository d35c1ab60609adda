"""What a column is by its name alone: an identifier of people, of their stays, of things or of rows."""

from __future__ import annotations

import re

__all__ = [
    "identifies",
    "is_bare_id",
    "may_name_people",
    "names_patients",
    "names_people",
    "names_stays",
    "numbers_rows",
]

_ID_WORDS = frozenset(
    ("id", "ids", "mrn", "uuid", "guid", "key", "nr", "no", "nbr", "num", "number", "pid", "subject", "case")
)
_PEOPLE = frozenset(("patient", "subject", "participant", "person", "proband"))
_ID_ENDS = ("id", "nbr", "mrn", "uuid", "_no", "_nr")
#: Names of columns that number the rows, as R, pandas and spreadsheets write them beside a table.
_ROW_NUMBERS = re.compile(
    r"row_?(?:names?|nums?|numbers?|nr|no|id|index)?|index|s(?:r|erial)?[._ ]?no\.?|unnamed: ?0", re.I
)
#: Words that end as identifiers do: a fluid, a steroid, twice a day.
_NO_ID = re.compile(
    r"(?:fluid|roid|opioid|(?<![a-z])acid|covid|lipid|solid|rapid|valid|grid|(?<![a-z])[bqt]id)$"
)
#: Names of columns whose values are people or their stays, beside which others are codes ("type_id").
_PERSON = re.compile(r"patient|person|subject|participant|proband|(?<![a-z])p(?:at)?id|pid$|mrn", re.I)
_STAY = re.compile(r"stay|encounter|visit|admission|hadm|episode|case", re.I)
_CODE = re.compile(r"type|concept|source|kind|code|class", re.I)
#: What has an identifier of its own and is no patient: places, staff, devices, and what is done or given.
_THING = re.compile(
    r"hospital|clinic|cent(?:er|re)|site|ward|unit|icu|dep(?:artmen)?t|room|bed|facility|practice|"
    r"region|county|country|state|city|zip|doctor|physician|surgeon|nurse|provider|staff|operator|reader|rater|"
    r"device|machine|scanner|status|disposition|drug|medic|procedure|diagnos|item|test|lab|batch|plate|trial",
    re.I,
)


def identifies(name: str) -> bool:
    """Say whether a name is that of an identifier: patient_id, MRN, encounterNbr."""
    parts = _parts(name)
    plain = name.lower()
    if parts and parts[0].lower() in ("num", "number", "no"):
        return False  # number_of_visits counts
    if plain in _PEOPLE:
        return True
    return bool({part.lower() for part in parts} & _ID_WORDS) or (
        plain.endswith(_ID_ENDS) and not _NO_ID.search(plain)
    )


def numbers_rows(name: str) -> bool:
    """Say whether a column is named as one that numbers the rows."""
    return bool(_ROW_NUMBERS.fullmatch(name.strip()))


def is_bare_id(name: str) -> bool:
    """Say whether a name is "id" alone: of patients, or of their visits where others name the patients."""
    return name.strip().lower() == "id"


def names_people(name: str) -> bool:
    """Say whether a column is named after patients or their stays, and not after a kind of them."""
    return bool(_PERSON.search(name) or _STAY.search(name)) and not _CODE.search(name)


def names_patients(name: str) -> bool:
    """Say whether a column is named after patients."""
    return bool(_PERSON.search(name)) and not _CODE.search(name)


def may_name_people(name: str) -> bool:
    """Say whether an identifier may be that of people, as study_id and RecordID; not hospital_id."""
    parts = {part.lower() for part in _parts(name)}
    return bool(parts & {"id", "ids", "uuid", "guid"}) and not (_THING.search(name) or _CODE.search(name))


def names_stays(name: str) -> bool:
    """Say whether a column is named after stays in a hospital."""
    return bool(_STAY.search(name)) and not _CODE.search(name)


def _parts(name: str) -> list[str]:
    """Return the words of a name: encounter and Nbr of encounterNbr."""
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
