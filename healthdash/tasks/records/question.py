"""The question that a user's own table poses: what goes in, what is asked, and how cells are mended.

It is found once, when a model is trained, and travels in the bundle's `preprocessing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from healthdash.errors import ModelMismatch
from healthdash.fields import CategoryField, Field, NumberField
from healthdash.tables.kinds import Profile, is_gap, numbers_of
from healthdash.tables.layout import canonical, is_same_name
from healthdash.tables.steps import Step, dumped, loaded

__all__ = ["Question", "fields_of", "named_alike"]

#: A column of numbers that are never below 0 is seen by its logarithm when it is this skewed.
_SKEWED = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a table.

    Attributes
    ----------
    target : str
        Column of the outcome.
    group : str or None
        Column of the patient, where one has several rows.
    labels : tuple of str
        In the order of the network's outputs.
    fields : tuple of Field
        The inputs, in the order of the network's columns.
    columns : tuple of dict
        Name and kind of each, with `log`; in a bundle with what was learnt of it.
    steps : tuple of Step
        How cells are mended before they are read.
    layout : dict
        The format of the table that it was learnt from, for people.
    """

    target: str
    labels: tuple[str, ...]
    fields: tuple[Field, ...]
    columns: tuple[Mapping[str, Any], ...]
    group: str | None = None
    steps: tuple[Step, ...] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """Return what a bundle keeps, as plain data; its labels and columns are kept anyway."""
        return {
            "target": self.target,
            "group": self.group,
            "fields": [_stored(one) for one in self.fields],
            "steps": dumped(self.steps),
            "layout": dict(self.layout),
        }

    @classmethod
    def of(cls, preprocessing: Mapping[str, Any], labels: Sequence[str]) -> Question:
        """Return the question of a bundle.

        Raises
        ------
        ModelMismatch
            The bundle was not made by this task.
        """
        try:
            columns = {one["name"]: one for one in preprocessing["columns"]}
            return cls(
                target=preprocessing["target"],
                group=preprocessing["group"],
                labels=tuple(labels),
                fields=tuple(_loaded(one, columns.get(one["name"], {})) for one in preprocessing["fields"]),
                columns=tuple(preprocessing["columns"]),
                steps=tuple(loaded(preprocessing["steps"])),
                layout=preprocessing["layout"],
            )
        except (KeyError, TypeError) as error:
            raise ModelMismatch(
                "the bundle does not say what it asks of a table", hint="Train it again."
            ) from error

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that is asked for or spoken of, as the table to learn from spelled it."""
        about = [name for step in self.steps for name in step.named]
        named = [one.name for one in self.fields] + [self.target, self.group, *about]
        return tuple(dict.fromkeys(name for name in named if name))


def fields_of(
    frame: pd.DataFrame, profiles: Sequence[Profile], *, rarest: int
) -> Iterator[tuple[Field, dict[str, Any]]]:
    """Yield the field and the network's column of each profile that a network can take in.

    Parameters
    ----------
    frame : DataFrame of str
        The rows to learn from, after cleaning. Only medians and common codes are kept of them.
    rarest : int
        Codes seen less often are not offered: they count as unknown, and may point to one patient.
    """
    for profile in profiles:
        text = frame[profile.name]
        if profile.is_number:
            numbers = numbers_of(text)
            numbers = numbers[np.isfinite(numbers)]
            column = {"name": profile.name, "kind": "number", **_scale(numbers)}
            has_percent = bool(text.str.contains("%", regex=False).any())
            yield _number(profile, numbers, has_percent=has_percent), column
        elif profile.is_input:
            counts = text[~is_gap(text)].value_counts()
            codes = [str(code) for code in counts.index[counts >= rarest]]
            if codes:
                yield _category(profile, codes), {"name": profile.name, "kind": "category"}


def named_alike(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the table with its columns spelled as in `names`, whatever their case and punctuation.

    A column of the very name is the one that is meant. Columns that are there twice get a number, so that a
    step meets one of them.
    """
    there = set(map(str, frame.columns))
    absent = [name for name in names if name not in there and canonical(name)]
    found: list[str] = []
    for column in map(str, frame.columns):
        alike = [] if column in names else [name for name in absent if is_same_name(name, column)]
        name = alike[0] if alike else column
        again = 2
        while name in found:
            name, again = f"{column} ({again})", again + 1
        found.append(name)
    return frame.set_axis(found, axis=1)


def _number(profile: Profile, numbers: np.ndarray, *, has_percent: bool) -> NumberField:
    middle = float(np.median(numbers)) if len(numbers) else 0.0
    is_whole = profile.kind == "whole number"
    digits = 0 if is_whole else max(0, 2 - int(np.floor(np.log10(abs(middle) or 1e-6))))
    step = 1.0 if is_whole or digits == 0 else 10.0**-digits
    takes_percent = has_percent or not len(numbers) or not _may_be_shares(numbers.min(), numbers.max())
    return NumberField(
        name=profile.name,
        label=profile.name,
        default=round(middle, digits),
        step=step,
        takes_percent=takes_percent,
    )


def _may_be_shares(low: float, high: float) -> bool:
    """Say whether bare numbers of a range may be parts of 1, so that 58 % would be 0.58 among them.

    Without a unit they may as well be concentrations: there percent is refused and not divided by 100, as a
    value that is wrong by 100 would be noticed by nobody.
    """
    return bool(low >= 0 and high <= 1)


def _scale(numbers: np.ndarray) -> dict[str, Any]:
    spread = float(numbers.std()) if len(numbers) else 0.0
    if not spread or (numbers < 0).any():
        return {}
    skew = float((((numbers - numbers.mean()) / spread) ** 3).mean())
    return {"log": True} if skew > _SKEWED else {}


def _category(profile: Profile, codes: list[str]) -> CategoryField:
    choices = {code: code for code in codes}
    return CategoryField(name=profile.name, label=profile.name, choices=choices, default=codes[0])


def _stored(one: Field) -> dict[str, Any]:
    if isinstance(one, NumberField):
        number = {"kind": "number", "name": one.name, "default": one.default, "step": one.step}
        return number | {"takes_percent": one.takes_percent}
    assert isinstance(one, CategoryField)
    return {"kind": "category", "name": one.name, "default": one.default, "choices": list(one.choices)}


def _loaded(stored: Mapping[str, Any], column: Mapping[str, Any]) -> Field:
    """Return a field; of one that was stored without a word on percent the range of training decides."""
    name, default = str(stored["name"]), stored["default"]
    if stored["kind"] == "number":
        may_be_shares = _may_be_shares(column.get("low", np.nan), column.get("high", np.nan))
        return NumberField(
            name=name,
            label=name,
            default=default,
            step=float(stored["step"]),
            takes_percent=bool(stored.get("takes_percent", not may_be_shares)),
        )
    choices = {str(code): str(code) for code in stored["choices"]}
    return CategoryField(name=name, label=name, default=default, choices=choices)
