"""How a table is read and mended before training, as one small file that a person can check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from healthdash.errors import InputError, InvalidInput

from .steps import Step

__all__ = ["Cleaning", "CleaningFile"]


class CleaningFile(BaseModel):
    """Plain data that is kept as a JSON file and can be given back on the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read it from JSON: a cleaning alone, or a whole data report that holds one.

        Raises
        ------
        InputError
            It cannot be opened.
        InvalidInput
            It holds something else.
        """
        try:
            told = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls.model_validate(told.get("cleaning", told) if isinstance(told, dict) else told)
        except OSError as error:
            raise InputError(
                f"the cleaning cannot be opened: {error.strerror}", hint="Check --cleaning."
            ) from error
        except (ValidationError, ValueError) as error:
            raise InvalidInput(
                f"expected a cleaning as JSON with {' and '.join(cls.model_fields)}, got something else",
                hint="Give what `python -m healthdash check` prints, or the object under its key cleaning.",
            ) from error


class Cleaning(CleaningFile):
    """What was chosen for one table.

    Attributes
    ----------
    layout : dict
        Attributes of `TableFormat` that are taken in place of what is found.
    steps : tuple of Step
        In their order.
    """

    layout: dict[str, Any] = {}
    steps: tuple[Step, ...] = ()
