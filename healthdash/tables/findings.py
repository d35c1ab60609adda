"""What a data report says: findings in words, each with remedies that are recorded steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from typing_extensions import TypeVar

from .kinds import Profile, is_gap, numbers_of
from .steps import Step

__all__ = ["Finding", "Remedy", "Severity", "Table", "stopping"]

#: What a remedy does: a step of a table, or of a set of files.
AnyStep = TypeVar("AnyStep", default=Step, covariant=True)
Severity = Literal["error", "warning", "note"]
#: Rows that costly questions are asked of; the answer for more is the same.
_SAMPLED = 20_000
_STOPS = frozenset(("one-label", "too-many-labels", "too-few", "nothing-left"))


@dataclass(frozen=True, slots=True)
class Remedy(Generic[AnyStep]):
    """What can be done about a finding with one click.

    Attributes
    ----------
    words : str
        "Leave the column out".
    steps : tuple of steps
    is_default : bool
        Done by itself where nobody is asked, as on the command line.
    """

    words: str
    steps: tuple[AnyStep, ...]
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Finding(Generic[AnyStep]):
    """One thing that the report found.

    Attributes
    ----------
    code : str
        Which question found it, for programs: "constant", "gives-the-answer".
    severity : str
        "error": training cannot go on, or its figures would be wrong; "warning": look at it;
        "note": good to know.
    words : str
        For people.
    columns : tuple of str
        Those concerned.
    remedies : tuple of Remedy
        The best first; empty where there is nothing to click.
    """

    code: str
    severity: Severity
    words: str
    columns: tuple[str, ...] = ()
    remedies: tuple[Remedy[AnyStep], ...] = ()

    @property
    def default(self) -> tuple[AnyStep, ...]:
        """Steps that are taken where nobody is asked."""
        return next((remedy.steps for remedy in self.remedies if remedy.is_default), ())


def stopping(findings: Iterable[Finding[AnyStep]], *, one_is_enough: bool = False) -> list[Finding[AnyStep]]:
    """Return the findings with which no model can be trained.

    Parameters
    ----------
    one_is_enough : bool
        One label can be learnt too: what is usual.
    """
    stops = _STOPS - {"one-label"} if one_is_enough else _STOPS
    return [one for one in findings if one.code in stops]


@dataclass(frozen=True, eq=False)
class Table:
    """A table of text under report, with what every question needs of it.

    Attributes
    ----------
    frame : DataFrame of str
    profiles : dict of str to Profile
        Of every column.
    target : str
    group : str or None
    unit : str
        What a row is, for people.
    outcomes : tuple of str
        Columns that were told beside the outcome, in a table of outcomes.
    """

    frame: pd.DataFrame
    profiles: Mapping[str, Profile]
    target: str
    group: str | None = None
    seed: int = 0
    unit: str = "row"
    outcomes: tuple[str, ...] = ()
    _cache: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @property
    def inputs(self) -> list[Profile]:
        """Columns beside outcome and group."""
        return [one for name, one in self.profiles.items() if name not in (self.target, self.group)]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Different values of the outcome, sorted; gaps are none."""
        text = self.frame[self.target]
        return tuple(sorted({str(value) for value in text[~is_gap(text)].unique()}))

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """Number of each row's label (n,), -1 for a gap."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        return np.asarray([numbers.get(str(value), -1) for value in self.frame[self.target]], np.int64)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Number of each row's group (n,); without a group each row is one."""
        if self.group is None or self.group not in self.frame:
            return np.arange(len(self.frame))
        text = self.frame[self.group]
        numbers = np.asarray(pd.factorize(text)[0], np.int64)
        gaps = is_gap(text)
        numbers[gaps] = len(text) + np.arange(int(gaps.sum()))
        return numbers

    @cached_property
    def sampled(self) -> NDArray[np.int64]:
        """Rows with a label, at most 20,000 of them, whole groups."""
        rows = np.flatnonzero(self.truth >= 0)
        if len(rows) <= _SAMPLED:
            return rows
        order = np.random.default_rng(self.seed).permutation(int(self.groups.max()) + 1)
        return np.sort(rows[np.argsort(order[self.groups[rows]], kind="stable")][:_SAMPLED])

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column's numbers (n,), NaN for gaps."""
        if name not in self._cache:
            self._cache[name] = numbers_of(self.frame[name])
        return self._cache[name]
