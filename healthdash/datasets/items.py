"""The items that are left after the steps: their labels and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.tables.kinds import is_gap
from healthdash.tables.steps import GroupBy, JoinValues, LeaveOutRows

from . import copies
from .listing import LABEL, Listing
from .steps import NEEDED, ItemStep, KeepTogether, LeaveOut, TakeLeads
from .survey import Survey

__all__ = ["Items", "replayed", "with_needed"]


@dataclass(frozen=True, eq=False)
class Items:
    """Items of a listing that are left.

    Attributes
    ----------
    listing : Listing
    survey : Survey
        Of its files.
    frame : DataFrame of str
        Those rows of the listing that are left, labels as the steps write them; the index says which.
    files : int64 (m,)
        Number of each item's file in the survey; -1 where it is not there.
    group : str or None
        Column by which the split is made.
    together : bool
        Whether near copies are kept in one part.
    """

    listing: Listing
    survey: Survey
    frame: pd.DataFrame
    files: NDArray[np.int64]
    group: str | None = None
    together: bool = False

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def unit(self) -> str:
        """What an item is, for people."""
        return self.listing.unit

    @property
    def rows(self) -> NDArray[np.int64]:
        """Number of each item's row in the listing, (m,)."""
        return np.asarray(self.frame.index, np.int64)

    @cached_property
    def is_usable(self) -> NDArray[np.bool_]:
        """Which items have a file that can be used, and a label, (m,)."""
        readable = np.append(self.survey.is_readable, False)[self.files]
        return np.asarray(readable & (self.frame[LABEL] != "").to_numpy(bool), bool)

    @cached_property
    def near(self) -> NDArray[np.int64]:
        """Pairs of places of items whose files are nearly, or wholly, the same; int64 (k, 2)."""
        used = np.unique(self.files[self.files >= 0])
        pairs = used[copies.near_pairs(self.survey.signatures[used], self.survey.alike)]
        place = np.zeros(len(self.survey.reasons), np.int64)
        place[self.files[::-1]] = np.arange(len(self))[::-1]  # the first item of each file
        return np.asarray(place[pairs], np.int64)

    @cached_property
    def named_groups(self) -> NDArray[np.str_]:
        """Group of each item by its column alone (m,); without a column each file is one."""
        alone = np.asarray([f"file {number}" for number in self.files], np.str_)
        if self.group is None or self.group not in self.frame:
            return alone
        text = self.frame[self.group]
        return np.asarray(np.where(is_gap(text), alone, text.astype(str)), np.str_)

    @cached_property
    def groups(self) -> NDArray[np.str_]:
        """What a split keeps whole, (m,)."""
        return copies.joined(self.named_groups, self.near) if self.together else self.named_groups

    @cached_property
    def copies(self) -> NDArray[np.bool_]:
        """Which items hold the same as an earlier one, (m,); several parts of one file are no copies."""
        first = self.content_of
        if self.is_whole:
            return np.asarray(pd.Series(first).duplicated() & (self.files >= 0), bool)
        return np.asarray((first != self.files) & (self.files >= 0), bool)

    @property
    def is_whole(self) -> bool:
        """Whether an item is a whole file, and not a part of it, such as a beat."""
        return self.unit == self.survey.unit

    @cached_property
    def contradicted(self) -> NDArray[np.bool_]:
        """Which items hold the same as an item of another label, (m,)."""
        labels = self.frame[LABEL].to_numpy(str)
        by_content = pd.Series(labels).groupby(
            np.where(self.content_of >= 0, self.content_of, -1 - self.rows)
        )
        differs = np.asarray(by_content.transform("nunique") > 1, bool)
        if self.is_whole:
            return differs
        same_file = pd.Series(labels).groupby(self.files).transform("nunique").to_numpy() > 1
        return np.asarray(differs & ~same_file, bool)

    @cached_property
    def later_of_near(self) -> NDArray[np.bool_]:
        """Which items are nearly the same as an earlier one, (m,)."""
        later = np.zeros(len(self), bool)
        later[self.near[:, 1]] = True
        return later

    @cached_property
    def content_of(self) -> NDArray[np.int64]:
        """Number of the first file that holds the same, (m,); -1 where there is no file."""
        first = np.append(copies.first_of(self.survey.contents), -1)
        present = first[self.files]
        # The first of those that are left, not of all.
        kept = pd.Series(self.files).groupby(present).transform("min").to_numpy()
        return np.where(self.files >= 0, kept, -1).astype(np.int64)

    def without(self, out: NDArray[np.bool_]) -> Items:
        """Return the items without some, (m,) true for those that go."""
        return replace(self, frame=self.frame[~out], files=self.files[~out])


def replayed(listing: Listing, survey: Survey, steps: Sequence[ItemStep]) -> Items:
    """Return the items that are left after steps, in their order."""
    items = Items(listing, survey, listing.frame, listing.file_of)
    for step in steps:
        items = _after(items, step)
    return items


def with_needed(listing: Listing, survey: Survey, steps: Sequence[ItemStep]) -> list[ItemStep]:
    """Return steps with those of `NEEDED` that leave something out."""
    taken = list(steps)
    for step in NEEDED:
        if len(replayed(listing, survey, [*taken, step])) < len(replayed(listing, survey, taken)):
            taken.append(step)
    return taken


def _after(items: Items, step: ItemStep) -> Items:
    if isinstance(step, GroupBy):
        return replace(items, group=step.column)
    if isinstance(step, KeepTogether):
        return replace(items, together=True)
    if isinstance(step, JoinValues):
        return replace(items, frame=step.apply(items.frame))
    if isinstance(step, LeaveOutRows):
        return items.without(~items.frame.index.isin(step.apply(items.frame).index))
    return items.without(_at_fault(items, step))


def _at_fault(items: Items, step: LeaveOut | TakeLeads) -> NDArray[np.bool_]:
    survey = items.survey
    if isinstance(step, TakeLeads):
        out = np.asarray([not set(step.leads) <= set(leads) for leads in survey.leads], bool)
        return np.append(out & survey.is_readable, False)[items.files]
    if step.what == "unreadable":
        return ~np.append(survey.is_readable, False)[items.files]
    of_items = {
        "copies": "copies",
        "contradictions": "contradicted",
        "near copies": "later_of_near",
    }
    if step.what in of_items:
        return np.asarray(getattr(items, of_items[step.what]), bool)
    return np.append(survey.faults.get(step.what, np.zeros(len(survey.reasons), bool)), False)[items.files]
