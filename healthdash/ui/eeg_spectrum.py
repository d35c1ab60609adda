"""The spectrum of an EEG on its page: of one line over the whole recording, and of each line on the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from healthdash.signals.eeg import EegPage, page_of
from healthdash.signals.recording import Recording
from healthdash.signals.spectrum import BANDS_HZ, WINDOW_S, Spectra, band_powers, spectra
from healthdash.ui import eeg_figure
from healthdash.ui.draw import draw, paper
from healthdash.views import Grid

__all__ = ["show"]

_SPECTRA = "eeg:spectra"
_MOST_HZ = 45.0


def show(
    shown: EegPage, recording: Recording, asked: tuple[int, str], lines: slice, *, length_s: float
) -> None:
    """Show the spectrogram of one line over the whole recording, and the power of bands on this page.

    Parameters
    ----------
    asked : (int, str)
        Number of the recording in this session, and the montage.
    """
    montage = asked[1]
    st.subheader("Spectrum", anchor=False)
    name = st.selectbox("Line of the spectrogram", shown.names, key=f"eeg:line:{montage}")
    found = _whole(recording, asked, lines, shown.names.index(name))
    st.plotly_chart(
        eeg_figure.spectrogram(
            found, shown.unit, paper(), most_hz=min(_MOST_HZ, shown.rate_hz / 2),
            shown_s=(shown.start_s, shown.start_s + length_s),
        ),
        key="eeg:spectrogram", theme=None, config={"displayModeBar": False},
        alt=f"Spectrogram of {name} over the whole recording, up to {_MOST_HZ:g} Hz",
    )  # fmt: skip
    st.caption(
        f"{name} as recorded, without filters: Hann windows of {WINDOW_S:g} s; the page above lies between "
        "the dotted lines."
    )
    draw(_bands(shown), "eeg:bands")


def _whole(recording: Recording, asked: tuple[int, str], lines: slice, number: int) -> Spectra:
    """Return the spectra of one line over the whole recording; kept while pages are turned."""
    start = (lines.start or 0) + number
    kept: tuple[tuple[int, str, int], Spectra] | None = st.session_state.get(_SPECTRA)
    if kept is not None and kept[0] == (*asked, start):
        return kept[1]
    whole = page_of(recording, asked[1], 0.0, recording.duration_s, lines=slice(start, start + 1))
    found = spectra(whole.microvolts[0], whole.rate_hz)
    st.session_state[_SPECTRA] = ((*asked, start), found)
    return found


def _bands(shown: EegPage) -> Grid:
    """Return the power in each band on this page: a row a line."""
    rows = []
    for name, values in zip(shown.names, shown.microvolts, strict=True):
        powers = band_powers(spectra(values, shown.rate_hz))
        total = float(np.nansum(list(powers.values())))
        known = values[np.isfinite(values)]
        # The spectrum of a constant is what rounding leaves: shares of it would be of nothing.
        is_flat = not total or not len(known) or float(np.ptp(known)) == 0
        shares = {band: np.nan if is_flat else round(power / total, 3) for band, power in powers.items()}
        rows.append({"line": name, f"all bands, {shown.unit}²": round(total, 1), **shares})
    edges = ", ".join(f"{band} {low:g} to {high:g} Hz" for band, (low, high) in BANDS_HZ.items())
    return Grid(
        title="Power of the bands on this page",
        caption=f"Share of each band, by Welch's method on the lines as they are drawn: {edges} (IFCN "
        "glossary, Kane et al. 2017; slower power is taken for drift).",
        frame=pd.DataFrame(rows),
        percent=tuple(BANDS_HZ),
    )
