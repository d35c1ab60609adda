"""Who shares the output out: what the reader chose, and the players that it makes of an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash import explain
from healthdash.bundles import Bundle
from healthdash.explain import players
from healthdash.explain.players import Players
from healthdash.task import Arrays, Task

__all__ = [
    "COUNTS",
    "KINDS",
    "USUAL",
    "Among",
    "Groups",
    "as_address",
    "counts",
    "groups_of_address",
    "is_table",
    "kinds",
    "labels_of",
    "made",
    "title",
    "usual_count",
]

#: Named groups of columns, by the columns' own names.
Groups = tuple[tuple[str, tuple[str, ...]], ...]

#: Ways to divide an input, in words.
KINDS = {
    "columns": "Each column",
    "groups": "Groups of columns",
    "superpixels": "Regions alike in grey (superpixels)",
    "grid": "Squares of a grid",
    "stretches": "Stretches of equal length",
}
#: What the number of each kind may be: regions in all, squares along an edge, stretches of the trace.
COUNTS = {
    "superpixels": (6, 10, 16, 24, 32, 48, 64, 96),
    "grid": (2, 3, 4, 5, 6, 8, 10, 12),
    "stretches": (4, 6, 8, 12, 16, 24, 32),
}
_USUAL_COUNT = {"superpixels": 32, "grid": 6, "stretches": 8}
#: Where a method runs every coalition, so many keep it quick.
_FEW = {"superpixels": 10, "grid": 3, "stretches": 6}
_MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Among:
    """How the reader divides an input among players.

    Attributes
    ----------
    kind : str
        A key of `KINDS` or of the task's `divisions`; empty for the usual one of the data.
    count : int
        Of the kinds that have a number; 0 for the usual one.
    groups : tuple of (name, columns)
    """

    kind: str = ""
    count: int = 0
    groups: Groups = ()


#: As the data are usually divided.
USUAL = Among()


def kinds(task: Task, bundle: Bundle, one: Arrays) -> list[str]:
    """Return the ways to divide an input, the usual one first.

    Parameters
    ----------
    one : dict of float32 (1, ...)
    """
    if is_table(one):
        return ["columns", "groups"] if task.choices(bundle) else ["columns"]
    if len(one) == 1 and next(iter(one.values())).ndim == 4:
        return ["superpixels", "grid"]
    return [*task.divisions, "stretches"]


def title(task: Task, kind: str) -> str:
    """Return what people call a way to divide an input."""
    return task.divisions.get(kind) or KINDS[kind]


def counts(kind: str, method: str, one: Arrays) -> list[int]:
    """Return the numbers of a kind with which a method works; empty where the kind has none."""
    return [
        count
        for count in COUNTS.get(kind, ())
        if explain.reason_against(method, one, None, _so_many(_total(kind, count, one))) is None
    ]


def usual_count(kind: str, offered: Sequence[int]) -> int:
    """Return the number to begin with, out of those that a method works with."""
    wanted = _USUAL_COUNT[kind] if _USUAL_COUNT[kind] in offered else _FEW[kind]
    return max((count for count in offered if count <= wanted), default=offered[0])


def made(among: Among, task: Task, bundle: Bundle, one: Arrays, method: str) -> Players | None:
    """Return the players of an input, fewer than chosen where the method needs it; None: its own."""
    if among.kind == "groups":
        return _grouped(among.groups, task, bundle, one)
    if among.kind in task.divisions:
        return task.players(one, bundle.info.preprocessing, among.kind)
    offered = counts(among.kind, method, one)
    if not offered:
        return None
    count = among.count if among.count in COUNTS[among.kind] else usual_count(among.kind, offered)
    count = max((n for n in offered if n <= count), default=offered[0])
    shapes = {name: values.shape[1:] for name, values in one.items()}
    if among.kind == "superpixels":
        ((name, picture),) = one.items()
        return players.superpixels(picture[0], count, name=name)
    if among.kind == "grid":
        return players.grid(shapes, count)
    return _stretches(shapes, count)


def groups_of_address(told: str) -> Groups:
    """Return the groups that an address holds, "name:column,column;name:column"; what is none is left out."""
    found = []
    for part in told.split(";")[:_MOST_GROUPS]:
        name, _, members = part.partition(":")
        if name.strip() and members:
            found.append((name.strip(), tuple(members.split(","))))
    return tuple(found)


def as_address(groups: Groups) -> str:
    """Return groups as `groups_of_address` reads them."""
    return ";".join(f"{name}:{','.join(members)}" for name, members in groups if members)


def is_table(one: Arrays) -> bool:
    """Say whether an input is a row of a table."""
    return len(one) == 1 and next(iter(one.values())).ndim == 2


def _grouped(groups: Groups, task: Task, bundle: Bundle, one: Arrays) -> Players | None:
    """Return columns as players, those of a group together; a column of two groups is in the first."""
    columns = [column.field.name for column in task.choices(bundle)]
    labels = labels_of(task, bundle)
    taken: set[str] = set()
    together: dict[str, list[str]] = {}
    for name, members in groups:
        own = [member for member in members if member in labels and member not in taken]
        taken.update(own)
        if own:
            together.setdefault(name, []).extend(labels[member] for member in own)
    alone = {labels[column] for column in columns if column not in taken}
    together = {f"{name} (group)" if name in alone else name: own for name, own in together.items()}
    (input_name,) = one
    return Players.columns(input_name, [labels[column] for column in columns], together) if together else None


def labels_of(task: Task, bundle: Bundle) -> dict[str, str]:
    """Return what people call each column of a table; its name where two are called the same."""
    fields = [column.field for column in task.choices(bundle)]
    called = [field.label for field in fields]
    return {field.name: field.label if called.count(field.label) == 1 else field.name for field in fields}


def _total(kind: str, count: int, one: Arrays) -> int:
    """Return how many players a number of a kind makes."""
    if kind == "grid":
        return count * count
    return count + len(one) - 1 if kind == "stretches" else count


def _so_many(count: int) -> Players:
    """Return players of whom nothing is known but their number."""
    return Players(("",) * count, {})


def _stretches(shapes: Mapping[str, tuple[int, ...]], count: int) -> Players:
    """Cut the longest input along its first axis; every other input plays as a whole."""
    longest = max(shapes, key=lambda name: shapes[name][0] if len(shapes[name]) > 1 else 0)
    edges: NDArray[np.intp] = np.arange(count + 1) * shapes[longest][0] // count
    parts: dict[str, dict[str, Any]] = {
        f"stretch {number + 1} of {count}": {longest: slice(int(edges[number]), int(edges[number + 1]))}
        for number in range(count)
    }
    parts |= {name: {name: slice(None)} for name in shapes if name != longest}
    return Players.of(shapes, parts, title="stretches of equal length")
