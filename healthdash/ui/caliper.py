"""A caliper on a trace: what lies between its two legs."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from healthdash.ui.palette import SERIES, Paper
from healthdash.views import Trace

__all__ = ["add_caliper", "measured"]


def add_caliper(drawn: go.Figure, from_s: float, to_s: float, paper: Paper) -> None:
    """Mark a stretch of time with two lines."""
    drawn.add_vrect(from_s, to_s, fillcolor=SERIES[2], opacity=0.12, line_width=0)
    for at in (from_s, to_s):
        drawn.add_vline(at, line={"color": paper.ink, "width": 1.2, "dash": "dash"})


def measured(view: Trace, from_s: float, to_s: float) -> str:
    """Say what lies between the two legs of a caliper: time, height, and shares.

    Parameters
    ----------
    from_s, to_s : float, second
        On the time axis of the view.
    """
    first, last = (round((at - view.start_s) * view.rate_hz) for at in (from_s, to_s))
    first = min(max(first, 0), len(view.signal) - 1)  # both legs may stand at the very end
    stretch = slice(first, max(last, first + 1) + 1)
    length_s = to_s - from_s
    words = [f"{1000 * length_s:.0f} ms" + (f" ({60 / length_s:.0f} /min)" if length_s > 0 else "")]
    for lead, name in enumerate(view.leads):
        values = view.signal[stretch, lead]
        words.append(f"{name} from {values.min():.2f} to {values.max():.2f} {view.unit}")
    if view.attribution is not None:
        total = float(view.attribution[stretch].sum(dtype=np.float64))
        words.append(f"shares in between sum to {100 * total:+.2f} percentage points")
    return "; ".join(words)
