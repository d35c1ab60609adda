"""Codings: what the codes of several columns mean together, where some files code them in another way.

The same columns circulate with other codes under the same names. Which coding a file has cannot be known
from a cell, hardly from a column, and never for certain: what is found here is offered, and somebody chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .mapping import ColumnMapping, Link

__all__ = ["Coding", "CodingQuestion", "coded", "fitting", "plain_code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One way in which files code some fields.

    Attributes
    ----------
    name : str
        For the command line: "kaggle".
    title : str
        For people.
    source : str
        Where these codes are found, and how their meaning is known.
    words : dict of str to dict of str to str
        Field to its cells and the task's code of each; an empty code says "not known".
    """

    name: str
    title: str
    source: str
    words: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingQuestion:
    """That somebody must say how a table is coded.

    Attributes
    ----------
    found : str
        What was found.
    todo : str
        What to do about it, where a mapping can be given.
    choices : tuple of Coding
        Those that know every code of the table, the likeliest first; none where no known one does.
    """

    found: str
    todo: str
    choices: tuple[Coding, ...] = ()

    @property
    def problem(self) -> str:
        """What was found and what to do about it, in a sentence."""
        return f"{self.found}; {self.todo}"


def plain_code(cell: str) -> str:
    """Return a code without the decimals that a spreadsheet adds: "3.0" is 3."""
    return re.sub(r"^(-?\d+)[.,]0+$", r"\1", cell.strip())


def fitting(codings: Sequence[Coding], seen: Mapping[str, Iterable[str]]) -> tuple[Coding, ...]:
    """Return the codings that know every number among the cells of each field; words speak for themselves."""
    return tuple(
        one
        for one in codings
        if all(
            set(filter(str.isdecimal, cells)) <= set(one.words[name])
            for name, cells in seen.items()
            if name in one.words
        )
    )


def coded(mapping: ColumnMapping, coding: Coding) -> ColumnMapping:
    """Return a mapping whose columns are read by a coding, whatever cells were said to mean before."""
    return ColumnMapping(tuple(_coded(link, coding) for link in mapping.links))


def _coded(link: Link, coding: Coding) -> Link:
    words = coding.words.get(link.field)
    return replace(link, how="chosen", words=dict(words)) if words and link.column else link
