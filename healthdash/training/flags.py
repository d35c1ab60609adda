"""The settings of a run as flags of the command line, and what to say of those that mean nothing."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from healthdash.errors import InvalidInput
from healthdash.training.settings import About, TrainSettings, abouts
from healthdash.training.studio.networks import NETWORKS

__all__ = ["add", "check", "choices", "flag", "settings", "without"]


def choices(name: str) -> Mapping[str, str]:
    """Return the values of a setting that is a choice, each with its words."""
    if name == "network":
        return {one.slug: one.title for one in NETWORKS.values()}
    return abouts()[name].choices


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return f"--{name.replace('_', '-')}"


def add(parser: argparse.ArgumentParser) -> None:
    """Give a command the flags of every setting."""
    for one in fields(TrainSettings):
        about: About = one.metadata["about"]
        text = about.help.replace("%", "%%")
        if about.kind == "flag":
            what = f"no {text[:1].lower()}{text[1:]}"
            parser.add_argument(f"--no-{one.name}", dest=one.name, action="store_false", help=what)
        else:
            allowed = tuple(choices(one.name)) or None
            kind = {"whole": int, "number": float}.get(about.kind, str)
            parser.add_argument(
                flag(one.name), default=one.default, type=kind, choices=allowed, help=text
            )  # fmt: skip


def settings(options: argparse.Namespace) -> TrainSettings:
    """Return the settings that flags stand for.

    Raises
    ------
    InvalidInput
        A number is out of its limits.
    """
    found = TrainSettings(**{one.name: getattr(options, one.name) for one in fields(TrainSettings)})
    problems = [
        f"{flag(name)}: expected {about.low:g} to {about.high:g}, got {value:g}"
        for name, about in abouts().items()
        if about.kind in ("whole", "number")
        and (value := getattr(found, name)) is not None
        and not about.low <= value <= about.high
    ]
    if problems:
        raise InvalidInput(problems, hint="Choose values within these limits.")
    return found


def check(chosen: TrainSettings, heeded: Collection[str], what: str) -> None:
    """Refuse settings that a training would not heed: they would only seem to do something.

    Parameters
    ----------
    heeded : collection of str
        Names of the settings that mean something.
    what : str
        Whose training it is, for the message.

    Raises
    ------
    InvalidInput
        Another setting was chosen; the message names all such.
    """
    given = _given(chosen)
    problems = [
        f"{abouts()[name].label.lower()} ({flag(name)}) means nothing for {what}"
        for name in given
        if name not in heeded
    ]
    if problems:
        raise InvalidInput(problems, hint="Leave these settings out.")


def without(chosen: TrainSettings, heeded: Collection[str]) -> TrainSettings:
    """Return the settings with those that are not heeded as if nobody had chosen them."""
    default = TrainSettings()
    left: dict[str, Any] = {n: getattr(default, n) for n in _given(chosen) if n not in heeded}
    return replace(chosen, **left)


def _given(chosen: TrainSettings) -> list[str]:
    """Return the settings that are not as they are by themselves."""
    return [one.name for one in fields(chosen) if getattr(chosen, one.name) != one.default]
