"""Whether the outcome can be learnt: its labels, how many there are of each, and gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .findings import Finding, Remedy, Table
from .steps import CutNumber, JoinValues, LeaveOutRows

__all__ = ["FEWEST", "GUESSED", "ordered_labels", "outcome"]

#: Groups (patients, or rows) that each label must have.
FEWEST = 10
#: Plain names of columns that are taken as the outcome where nobody says which it is.
GUESSED = ("outcome", "target", "label", "class", "diagnosis")
_MOST_LABELS = 20
_RARE = 0.1
_FEW_ROWS = 100
#: Values that come first among two labels, so that the second is the finding that is looked for.
_WITHOUT = {
    "0", "no", "n", "false", "f", "negative", "neg", "absent", "normal", "healthy", "control", "alive",
    "benign", "none", "nein", "non", "survived",
}  # fmt: skip


def ordered_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels in the network's order: numbers by size; of two, the one without the finding first."""

    def place(label: str) -> tuple[int, float, str]:
        plain = label.strip().lower()
        try:
            return 0, float(plain), plain
        except ValueError:
            is_without = plain in _WITHOUT or any(
                plain
                in (f"no{other}", f"non{other}", f"non-{other}", f"not{other}", f"not {other}", f"no {other}")
                for other in (one.strip().lower() for one in labels)
            )
            return 1, 0.0 if is_without or plain.startswith("at most ") else 1.0, plain

    return tuple(sorted(labels, key=place))


def outcome(table: Table) -> Iterator[Finding]:
    """Yield what is wrong with the outcome, and what is good to know of it."""
    target, text = table.target, table.frame[table.target]
    unknown = int((table.truth < 0).sum())
    if unknown and len(table.labels):
        drop = Remedy(f"Leave these {table.unit}s out", (LeaveOutRows(column=target),), True)
        words = f"{_rows(unknown, table.unit)} no value in {target}."
        yield Finding("no-outcome", "warning", words, (target,), (drop,))
    if len(table.labels) < 2:
        words = (
            f"{target} has the same value in every {table.unit}: only what is usual can be learnt from it."
        )
        yield Finding("one-label", "error", words, (target,))
        return
    if len(table.labels) > _MOST_LABELS:
        yield _too_many(table)
        return
    spellings: dict[str, list[str]] = {}
    for label in table.labels:
        spellings.setdefault(label.strip().lower(), []).append(label)
    joined = {
        old: max(same, key=lambda one: int((text == one).sum()))
        for same in spellings.values()
        if len(same) > 1
        for old in same
    }
    if joined:
        join = Remedy("Take them as one", (JoinValues(column=target, values=joined),), True)
        yield Finding(
            "spellings", "warning", f"{target} has labels that differ in case only.", (target,), (join,)
        )
    yield from _counts(table)


def _too_many(table: Table) -> Finding:
    numbers = table.numbers(table.target)
    words = f"{table.target} has {len(table.labels):,} different values; a model needs labels, 20 at most."
    remedies: tuple[Remedy, ...] = ()
    if table.profiles[table.target].is_number:
        middle = float(np.nanmedian(numbers))
        words += " It is a number, so it can be cut in two."
        remedies = (Remedy(f"Cut at the median, {middle:g}", (CutNumber(column=table.target, at=middle),)),)
    return Finding("too-many-labels", "error", words, (table.target,), remedies)


def _counts(table: Table) -> Iterator[Finding]:
    target, unit = table.target, "groups" if table.group else f"{table.unit}s"
    counts = {
        label: len(np.unique(table.groups[table.truth == number]))
        for number, label in enumerate(table.labels)
    }
    few = [label for label, count in counts.items() if count < FEWEST]
    if few:
        told = ", ".join(f"{label} {counts[label]}" for label in few)
        words = f"Too few {unit} of a label to train and test on (fewer than {FEWEST}): {told}."
        rest = len(counts) - len(few) >= 2
        drop = Remedy(
            f"Leave their {table.unit}s out", (LeaveOutRows(column=target, values=tuple(few)),), rest
        )
        yield Finding("too-few", "error", words, (target,), (drop,) if rest else ())
    total = int((table.truth >= 0).sum())
    rarest = min(table.labels, key=lambda label: int((table.truth == table.labels.index(label)).sum()))
    share = float((table.truth == table.labels.index(rarest)).sum()) / max(total, 1)
    if share < _RARE and rarest not in few:
        words = (
            f"{rarest} is rare ({share:.1%} of the {table.unit}s): look at sensitivity and precision, not at "
            "accuracy."
        )
        yield Finding("imbalance", "note", words, (target,))
    if total < _FEW_ROWS:
        words = f"{total:,} {table.unit}s with an outcome are few; the figures will have wide intervals."
        yield Finding("few-rows", "warning", words)


def _rows(count: int, unit: str) -> str:
    return f"1 {unit} has" if count == 1 else f"{count:,} {unit}s have"
