"""A recording on the page: which stretch of it is seen, and how it is moved along."""

from __future__ import annotations

import numpy as np
import streamlit as st

from healthdash import DISCLAIMER
from healthdash.ui import paper as ecg_sheet
from healthdash.ui.palette import Paper
from healthdash.ui.paper import sheet
from healthdash.views import Trace

__all__ = ["named", "on_paper", "point_at", "stretch"]

_FOCUS, _MOVED = "trace-focus", "trace-moved"
_NORMAL = "N"
#: A median beat has no controls of its own.
_LEAST_CONTROLLED_S = 2.0
#: Lengths of a sheet that are offered, and the longest that one begins with.
_LENGTHS_S, _USUAL_S = (2.5, 5.0, 10.0, 30.0), 10.5


def on_paper(view: Trace, duration_s: float, key: str, colors: Paper) -> None:
    """Draw a stretch on ECG paper in true millimetres; a press on the strip below moves there."""
    is_beat = duration_s < _LEAST_CONTROLLED_S
    choice = sheet.Choice(layout="beside", mm_per_s=50.0) if is_beat else ecg_sheet.chosen(view, key)
    length_s, start_s = stretch(view, duration_s, key, sheet.GRID_S if choice.layout == "grid" else None)
    at_s = ecg_sheet.draw(view, start_s, length_s, choice, colors, key)
    if at_s is not None:
        st.session_state[_MOVED] = (f"{key}/start", _start(at_s, length_s, duration_s - length_s))
        st.rerun(scope="fragment")
    names = dict.fromkeys((span.label, span.color) for span in view.spans)
    waves = [named(label, color) for label, color in names] if choice.waves else []
    beats = [f"{named(m.label, m.color)} {m.description}" for m in view.markers]
    st.markdown("  \n".join(filter(None, [" · ".join([*beats, *waves]), f":small[{DISCLAIMER}]"])))


def named(label: str, color: str) -> str:
    """Return a word of a legend with a square of its colour: a pale word is hard to read."""
    return f":color[■]{{foreground={color}}} **{label}**"


def stretch(view: Trace, duration_s: float, key: str, fixed_s: float | None = None) -> tuple[float, float]:
    """Return the length and the start of the stretch that the reader chose, or of one of fixed length."""
    lengths = [s for s in _LENGTHS_S if s < 0.99 * duration_s and fixed_s in (None, s)]
    is_short = duration_s <= _LENGTHS_S[-1]
    if not lengths or (fixed_s is not None and duration_s < 1.01 * fixed_s):
        return duration_s, 0.0
    if is_short and fixed_s is None:
        lengths.append(duration_s)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        length_s = lengths[0]
        if len(lengths) > 1:
            length_s = st.segmented_control(
                "Seconds on the sheet", lengths, required=True,
                default=max((s for s in lengths if s <= _USUAL_S), default=lengths[0]),
                format_func=lambda s: f"{s:g}", key=f"{key}/length",
            )  # fmt: skip
        if length_s >= duration_s:
            return duration_s, 0.0
        last, place = duration_s - length_s, f"{key}/start"
        moved = st.session_state.pop(_MOVED, None)
        if moved is not None and moved[0] == place:
            st.session_state[place] = moved[1]
        focus = st.session_state.pop(_FOCUS, None)
        now = st.session_state.get(place, 0.0) if focus is None else _start(focus, length_s, last)
        st.session_state[place] = min(float(now), last)
        start_s = st.slider("Start, s", 0.0, last, step=min(0.5, last), key=place)
        abnormal = _abnormal(view)
        if len(abnormal):
            st.button(
                "Next abnormal beat", icon=":material/skip_next:", key=f"{key}/next", on_click=_jump,
                args=(place, abnormal / view.rate_hz, length_s, last),
            )  # fmt: skip
    return length_s, start_s


def _abnormal(view: Trace) -> np.ndarray:
    others = [marker.samples for marker in view.markers if marker.label != _NORMAL]
    return np.sort(np.concatenate(others)) if others else np.array([], np.int64)


def _jump(place: str, times_s: np.ndarray, length_s: float, last: float) -> None:
    """Move to the next abnormal beat right of the sheet's middle; from the last one to the first."""
    middle = st.session_state[place] + length_s / 2
    later = times_s[times_s > middle + 0.3]
    target = float(later[0]) if len(later) else float(times_s[0])
    st.session_state[place] = _start(target, length_s, last)


def point_at(time_s: float) -> None:
    """Make the next recording that is drawn begin where this moment is in the middle of its sheet."""
    st.session_state[_FOCUS] = time_s


def _start(middle_s: float, length_s: float, last: float) -> float:
    """Return the start of a sheet with a moment in its middle, on half seconds."""
    return float(np.clip(round((middle_s - length_s / 2) * 2) / 2, 0.0, last))
