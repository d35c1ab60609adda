"""Segments of one WFDB record, made alike before they are joined.

header(5) of WFDB asks for one rate in all segments, and in a record of a fixed layout for one arrangement of
signals. The `wfdb` package takes both from the first segment, and so it does with units, which may differ.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from healthdash.errors import UnreadableUpload

from .leads import tidy_unit, to_millivolt
from .wfdb_header import Header

__all__ = ["make_alike"]


def make_alike(record: Any, frame_hz: float, headers: Mapping[str, Header]) -> None:
    """Put each signal of a record in the unit of its first segment; changes the record.

    Parameters
    ----------
    record : wfdb.MultiRecord
        Its segments with `e_p_signal`, None where there is a gap.
    frame_hz : float, hertz
        Of the record.
    headers : mapping of str to Header
        Of the segments, by their name.

    Raises
    ------
    UnreadableUpload
        Segments differ in their rate, in a unit that is no voltage, or in the order of their signals.
    """
    units: dict[Hashable, str] = {}
    for name, segment in _filled(record):
        # Rates are written with more or fewer decimals.
        if headers[name].has_rate and not math.isclose(segment.fs, frame_hz, rel_tol=1e-4):
            raise _unlike(f"{frame_hz:g} Hz", f"{segment.fs:g} Hz")
        # In a variable layout a signal is known by its name, in a fixed one by its place.
        signals = segment.sig_name if record.layout == "variable" else range(segment.n_sig)
        first = [units.setdefault(signal, unit) for signal, unit in zip(signals, segment.units, strict=True)]
        for values, unit, wanted in zip(segment.e_p_signal, segment.units, first, strict=True):
            values *= values.dtype.type(_factor(unit, wanted))
        segment.units = first
    if record.layout == "fixed":
        _check_order([segment.sig_name for _, segment in _filled(record)])


def _filled(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and content of the segments that hold signals: no layout, no gap."""
    for name, segment in zip(record.seg_name, record.segments, strict=True):
        if segment is not None and segment.e_p_signal:
            yield name, segment


def _factor(unit: str, wanted: str) -> float:
    if tidy_unit(unit) == tidy_unit(wanted):
        return 1.0
    from_mv, to_mv = to_millivolt(unit), to_millivolt(wanted)
    if from_mv is None or to_mv is None:
        raise _unlike("one unit of a signal", "several")
    return from_mv / to_mv


def _check_order(names: list[list[str]]) -> None:
    if any(others != names[0] for others in names):
        raise _unlike("the same signals in the same order", "others")


def _unlike(expected: str, got: str) -> UnreadableUpload:
    return UnreadableUpload(
        f"expected {expected} in all segments of the WFDB record, got {got}",
        hint="Upload one segment, its header and its signal file, at a time.",
    )
