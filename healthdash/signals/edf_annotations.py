"""Annotations of EDF+ and BDF+: time-stamped lists (Kemp and Olivan 2003, section 2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .recording import Mark

__all__ = ["ANNOTATIONS", "time_stamped"]

#: Labels of signals that hold text.
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_MOST = 100_000


def time_stamped(frames: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float64], tuple[Mark, ...]]:
    """Return when each data record begins, and every annotation.

    Parameters
    ----------
    frames : sequence of uint8 (n_records, n_bytes)
        The bytes of each annotation signal.

    Returns
    -------
    float64 (n_records,), tuple of Mark
        Onsets in seconds after the header's start, NaN where a record does not say; marks count from the
        first record, so that they fit the signals.
    """
    records = len(frames[0]) if frames else 0
    onsets = np.full(records, np.nan)
    found: list[tuple[float, float, str]] = []
    for signal in frames:
        for number, record in enumerate(signal):
            for onset_s, duration_s, texts, is_start in _lists(record.tobytes()):
                if is_start and np.isnan(onsets[number]):
                    onsets[number] = onset_s
                found.extend((onset_s, duration_s, text) for text in texts)
            if len(found) > _MOST:
                break
    first = float(onsets[0]) if records and np.isfinite(onsets[0]) else 0.0
    marks = [Mark(round(onset_s - first, 6), text, duration_s) for onset_s, duration_s, text in found[:_MOST]]
    return onsets, tuple(sorted(marks, key=lambda mark: mark.onset_s))


def _lists(data: bytes) -> list[tuple[float, float, list[str], bool]]:
    """Split one record: "+onset<21>duration<20>text<20>text<20><0>", repeated; damaged ones are skipped.

    The last value says whether the first text is empty: then the list says when its record begins, whatever
    texts follow in it (2.2.4).
    """
    found = []
    for block in data.split(b"\x00"):
        when, *texts = block.split(b"\x14")
        onset, _, duration = when.partition(b"\x15")
        try:
            onset_s, duration_s = float(onset), float(duration or b"0")
        except ValueError:
            continue
        if np.isfinite(onset_s) and np.isfinite(duration_s):
            named = [text.decode("utf-8", "replace").strip() for text in texts]
            found.append((onset_s, duration_s, [text for text in named if text], not any(named[:1])))
    return found
