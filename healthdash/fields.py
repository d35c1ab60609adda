"""Typed inputs of a task: what may come in, in which unit and range.

A field validates one value and drives one widget of a form. Fields know nothing of a model:
the range that a model was trained on is in its bundle and is checked by the gate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["CategoryField", "Field", "NumberField"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One named input of a table row.

    Attributes
    ----------
    name : str
        Column name as the data set publishes it.
    label : str
        What people call it.
    description : str
        One sentence: how it is measured or coded, with its source.
    required : bool
        Whether the column must be there; single values may be missing all the same.
    is_mutable : bool
        Whether it can be other than it is for one patient; sex at birth and history cannot. A
        counterfactual changes mutable fields only.
    direction : "either", "up" or "down"
        The way in which it can change: age goes up only.
    """

    name: str
    label: str
    description: str = ""
    required: bool = True
    is_mutable: bool = True
    direction: Literal["either", "up", "down"] = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberField(Field):
    """A number with a unit and the range in which a value is possible at all.

    Attributes
    ----------
    unit : str
        Unit as shown to people; empty for counts and scores.
    low, high : float
        Values outside cannot be right (a typing error, another unit) and are refused.
    default : float or None
        What a form starts with.
    step : float
        Step of the form's widget; 1 means whole numbers.
    takes_percent : bool
        Whether "58 %" may stand for 58. Not where 58 % may be 0.58.
    """

    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    default: float | None = None
    step: float = 1.0
    takes_percent: bool = True

    def problem(self, value: float) -> str | None:
        """Say what is wrong with a value, or None; NaN means missing and is right."""
        if math.isnan(value) or self.low <= value <= self.high:
            return None
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.label}: expected {self.low:g} to {self.high:g}{unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryField(Field):
    """One of several codes.

    Attributes
    ----------
    choices : dict of str to str
        Code as the file holds it, to what it means. Codes outside count as unknown.
    default : str or None
        What a form starts with.
    not_proposed : tuple of str
        Codes that a counterfactual never proposes, such as a death.
    """

    choices: dict[str, str] = field(default_factory=dict)
    default: str | None = None
    not_proposed: tuple[str, ...] = ()
