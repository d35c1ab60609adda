"""Cleaning steps of labelled files: plain data that says what is done, never a file's name.

Those on columns (labels, groups) are the steps of tables; the others are about what a file holds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from healthdash.tables.cleaning import CleaningFile
from healthdash.tables.steps import GroupBy, JoinValues, LeaveOutRows

__all__ = ["NEEDED", "Fault", "ItemCleaning", "ItemStep", "KeepTogether", "LeaveOut", "TakeLeads"]

#: What an item may be left out for; a kind of data has faults of its own, such as "flat".
Fault = Literal["unreadable", "copies", "contradictions", "near copies", "blank", "flat", "clipped"]
_WORDS: dict[Fault, str] = {
    "unreadable": "files that cannot be used were left out",
    "copies": "one of each set of copies was kept",
    "contradictions": "copies under different labels were left out",
    "near copies": "one of each set of near copies was kept",
    "blank": "blank pictures were left out",
    "flat": "recordings with a flat lead were left out",
    "clipped": "recordings with cut-off waves were left out",
}


class _Base(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeaveOut(_Base):
    """Leave out items with a fault."""

    do: Literal["leave-out"] = "leave-out"
    what: Fault

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return _WORDS[self.what]


class KeepTogether(_Base):
    """Keep near copies in one part of every split."""

    do: Literal["keep-together"] = "keep-together"

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return "near copies were kept in one part of the split"


class TakeLeads(_Base):
    """Take these leads of every recording; one that lacks any is left out."""

    do: Literal["take-leads"] = "take-leads"
    leads: tuple[str, ...]

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        return f"leads taken: {', '.join(self.leads)}"


ItemStep = Annotated[
    GroupBy | JoinValues | LeaveOutRows | LeaveOut | KeepTogether | TakeLeads, Field(discriminator="do")
]

#: Done in every training: items without a label, or without a file that can be used, teach nothing.
NEEDED: tuple[ItemStep, ...] = (LeaveOut(what="unreadable"), LeaveOutRows(column="label"))


class ItemCleaning(CleaningFile):
    """What was chosen for one set of files: column of the label, if a table names it, and steps."""

    target: str | None = None
    steps: tuple[ItemStep, ...] = ()

    def grouped(self, column: str | None) -> ItemCleaning:
        """Return the same with another column of groups, where one is named."""
        if column is None:
            return self
        others = tuple(step for step in self.steps if not isinstance(step, GroupBy))
        return ItemCleaning(target=self.target, steps=(*others, GroupBy(column=column)))
