"""What every cleaning step is: plain data that does one thing to a table of text."""

from __future__ import annotations

from typing import Self

import pandas as pd
from pydantic import BaseModel, ConfigDict

__all__ = ["DAY_ORDER", "StepBase"]

#: The order in dates, for the card.
DAY_ORDER = {True: "the day before the month", False: "the month before the day"}


class StepBase(BaseModel):
    """One step; `chooses_rows` marks those that are only for the rows to learn from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def words(self) -> str:
        """Say what the step does, for the card."""
        raise NotImplementedError

    @property
    def chooses_rows(self) -> bool:
        """Whether the step leaves out rows, and so is for training only."""
        return False

    @property
    def named(self) -> tuple[str, ...]:
        """Columns of a new table that the step must find, however they are spelled there."""
        column = getattr(self, "column", None)
        return (str(column),) if column else ()

    def fitted(self, frame: pd.DataFrame) -> Self:
        """Return the step with what it must find out in the table to learn from, and not in each new one."""
        return self

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the changed table; the one that is given stays."""
        return frame
