"""A measured row, and the table of all of them."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar

__all__ = ["Row", "alternate", "as_json", "as_table", "missing", "seconds_of"]

Verdict = Literal["met", "missed", "not equal", "no target", "not run"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure.

    Attributes
    ----------
    name : str
        What was done, with its size.
    ours, reference : str
        The two figures with units, and what the reference is.
    ratio : float or None
        In the sense of `target`.
    target : str
        Such as "at least 20x faster"; empty where a figure is for information.
    check : str
        What was compared for equality, and the largest difference.
    verdict : str
    """

    name: str
    ours: str
    reference: str = ""
    ratio: float | None = None
    target: str = ""
    check: str = ""
    verdict: Verdict = "no target"

    @classmethod
    def compared(
        cls,
        name: str,
        *,
        ours: str,
        reference: str,
        ratio: float,
        at_least: float | None = None,
        at_most: float | None = None,
        check: str = "",
        equal: bool = True,
    ) -> Row:
        """Judge a ratio by its target, and by whether the numbers are equal at all."""
        target, met = "", None
        if at_least is not None:
            target, met = f"at least {at_least:g}", ratio >= at_least
        elif at_most is not None:
            target, met = f"at most {at_most:g}", ratio <= at_most
        verdict: Verdict = "no target" if met is None else "met" if met else "missed"
        return cls(
            name=name,
            ours=ours,
            reference=reference,
            ratio=ratio,
            target=target,
            check=check,
            verdict=verdict if equal else "not equal",
        )


def missing(name: str, reason: str) -> Row:
    """Return a row that could not be measured."""
    return Row(name=name, ours=reason, verdict="not run")


def seconds_of(call: Callable[[], Result]) -> tuple[float, Result]:
    """Return how long a call took, and what it gave."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def alternate(
    calls: Sequence[Callable[[], object]], *, budget_s: float, most: int = 200, rest_s: float = 0.0
) -> list[float]:
    """Return the median seconds of each call, run in turn so that other load meets all alike.

    Parameters
    ----------
    budget_s : float, seconds
        For all of them together; each runs at least three times.
    rest_s : float, seconds
        Pause after the first, in which what it left to be done later is done.
    """
    times: list[list[float]] = [[] for _ in calls]
    started = time.perf_counter()
    while len(times[0]) < 3 or (time.perf_counter() - started < budget_s and len(times[0]) < most):
        for call, taken in zip(calls, times, strict=True):
            taken.append(seconds_of(call)[0])
            if taken is times[0]:
                time.sleep(rest_s)
    return [statistics.median(taken) for taken in times]


def as_table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    head = ("what", "ours", "reference", "ratio", "target", "equality", "verdict")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_json(rows: Sequence[Row]) -> str:
    """Return the rows as JSON Lines."""
    return "".join(json.dumps(asdict(row)) + "\n" for row in rows)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    return (row.name, row.ours, row.reference, ratio, row.target, row.check, row.verdict)
