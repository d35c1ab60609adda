"""The figures of an EEG: they can be dragged, as they have no mode bar."""

from __future__ import annotations

import numpy as np

from healthdash.signals.eeg import EegPage
from healthdash.signals.spectrum import Spectra
from healthdash.ui import eeg_figure
from healthdash.ui.palette import LIGHT

PAGE = EegPage(
    names=("Cz",), microvolts=(np.zeros(100, np.float32),), rate_hz=10.0, start_s=0.0, marks=(), unit="uV"
)


def test_lines_are_dragged_in_time_only():
    drawn = eeg_figure.traces(PAGE, [np.arange(100)], 7, LIGHT, length_s=10)
    assert drawn.layout.dragmode == "pan"
    assert drawn.layout.yaxis.fixedrange


def test_a_spectrogram_is_enlarged_in_time_only():
    found = Spectra(times_s=np.arange(5.0), frequencies_hz=np.arange(3.0), power=np.ones((5, 3), np.float32))
    drawn = eeg_figure.spectrogram(found, "uV", LIGHT, most_hz=3)
    assert drawn.layout.dragmode == "zoom"
    assert drawn.layout.yaxis.fixedrange
