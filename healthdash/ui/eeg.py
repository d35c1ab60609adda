"""The page of EEG: a recording on the screen as its readers expect it. No model looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from healthdash import apart, settings
from healthdash.errors import HealthdashError
from healthdash.signals import formats
from healthdash.signals.decimate import min_max
from healthdash.signals.eeg import FILTERS, EegPage, left_out, lines_of, page_of, value_range
from healthdash.signals.eeg_example import synthetic_eeg
from healthdash.signals.leads import lead_kind
from healthdash.signals.montage import MONTAGES, of_other_rates, position
from healthdash.signals.recording import Recording
from healthdash.signals.simplify import departures, sketched
from healthdash.task import Upload
from healthdash.ui import eeg_figure, eeg_spectrum, hints, otherpage, problems, shell, state
from healthdash.ui.draw import paper

__all__ = ["page"]

_HELD, _FAILED, _START, _UPLOAD = "eeg:held", "eeg:failed", "eeg:start", "eeg:upload"
_LOADS = "eeg:loads"
#: Whether they are to be read in this run of the page.
_WAITING = "eeg:waiting"
#: The files of the last upload: read again where their rate or unit is said afterwards.
_FILES = "eeg:files"
_LENGTHS_S = (10, 20, 30, 60)
#: Microvolt a millimetre; 7 is usual for adults.
_SENSITIVITIES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000, 5000, 20_000)
_MOST_LINES = 32
#: Of the distance between lines, that most of a line stays within at first.
_USUAL_SHARE = 0.3
_HINTS, _MOST_HZ = "eeg:hints", 100_000.0
_MOST_MARKS = 500
#: Points of one page over all lines, and where fewer are asked for. With 5,000 a page of 19 lines and half a
#: minute has 9 a second and line, and an alpha rhythm turns 20 times a second: only a reader can allow that.
_POINTS, _FEW_POINTS = 24_000, 4900
#: Half a pixel: what lies nearer to a line cannot be seen beside it, mm.
_TOLERANCE_MM = 0.13


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A recording of this session, and whether it is the drawn one."""

    recording: Recording
    is_synthetic: bool
    number: int


@shell.framed
def page() -> None:
    """Show the page: a file or the sample, its lines, its spectrum."""
    st.title("EEG", anchor=False)
    st.markdown(
        "Look at an EEG in the montage, at the sensitivity and through the filters that you choose. "
        "**There is no model for EEG here:** nothing on this page is estimated or found by one."
    )
    _offer()
    with st.empty():
        _read()
    if error := st.session_state.get(_FAILED):
        problems.tell(error)
    held: _Held | None = st.session_state.get(_HELD)
    if held is not None:
        _about(held)
        _viewer()


def _offer() -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        key = state.fresh_key(_UPLOAD)
        st.file_uploader(
            "Upload a recording (EDF, BDF, BrainVision, WFDB, CSV...); a header goes with its signal file",
            accept_multiple_files=True, max_upload_size=settings.current().max_upload_mb, key=key,
            on_change=_take_files, args=(key,),
            help="Files stay in the memory of this machine and are forgotten with the session. "
            "What a file holds is decided by its content, not by its name.",
        )  # fmt: skip
        if _FILES in st.session_state:
            told = hints.ask(st.session_state[_FILES], _HINTS, most_hz=_MOST_HZ)
            if told is not None:
                _wait(told)
    with right:
        st.markdown("Or try a synthetic sample")
        st.button(
            "Drawn EEG, eyes open and shut", on_click=_take_sample, key="eeg:sample",
            help="Two minutes of 19 drawn electrodes: of nobody. Alpha rhythm, blinks, hum of the mains.",
        )  # fmt: skip


def _take_files(key: str) -> None:
    files = state.taken(_UPLOAD, key)
    if not files:
        return
    given = [Upload(file.name, file.getvalue()) for file in files]
    said = hints.carried(st.session_state.get(_FILES, ()), given)
    state.used_up(_HINTS)
    _wait([replace(upload, hints=said) for upload in given])


def _wait(uploads: Sequence[Upload]) -> None:
    """Have uploaded files read, now or anew, where the page can tell that it takes a while."""
    st.session_state[_FILES], st.session_state[_WAITING] = tuple(uploads), True


