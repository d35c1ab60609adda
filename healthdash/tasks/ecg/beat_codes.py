"""Codes of beats in PhysioNet's annotations, and the groups of ANSI/AAMI EC57."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .sample import Annotation

__all__ = ["AAMI", "beats_among"]

#: ANSI/AAMI EC57 groups of the beat codes of PhysioNet (de Chazal et al. 2004, IEEE TBME 51:1196, table I).
AAMI: dict[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}


def beats_among(samples: NDArray[np.int64], codes: Sequence[str]) -> Annotation:
    """Return the beats among all marks of an annotation file, by their EC57 group."""
    symbols = np.asarray(codes, np.str_)
    is_beat = np.isin(symbols, list(AAMI))
    labels = np.asarray([AAMI[symbol] for symbol in symbols[is_beat]], np.str_)
    return Annotation(samples[is_beat], labels, _flutter(samples, symbols))


def _flutter(samples: NDArray[np.int64], symbols: NDArray[np.str_]) -> tuple[tuple[int, int], ...]:
    """Return the spans between the marks [ and ] of ventricular flutter."""
    starts, stops = samples[symbols == "["], samples[symbols == "]"]
    last = int(samples[-1]) if len(samples) else 0
    return tuple((int(a), int(min((b for b in stops if b > a), default=last))) for a in starts)
