"""One pass over a set of own recordings: what each of them holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import resample

from healthdash.apart import blocks
from healthdash.datasets.survey import OnProgress, Survey
from healthdash.errors import HealthdashError, InputError
from healthdash.signals.leads import plain_name

from . import read
from .own_listing import OwnListing, uploads_of
from .sample import EcgSample

__all__ = ["canonical_lead", "survey_signals"]

_SIGNATURE_S, _SIGNATURE = 10.0, 512
#: Correlation of the first ten seconds from which two recordings are nearly the same.
_ALIKE = 0.98
#: Share of the samples at one end of the scale from which a lead is cut off there.
_CLIPPED = 0.01
_LEAST_STEPS = 8


@dataclass(frozen=True, eq=False)
class _Seen:
    reason: str = ""
    hint: str = ""
    content: str = ""
    traits: Mapping[str, str] = field(default_factory=dict)
    signature: NDArray[np.float32] | None = None
    leads: tuple[str, ...] = ()
    is_flat: bool = False
    is_clipped: bool = False


def canonical_lead(name: str) -> str:
    """Return a lead's name without its case and the words before it."""
    return plain_name(name).lower()


def survey_signals(own: OwnListing, on_progress: OnProgress | None = None) -> Survey:
    """Look at every recording once, one in memory at a time."""
    paths, seen = own.listing.files, []
    names = [own.files[path] for path in paths]
    found = blocks.looked_at(look_at, own.listing.folder, names, failed=_unusable)
    for number, one in enumerate(found):
        seen.append(one)
        if on_progress is not None:
            on_progress((number + 1) / len(paths))
    nothing = np.zeros(_SIGNATURE, np.float32)
    return Survey(
        unit="recording",
        reasons=np.asarray([one.reason for one in seen], np.str_),
        contents=np.asarray([one.content for one in seen], np.str_),
        signatures=np.stack([nothing if one.signature is None else one.signature for one in seen]),
        alike=_ALIKE,
        traits=pd.DataFrame([dict(one.traits) for one in seen]).fillna("").astype(object),
        statistics=np.zeros((len(seen), 0), np.float32),
        faults={
            "flat": np.asarray([one.is_flat for one in seen], bool),
            "clipped": np.asarray([one.is_clipped for one in seen], bool),
        },
        leads=tuple(one.leads for one in seen),
        hints={one.reason: one.hint for one in seen if one.hint},
    )


def look_at(folder: str, recordings: tuple[tuple[str, ...], ...]) -> tuple[_Seen, ...]:
    """Return what some recordings hold; called apart."""
    return tuple(_look(Path(folder), names) for names in recordings)


def _look(folder: Path, names: tuple[str, ...]) -> _Seen:
    try:
        sample = read.read(uploads_of(folder, [name for name in names if not name.endswith(".atr")]))
    except InputError as error:
        return _unusable(error)
    except OSError as error:
        return _Seen(reason=f"the file cannot be opened: {error.strerror}")
    except Exception as error:  # the reader has a hole; the other files are still looked at
        return _Seen(reason=f"the file could not be read ({type(error).__name__})")
    signal = sample.signal_mv
    return _Seen(
        content=hashlib.sha256(np.ascontiguousarray(signal).tobytes()).hexdigest(),
        traits=_traits(sample),
        signature=_signature(sample),
        leads=tuple(canonical_lead(lead) for lead in sample.leads),
        is_flat=bool((np.ptp(signal, axis=0) == 0).any()),
        is_clipped=any(_is_clipped(lead) for lead in signal.T),
    )


def _unusable(error: HealthdashError) -> _Seen:
    return _Seen(reason=error.message, hint=error.hint)


def _traits(sample: EcgSample) -> dict[str, str]:
    height = np.median(np.ptp(np.percentile(sample.signal_mv, [1, 99], axis=0), axis=0))
    return {
        "file format": sample.format,
        "rate (Hz)": f"{sample.rate_hz:g}",
        "leads": ", ".join(sorted(canonical_lead(lead) for lead in sample.leads)),
        "duration (s)": f"{sample.duration_s:.2f}",
        "height (mV)": f"{height:.4g}",
        "gaps": f"{sample.gap_share:.3f}",
        "unit": sample.stored.unit,
    }


def _signature(sample: EcgSample) -> NDArray[np.float32]:
    """Return the first ten seconds of the first lead, coarsely, of mean 0 and length 1."""
    lead = sample.signal_mv[: round(_SIGNATURE_S * sample.rate_hz), 0].astype(np.float64)
    coarse = resample(lead - lead.mean(), _SIGNATURE) if len(lead) >= _LEAST_STEPS else np.zeros(_SIGNATURE)
    coarse = coarse - coarse.mean()
    length = float(np.linalg.norm(coarse))
    return np.asarray(coarse / length if length > 0 else coarse, np.float32)


def _is_clipped(lead: NDArray[np.float32]) -> bool:
    """Say whether a lead stays at the end of its scale: more than a spike's tip of equal extremes."""
    if len(lead) < _LEAST_STEPS or np.ptp(lead) == 0:
        return False
    return any(float((lead == end).mean()) > _CLIPPED for end in (lead.min(), lead.max()))
