"""The page of EEG: the drawn sample, files, what is refused, and that no model is promised."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.signals.eeg_example import synthetic_eeg
from healthdash.ui import eeg

pytestmark = pytest.mark.usefixtures("fake_tasks", "visited")


@pytest.fixture(autouse=True)
def read_here(monkeypatch):
    """Read in this process: that reading apart gives the same is tested elsewhere."""
    monkeypatch.setattr(eeg.apart, "call", lambda function, *given: function(*given))


def _texts(app):
    parts = [app.markdown, app.caption, app.error, app.info, app.warning, app.subheader, app.text]
    return "\n".join(str(element.value) for part in parts for element in part)


@pytest.fixture
def sample(open_page):
    app = open_page("eeg")
    app.button(key="eeg:sample").click().run()
    assert not app.exception
    return app


def _held(app):
    return app.session_state["eeg:held"]


def test_it_says_that_there_is_no_model(open_page):
    app = open_page("eeg")
    assert not app.exception
    assert "There is no model for EEG here" in _texts(app)


def test_the_sample_is_named_as_drawn_and_shown(sample):
    assert _held(sample).is_synthetic
    assert "BrainVision, 19 channels, 256 Hz, 120.0 s" in _texts(sample)
    assert "negative values upwards; filters: none" in _texts(sample)
    assert "Power of the bands on this page" in _texts(sample)


def test_pages_are_turned_and_jumped_to(sample):
    sample.button(key="eeg:next").click().run()
    assert sample.session_state["eeg:start"] == 30.0
    sample.button(key="eeg:previous").click().run()
    assert sample.session_state["eeg:start"] == 0.0
    sample.selectbox(key="eeg:mark").select_index(5).run()
    assert not sample.exception
    assert sample.session_state["eeg:start"] > 0


@pytest.mark.parametrize("montage", ["Common average", "Longitudinal bipolar"])
def test_montages_and_filters_are_named(sample, montage):
    sample.session_state["eeg:montage"] = montage
    sample.multiselect[0].set_value(["mains notch 50 Hz"]).run()
    assert not sample.exception
    assert f"{montage}; " in _texts(sample)
    assert "filters: mains notch 50 Hz" in _texts(sample)


def test_a_recording_of_many_channels_is_read_in_parts(open_page):
    app = open_page("eeg")
    rows = "\n".join(",".join(f"{n / 250:.4f}" if c == 0 else f"{c}" for c in range(71)) for n in range(400))
    header = "time_s," + ",".join(f"E{n}_uV" for n in range(1, 71))
    app.file_uploader[0].set_value([("x.csv", f"{header}\n{rows}".encode(), "text/csv")]).run()
    assert not app.exception
    assert any("1 to 32 of 70" in option for box in app.selectbox for option in box.options)


def test_a_file_that_is_none_is_refused_with_its_reason(open_page):
    app = open_page("eeg")
    app.file_uploader[0].set_value([("x.edf", b"%PDF-1.7 no", "application/pdf")]).run()
    assert not app.exception
    assert "PDF document" in _texts(app)


def test_files_of_one_recording_are_put_together(open_page):
    app = open_page("eeg")
    files = [(upload.name, upload.data, "") for upload in synthetic_eeg()]
    app.file_uploader[0].set_value(files[::-1]).run()
    assert not app.exception
    assert not _held(app).is_synthetic


def test_a_figure_keeps_peaks_and_stays_small():
    from healthdash.signals import formats
    from healthdash.signals.eeg import page_of
    from healthdash.ui import eeg_figure
    from healthdash.ui.palette import LIGHT

    shown = page_of(formats.read(synthetic_eeg()), "As recorded", 0.0, 60.0)
    figure = eeg_figure.traces(shown, 7.0, LIGHT, length_s=60.0)
    points = sum(len(trace.x) for trace in figure.data)
    assert points <= 24_000
    highest = max(np.nanmax(row) for row in shown.microvolts)
    assert max(np.nanmax(trace.customdata) for trace in figure.data) == highest


def test_sensitivities_are_rising():
    assert list(eeg._SENSITIVITIES) == sorted(eeg._SENSITIVITIES)
