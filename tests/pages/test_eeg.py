"""The page of EEG: the drawn sample, files, what is refused, and that no model is promised."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.signals.eeg import EegPage
from healthdash.signals.eeg_example import synthetic_eeg
from healthdash.ui import eeg, eeg_spectrum

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


@pytest.mark.parametrize(
    ("names", "is_ecg"),
    [
        (("I", "II", "III", "aVR", "V1", "V6"), True),
        (("MLII", "V5"), True),
        (("C3", "C4"), False),
        (("Fp1", "F3", "C3", "O1", "ECG"), False),
    ],
)
def test_an_ecg_is_shown_the_way_to_its_page(open_page, names, is_ecg):
    app = open_page("eeg")
    rows = "\n".join(f"{n / 250:.4f},{','.join(str(n % 9) for _ in names)}" for n in range(400))
    header = ",".join(["time_s", *(f"{name}_uV" for name in names)])
    app.file_uploader[0].set_value([("x.csv", f"{header}\n{rows}".encode(), "text/csv")]).run()
    assert not app.exception
    links = [link.proto.label for link in app.get("page_link")]
    assert any("for the page ECG" in label for label in links) == is_ecg
    assert ("look like the leads of an ECG" in _texts(app)) == is_ecg


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


def _points(app):
    return int(_texts(app).split("Drawn through ")[1].split(" of ")[0].replace(",", ""))


def test_a_page_sends_a_bounded_number_of_points_and_under_5000_where_asked(sample):
    assert 5000 < _points(sample) <= 24_000
    sample.toggle(key="eeg:few").set_value(True).run()
    assert not sample.exception
    assert _points(sample) < 5000


def test_a_figure_draws_what_is_kept_about_the_middle_of_each_line():
    from healthdash.ui import eeg_figure
    from healthdash.ui.palette import LIGHT

    rows = (np.array([10, 10, 80, 10], np.float32), np.array([0, 0, np.nan, 0], np.float32))
    shown = EegPage(("O1", "O2"), rows, 1.0, 30.0, (), "µV")
    kept = [np.array([0, 2, 3]), np.array([0, 1, 2, 3])]
    figure = eeg_figure.traces(shown, kept, 7.0, LIGHT, length_s=4.0)
    assert figure.data[0].y.tolist() == [0, -10, 0]  # negative is upwards: 70 microvolt are 10 mm down
    assert figure.data[0].x.tolist() == [30, 32, 33]
    assert np.isnan(figure.data[1].y[2])
    assert figure.data[1].y[0] == -eeg_figure.GAP_MM


def test_a_rate_that_is_said_after_the_refusal_needs_no_second_upload(open_page):
    app = open_page("eeg")
    rows = "\n".join(f"{np.sin(n / 4):.4f},{np.cos(n / 4):.4f}" for n in range(500))
    app.file_uploader[0].set_value([("x.csv", f"C3,C4\n{rows}".encode(), "text/csv")]).run()
    assert "rate" in _texts(app)
    assert "eeg:held" not in app.session_state
    _rate(app).set_value(250.0).run()
    _unit(app).set_value("uV").run()
    assert not app.exception
    assert _held(app).recording.rate_hz == 250.0
    assert _held(app).recording.channels[0].unit == "uV"
    assert "does not state its rate: 250 Hz, as you entered" in _texts(app).replace("\\", "")


def _rate(app):
    return next(one for one in app.number_input if one.label == "Sampling rate, Hz")


def _unit(app):
    return next(one for one in app.selectbox if one.label == "Unit of the signal")


def _upload(app, name):
    rows = "\n".join(f"{np.sin(n / 4):.4f},{np.cos(n / 4):.4f}" for n in range(500))
    app.file_uploader[0].set_value([(name, f"C3,C4\n{rows}".encode(), "text/csv")]).run()
    return app


@pytest.fixture
def with_hints(open_page):
    """A recording, x.csv, of which the reader said that it has 250 Hz and is in uV."""
    app = _upload(open_page("eeg"), "x.csv")
    _rate(app).set_value(250.0).run()
    return _unit(app).set_value("uV").run()


def test_rate_and_unit_that_were_said_are_there_after_another_page(with_hints):
    with_hints.switch_page("pages/models.py").run()
    with_hints.switch_page("pages/eeg.py").run()
    assert (_rate(with_hints).value, _unit(with_hints).value) == (250.0, "uV")
    _unit(with_hints).set_value("mV").run()
    assert _held(with_hints).recording.rate_hz == 250.0
    assert _held(with_hints).recording.channels[0].unit == "mV"
    _rate(with_hints).set_value(200.0).run()
    assert _held(with_hints).recording.rate_hz == 200.0
    assert _held(with_hints).recording.channels[0].unit == "mV"


def test_rate_and_unit_that_were_said_of_one_file_are_not_those_of_the_next(with_hints):
    app = _upload(with_hints, "y.csv")
    assert (_rate(app).value, _unit(app).value) == (None, None)
    assert "does not say its sampling rate" in _texts(app)
    assert "eeg:held" not in app.session_state


def test_a_montage_over_two_references_says_why_it_is_not_drawn(open_page):
    app = open_page("eeg")
    names = "time_s,Fp1-A1_uV,F7-A1_uV,Fp2-A2_uV,F8-A2_uV,Fz-A1_uV,Cz-A2_uV"
    rows = "\n".join(f"{n / 250:.4f},1,2,3,4,5,{n % 7}" for n in range(500))
    app.file_uploader[0].set_value([("x.csv", f"{names}\n{rows}".encode(), "text/csv")]).run()
    app.session_state["eeg:montage"] = "Longitudinal bipolar"
    app.run()
    assert "Not drawn: Fz-Cz. Their electrodes were recorded against different references (A1, A2)" in _texts(
        app
    )
    app.session_state["eeg:montage"] = "Common average"
    app.run()
    assert not app.exception
    assert "Fp1-avg" in _texts(app)
    assert len(app.get("plotly_chart")) == 0


def test_a_line_without_an_electrode_has_no_shares_of_bands():
    wave = np.sin(np.arange(2000, dtype=np.float32) / 4) * 1e-3
    lines = (wave, np.full(2000, 0.7, np.float32), np.full(2000, np.nan, np.float32))
    table = eeg_spectrum._bands(EegPage(("O1", "V1", "V2"), lines, 250.0, 0.0, (), "mV")).frame
    assert table["alpha"].notna().tolist() == [True, False, False]


def test_sensitivities_are_rising():
    assert list(eeg._SENSITIVITIES) == sorted(eeg._SENSITIVITIES)