def _read() -> None:
    """Read the uploaded files, if they wait."""
    if not st.session_state.pop(_WAITING, False):
        return
    with st.spinner("Reading the recording…", show_time=True):
        _take(st.session_state[_FILES], is_synthetic=False)


def _take_sample() -> None:
    st.session_state.pop(_FILES, None)
    _take(synthetic_eeg(), is_synthetic=True)


def _take(uploads: Sequence[Upload], *, is_synthetic: bool) -> None:
    """Read the first recording among the files, in a process of its own, and keep it."""
    st.session_state.pop(_FAILED, None)
    st.session_state[_START] = 0.0
    try:
        recording = apart.call(formats.read_first, tuple(uploads))
    except HealthdashError as error:
        st.session_state[_FAILED] = error
        st.session_state.pop(_HELD, None)
        return
    # Never a number again, also after a file that failed: what is kept of a recording goes by it.
    st.session_state[_LOADS] = st.session_state.get(_LOADS, 0) + 1
    st.session_state[_HELD] = _Held(recording, is_synthetic, st.session_state[_LOADS])


def _about(held: _Held) -> None:
    recording = held.recording
    rates = sorted({channel.rate_hz for channel in recording.channels})
    told = [
        recording.format,
        f"{len(recording.channels)} channels",
        f"{' and '.join(f'{rate:g}' for rate in rates[-2:])} Hz",
        f"{recording.duration_s:,.1f} s",
        *([f"from {recording.time_of_day}"] if recording.time_of_day else []),
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge("Synthetic" if held.is_synthetic else "Loaded", icon=":material/check:")
        st.text(", ".join(told))
    if _is_ecg(recording):
        st.warning("These look like the leads of an ECG and not like EEG.", icon=":material/warning:")
        otherpage.point_to("ecg")
    for notice in recording.notices:
        st.info(problems.sentence(notice))
    if others := of_other_rates(recording):
        names = ", ".join(f"{channel.name} ({channel.rate_hz:g} Hz)" for channel in others)
        st.info(f"Not drawn, as their rate is another one: {names}.")
    if recording.gaps:
        st.info(problems.sentence(f"There are gaps: {'; '.join(recording.gaps)}"))


def _is_ecg(recording: Recording) -> bool:
    """Say whether most channels are named as ECG leads; C3 and C4 are electrodes of the head."""
    leads = [one for one in recording.channels if lead_kind(one.name) == "ecg" and not position(one.name)]
    return 2 * len(leads) > len(recording.channels)


@st.fragment
def _viewer() -> None:
    held: _Held = st.session_state[_HELD]
    recording = held.recording
    montage, lines = _montage(recording)
    if mixed := left_out(recording, montage):
        st.warning(mixed)
    if not lines_of(recording, montage):
        if not mixed:
            st.warning("The channels do not name the electrode positions that this montage needs.")
        return
    length_s = _length()
    filters = st.multiselect(
        "Filters laid over the lines (none: as recorded)", list(FILTERS), key=f"eeg:filters:{held.number}"
    )
    start_s = _turn(recording, length_s)
    shown = page_of(recording, montage, start_s, length_s, filters=filters, lines=lines)
    microvolts_a_mm, negative_up, has_few = _scale(shown, f"{held.number}:{montage}")
    kept = _kept(shown, microvolts_a_mm, has_few)
    st.plotly_chart(
        eeg_figure.traces(
            shown, kept, microvolts_a_mm, paper(), length_s=length_s, negative_up=negative_up
        ),
        key="eeg:lines", theme=None, config={"displayModeBar": False},
        alt=f"EEG, {montage}, from {start_s:g} s, {len(shown.names)} lines: {', '.join(shown.names)}",
    )  # fmt: skip
    st.caption(
        f"{montage}; {microvolts_a_mm:g} {shown.unit}/mm, lines {eeg_figure.GAP_MM:g} mm apart on a screen "
        f"of 96 pixels an inch; {'negative' if negative_up else 'positive'} values upwards; filters: "
        f"{', '.join(filters) or 'none'} (zero-phase). {_drawn(shown, kept)}"
    )
    eeg_spectrum.show(shown, recording, (held.number, montage), lines, length_s=length_s)


def _kept(shown: EegPage, microvolts_a_mm: float, has_few: bool) -> list[NDArray[np.int64]]:
    """Return which values of each line are drawn: a bounded number, the peaks among them."""
    if has_few:
        return sketched(shown.microvolts, _FEW_POINTS, _TOLERANCE_MM * microvolts_a_mm)
    return [min_max(row, _POINTS // len(shown.names))[0] for row in shown.microvolts]


def _drawn(shown: EegPage, kept: Sequence[NDArray[np.int64]]) -> str:
    """Say how many of the values are drawn, and how near the others are."""
    many, every = sum(map(len, kept)), sum(map(len, shown.microvolts))
    off = departures(shown.microvolts, kept)
    if many == every or not off.size:
        return "Every value is drawn."
    return (
        f"Drawn through {many:,} of {every:,} values; 99 % of all lie within "
        f"{float(f'{np.percentile(off, 99):.2g}'):,g} {shown.unit} of the lines."
    )


def _montage(recording: Recording) -> tuple[str, slice]:
    """Ask for the montage, and for the part of it where it has more lines than a screen."""
    chosen = st.segmented_control("Montage", MONTAGES, default=MONTAGES[0], required=True, key="eeg:montage")
    montage = chosen or MONTAGES[0]
    lines = lines_of(recording, montage)
    if len(lines) <= _MOST_LINES:
        return montage, slice(None)
    starts = range(0, len(lines), _MOST_LINES)
    start = st.selectbox(
        "Lines", starts, key=f"eeg:part:{montage}",
        format_func=lambda n: (
            f"{n + 1} to {min(n + _MOST_LINES, len(lines))} of {len(lines)}, from {lines[n].name}"
        ),
    )  # fmt: skip
    return montage, slice(start, start + _MOST_LINES)


def _length() -> float:
    length = st.segmented_control(
        "Seconds on a page", _LENGTHS_S, default=30, required=True, key="eeg:length"
    )
    return float(length or 30)


def _turn(recording: Recording, length_s: float) -> float:
    """Ask where the page begins: by turning it, by its second, or by an annotation."""
    last = max(0.0, recording.duration_s - 1.0)
    st.session_state[_START] = min(st.session_state.get(_START, 0.0), last)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(
            "Previous page", icon=":material/chevron_left:", key="eeg:previous", shortcut="Left",
            disabled=st.session_state[_START] <= 0, on_click=_move, args=(-length_s, last),
        )  # fmt: skip
        st.button(
            "Next page", icon=":material/chevron_right:", key="eeg:next", shortcut="Right",
            disabled=st.session_state[_START] + length_s >= recording.duration_s, on_click=_move,
            args=(length_s, last),
        )  # fmt: skip
        st.number_input(
            f"Begins at, s (of {recording.duration_s:,.0f})",
            min_value=0.0,
            max_value=last,
            step=1.0,
            key=_START,
        )
        _jump(recording)
    return float(st.session_state[_START])


def _move(by_s: float, last_s: float) -> None:
    st.session_state[_START] = min(max(0.0, st.session_state[_START] + by_s), last_s)


def _jump(recording: Recording) -> None:
    marks = recording.marks[:_MOST_MARKS]
    if marks:
        st.selectbox(
            "Go to an annotation", range(len(marks)), index=None, key="eeg:mark", on_change=_go,
            args=(recording,),
            format_func=lambda n: f"{marks[n].onset_s:,.1f} s: {marks[n].text[:60]}", placeholder="choose",
        )  # fmt: skip


def _go(recording: Recording) -> None:
    number = st.session_state.get("eeg:mark")
    if number is not None:
        st.session_state[_START] = max(0.0, recording.marks[number].onset_s - 2.0)


def _scale(shown: EegPage, name: str) -> tuple[float, bool, bool]:
    """Ask for the sensitivity, what is upwards, and whether few points are enough."""
    fitting = [s for s in _SENSITIVITIES if value_range(shown) / s <= _USUAL_SHARE * eeg_figure.GAP_MM]
    usual = fitting[0] if fitting else _SENSITIVITIES[-1]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        held = f"eeg:sensitivity:{name}"
        st.session_state.setdefault(held, usual)
        chosen = st.select_slider(f"Sensitivity, {shown.unit}/mm", _SENSITIVITIES, key=held)
        negative_up = st.toggle("Negative upwards", value=True, key="eeg:up")
        has_few = st.toggle(
            "Fewer points", key="eeg:few",
            help="Sends under 5,000 points a page, for a slow line. Fast rhythms lose waves on long pages.",
        )  # fmt: skip
    return float(chosen), negative_up, has_few
