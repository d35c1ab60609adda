"""How a table is read and mended before training, as one small file that a person can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from healthdash.errors import InputError, InvalidInput

from .steps import Step

__all__ = ["Cleaning"]


class Cleaning(BaseModel):
    """What was chosen for one table.

    Attributes
    ----------
    layout : dict
        Attributes of `TableFormat` that are taken in place of what is found.
    steps : tuple of Step
        In their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: dict[str, Any] = {}
    steps: tuple[Step, ...] = ()

    @classmethod
    def from_file(cls, path: str | Path) -> Cleaning:
        """Read a cleaning from JSON.

        Raises
        ------
        InputError
            It cannot be opened.
        InvalidInput
            It holds something else.
        """
        try:
            return cls.model_validate_json(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(
                f"the cleaning cannot be opened: {error.strerror}", hint="Check --cleaning."
            ) from error
        except (ValidationError, ValueError) as error:
            raise InvalidInput(
                "expected a cleaning as JSON with layout and steps, got something else",
                hint="Write the steps as `python -m healthdash check` prints them.",
            ) from error
