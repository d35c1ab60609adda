"""How tables of the 13 UCI columns are coded: as UCI published them, or as copies recoded them.

The recoded files were compared with `processed.cleveland.data` (doi:10.24432/C52P4X), whose rows they hold:
age, blood pressure, cholesterol and heart rate find the row, and the codes beside them say what became of
each. 63,1,1,145,233,1,2,150,0,2.3,3,0,6 at UCI is 63,1,3,145,233,1,0,150,0,2.3,0,0,1 in one and
63,1,0,145,233,1,2,150,0,2.3,2,0,1 in the other. Descriptions of these files differ; the rows count here.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from healthdash.tables.coding import Coding, CodingQuestion, fitting, plain_code
from healthdash.tables.layout import canonical
from healthdash.tables.mapped import Mapped

__all__ = ["CODINGS", "question"]

_PUBLISHED = Coding(
    name="uci",
    title="UCI: chest pain 1 to 4, slope 1 to 3, thallium scan 3, 6, 7; 0 means not measured",
    source="heart-disease.names, UCI, doi:10.24432/C52P4X",
    words={
        "cp": {"0": "", "1": "1", "2": "2", "3": "3", "4": "4"},
        "restecg": {"0": "0", "1": "1", "2": "2"},
        "slope": {"0": "0", "1": "1", "2": "2", "3": "3"},
        "ca": {"0": "0", "1": "1", "2": "2", "3": "3"},
        "thal": {"0": "0", "3": "3", "6": "6", "7": "7"},
    },
)
_KAGGLE = Coding(
    name="kaggle",
    title="Kaggle heart.csv (303 or 1,025 rows): chest pain 0 asymptomatic to 3 typical angina",
    source="heart.csv, 'Heart Disease UCI' on Kaggle; its rows were compared with those of UCI. "
    "Its column target, which is not read, is 1 where UCI says absent",
    words={
        "cp": {"0": "4", "1": "2", "2": "3", "3": "1"},
        "restecg": {"0": "2", "1": "0", "2": "1"},
        "slope": {"0": "3", "1": "2", "2": "1"},
        "ca": {"0": "0", "1": "1", "2": "2", "3": "3", "4": ""},
        "thal": {"0": "", "1": "6", "2": "3", "3": "7"},
    },
)
_FROM_ZERO = Coding(
    name="from-zero",
    title="heart_cleveland_upload.csv: the codes of UCI counted from 0",
    source="heart_cleveland_upload.csv, Kaggle; its rows were compared with those of UCI",
    words={
        "cp": {"0": "1", "1": "2", "2": "3", "3": "4"},
        "restecg": {"0": "0", "1": "1", "2": "2"},
        "slope": {"0": "1", "1": "2", "2": "3"},
        "ca": {"0": "0", "1": "1", "2": "2", "3": "3"},
        "thal": {"0": "3", "1": "6", "2": "7"},
    },
)
CODINGS = (_PUBLISHED, _KAGGLE, _FROM_ZERO)

_CODED = ("cp", "slope", "thal")
#: Names of columns that recoded copies have, and the files of UCI have not.
_RECODED_NAMES = frozenset(
    ("target", "output", "condition", "slp", "caa", "thall", "exng", "thalachh", "trtbps")
)
#: Above this share of "thal 0" a scan is hardly missing: it was in 2 of 303 rows, and normal in 166.
_FEW = 0.2


def question(found: Mapped) -> CodingQuestion | None:
    """Return what must be asked of a table whose codes may not be those of UCI; None: they are.

    Parameters
    ----------
    found : Mapped
        A field whose cells somebody gave a meaning is not looked at.
    """
    seen = _seen(found)
    reasons = list(_reasons(seen, found))
    if not reasons:
        return None
    names = ", ".join(name for name in _CODED if name in seen)
    why = f"columns {names}: {' and '.join(reasons)}, so that the codes may not be those of UCI"
    choices = sorted(fitting(CODINGS, seen), key=lambda one: _doubt(one, found))
    if not choices:
        return CodingQuestion(found=why, todo="no known coding fits: say in a mapping what each code means")
    known = " or ".join(one.name for one in choices)
    todo = f"choose what they are ({known}), on the page or with map --coding"
    return CodingQuestion(found=why, todo=todo, choices=tuple(choices))


def _seen(found: Mapped) -> dict[str, frozenset[str]]:
    """Return the codes of each column that nobody gave a meaning; gaps and words are none."""
    coded = [link for link in found.mapping.links if link.column and link.field in _PUBLISHED.words]
    return {
        link.field: frozenset(_codes(found, link.field).unique()) & set("01234567")
        for link in coded
        if not link.words
    }


def _codes(found: Mapped, name: str) -> pd.Series:
    """Return the codes of a field, whatever the case of its column; empty where the table has none."""
    frame = found.text.frame
    at = next((i for i, one in enumerate(frame.columns) if canonical(str(one)) == canonical(name)), None)
    cells = pd.Series(dtype=object) if at is None else frame.iloc[:, at]
    plain = {cell: plain_code(str(cell)) for cell in cells.unique()}
    return cells.map(plain)


def _reasons(seen: Mapping[str, frozenset[str]], found: Mapped) -> list[str]:
    """Return what speaks against the codes of UCI."""
    cp, slope, thal = (seen.get(name, frozenset()) for name in _CODED)
    reasons = []
    if "0" in cp:
        reasons.append("cp holds 0")
    if thal - set("0367"):
        reasons.append("thal holds other codes than 3, 6 and 7")
    # Copies write 0 for "not measured": seen where the other codes are those of UCI alone.
    is_of_uci = "4" in cp or "3" in slope or bool(thal & set("67"))
    if "0" in slope and not is_of_uci:
        reasons.append("slope holds 0")
    headers = {canonical(link.column) for link in found.mapping.links if link.column}
    headers |= {canonical(str(name)) for name in found.text.frame.columns}
    if not reasons and (cp | slope | thal) and not is_of_uci and headers & _RECODED_NAMES:
        reasons.append("the columns have names of a recoded copy")
    return reasons


def _doubt(coding: Coding, found: Mapped) -> int:
    """Return how little a coding is like the table: the likeliest first."""
    many_zeros = float((_codes(found, "thal") == "0").mean()) > _FEW
    order = (_FROM_ZERO, _KAGGLE, _PUBLISHED) if many_zeros else (_KAGGLE, _FROM_ZERO, _PUBLISHED)
    return order.index(coding)
