"""The intervals between beats as pictures: one after the other, and each against the one before it."""

from __future__ import annotations

import numpy as np

from healthdash.task import Prediction
from healthdash.views import Curve, Curves, View

from .gaps import pauses_told
from .measurements import Measurement, rate, rr_statistics
from .moments import Beats, aligned_where_heard_s
from .prepare import CONFIG, working_leads
from .sample import EcgSample

__all__ = ["labelled_beats", "rhythm_figures", "rhythm_views"]

_MOST_POINTS = 4000
_FEWEST = 3
_TACHOGRAM = "Each interval between two beats, at the time of the second."


def labelled_beats(sample: EcgSample, prediction: Prediction) -> Beats:
    """Return the beats of a prediction, of which those labelled N are normal; without the limits of waves."""
    leads, rate_hz = working_leads(sample, CONFIG), CONFIG["working_hz"]
    is_heard = sample.heard(rate_hz)[:, sample.model_leads]
    at_s = aligned_where_heard_s(leads, is_heard, rate_hz, prediction.items / sample.rate_hz)
    unknown = np.full(len(at_s), np.nan)
    is_normal = prediction.decided == prediction.labels.index("N")
    return Beats(unknown, unknown, unknown, unknown, at_s, is_normal, sample.gaps_s)


def rhythm_figures(beats: Beats) -> tuple[Measurement, ...]:
    """Return the rate, and how the intervals between normal beats vary."""
    return (rate(beats), *rr_statistics(beats))


def rhythm_views(sample: EcgSample, beats: Beats) -> tuple[View, ...]:
    """Return the tachogram and the Poincare plot of a recording; nothing where beats are too few."""
    if len(beats) < _FEWEST:
        return ()
    between_ms, both = 1000 * beats.between_s, beats.is_nn
    others = np.isfinite(between_ms) & ~both
    every = max(1, -(-len(between_ms) // _MOST_POINTS))
    at = beats.at_s[1:]
    curves = [
        Curve(name="between normal beats", x=at[both][::every], y=between_ms[both][::every], points=True)
    ]
    if others.any():
        curves.append(Curve(name="beside another beat", x=at[others], y=between_ms[others], points=True))
    tachogram = Curves(
        title="RR tachogram",
        folded=True,
        caption=f"{_TACHOGRAM} {pauses_told(sample.pauses_or_off_s)}".strip(),
        curves=tuple(curves),
        x_label="time, s",
        y_label="RR interval, ms",
    )
    pairs = both[1:] & both[:-1]
    first, second = between_ms[:-1][pairs][::every], between_ms[1:][pairs][::every]
    poincare = Curves(
        title="Poincaré plot",
        folded=True,
        caption="Each interval between normal beats against the one before it (Brennan et al. 2001).",
        curves=(Curve(name="intervals", x=first, y=second, points=True, joined=False),),
        x_label="RR interval, ms",
        y_label="next RR interval, ms",
        diagonal=False,
    )
    return (tachogram, poincare) if len(first) else (tachogram,)
