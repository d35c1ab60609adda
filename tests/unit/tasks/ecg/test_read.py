"""Reading recordings: what is right, and what is refused with which words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.signals.text import read_text
from healthdash.signals.wfdb_header import base_name
from healthdash.task import Upload
from healthdash.tasks.ecg import read
from healthdash.tasks.ecg.beat_codes import AAMI
from healthdash.tasks.ecg.measurements import Beats
from healthdash.tasks.ecg.sample import lead_kind
from healthdash.tasks.ecg.samples import as_csv, as_edf, as_wfdb, synthesise
from healthdash.tasks.ecg.views import median_beats, trace_of

ECG = synthesise("normal", seconds=12.0)
TIME = np.arange(1000) / 250
WAVE = np.sin(2 * np.pi * TIME)


def csv(header: str, *columns: np.ndarray, comment: str = "") -> Upload:
    rows = [",".join(f"{v:.12g}" for v in row) for row in zip(*columns, strict=True)]
    return Upload("table.csv", "\n".join([*([comment] if comment else []), header, *rows]).encode())


@pytest.mark.parametrize("write", [as_wfdb, as_csv, as_edf])
def test_every_format_gives_the_same_millivolts(write) -> None:
    sample = read.read(write(ECG, "drawn"))
    assert sample.rate_hz == pytest.approx(250)
    assert len(sample.leads) == 2
    assert np.abs(sample.signal_mv[: len(ECG.signal_mv)] - ECG.signal_mv).max() < 0.006


def test_stored_values_are_in_the_unit_of_the_file() -> None:
    stored = read.read(as_edf(ECG, "drawn")).stored
    assert stored.unit == "uV"
    assert stored.high == pytest.approx(1000 * ECG.signal_mv.max(), rel=0.01)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret.dat", "http://host/x.dat", "C:\\x.dat", ".hidden"]
)
def test_a_header_that_names_a_path_is_refused(name: str) -> None:
    header = Upload("r.hea", f"r 1 250 100\n{name} 16 200 16 0 0 0 0 II\n".encode())
    with pytest.raises(InvalidInput, match="path or an address"):
        read.read([header])


def test_a_header_without_its_signal_says_what_is_missing() -> None:
    with pytest.raises(InvalidInput, match=r"missing: 1 \(\.dat\)"):
        read.read(as_wfdb(ECG, "drawn")[:1])


def test_a_signal_file_without_its_header_says_so() -> None:
    with pytest.raises(InvalidInput, match="expected a WFDB header"):
        read.read(as_wfdb(ECG, "drawn")[1:])


def test_a_truncated_signal_file_is_unreadable() -> None:
    header, signal = as_wfdb(ECG, "drawn")
    words = "expected 3,000 samples of 2 signals, the file holds 25"
    with pytest.raises(UnreadableUpload, match=words) as caught:
        read.read([header, Upload(signal.name, signal.data[:100])])
    assert caught.value.hint == "Copy the whole file again."


def test_files_of_two_records_are_put_together() -> None:
    a, b = as_wfdb(ECG, "a", annotated=True), as_wfdb(ECG, "b")
    groups = read.group([a[1], b[0], a[0], b[1], a[2], csv("II", WAVE)])
    assert [[u.name for u in g] for g in groups] == [
        ["b.hea", "b.dat"],
        ["a.hea", "a.dat", "a.atr"],
        ["table.csv"],
    ]


def test_annotations_become_aami_letters() -> None:
    sample = read.read(as_wfdb(synthesise("supraventricular", seconds=20.0), "a", annotated=True))
    assert sample.annotation is not None
    assert set(sample.annotation.labels.tolist()) == {"N", "S"}


def test_marks_of_a_lead_with_several_samples_a_frame_are_in_frames(tmp_path: Path) -> None:
    values = [np.arange(4 * 500), np.arange(500)]
    wfdb.Record(
        record_name="r", n_sig=2, fs=125, sig_len=500, file_name=["r.dat"] * 2, fmt=["16"] * 2,
        samps_per_frame=[4, 1], adc_gain=[200.0] * 2, baseline=[0] * 2, units=["mV", "pm"],
        sig_name=["II", "RESP"], adc_res=[16] * 2, adc_zero=[0] * 2, init_value=[0] * 2, block_size=[0] * 2,
        checksum=[int(one.sum() % 65536) for one in values], e_d_signal=values,
    ).wrsamp(write_dir=str(tmp_path), expanded=True)  # fmt: skip
    wfdb.wrann("r", "atr", np.array([125, 250]), ["N", "V"], write_dir=str(tmp_path))
    sample = read.read([Upload.from_path(tmp_path / name) for name in ("r.hea", "r.dat", "r.atr")])
    assert (sample.rate_hz, sample.annotation.samples.tolist()) == (500, [500, 1000])
    assert [mark.onset_s for mark in sample.marks] == [1, 2]


def test_marks_of_a_time_resolution_of_their_own_keep_their_time(tmp_path: Path) -> None:
    header, signal = as_wfdb(ECG, "r")
    wfdb.wrann("r", "atr", np.array([1000, 2004]), ["N", "V"], fs=1000, write_dir=str(tmp_path))
    sample = read.read([header, signal, Upload.from_path(tmp_path / "r.atr")])
    assert sample.annotation.samples.tolist() == [250, 501]
    assert [mark.onset_s for mark in sample.marks] == [1, 2.004]


def test_a_renamed_record_has_the_marks_of_its_beats(tmp_path: Path) -> None:
    header, signal = as_wfdb(ECG, "r")
    wfdb.wrann("other", "atr", np.array([250, 500]), ["N", "V"], write_dir=str(tmp_path))
    sample = read.read([replace(header, name="other.hea"), signal, Upload.from_path(tmp_path / "other.atr")])
    assert len(sample.annotation.samples) == len(sample.marks) == 2


def test_marks_are_in_seconds_at_the_rate_that_the_user_says(tmp_path: Path) -> None:
    header, signal = as_wfdb(ECG, "r")
    wfdb.wrann("r", "atr", np.array([100, 200]), ["N", "V"], write_dir=str(tmp_path))
    silent = Upload("r.hea", header.data.replace(b"r 2 250 3000", b"r 2"), {"rate_hz": 100.0})
    sample = read.read([silent, signal, Upload.from_path(tmp_path / "r.atr")])
    assert (sample.rate_hz, sample.annotation.samples.tolist()) == (100, [100, 200])
    assert "The file does not state its rate: 100 Hz, as you entered, is taken." in sample.notices
    assert [mark.onset_s for mark in sample.marks] == [1, 2]


@pytest.mark.data("signals/mitdb")
def test_beats_of_a_real_record_have_the_sample_numbers_of_their_file(data: Path) -> None:
    folder = data / "signals" / "mitdb"
    names = sorted(path.stem for path in folder.glob("*.atr"))
    for name in (names[0], names[-1]):
        sample = read.read([Upload.from_path(folder / f"{name}{end}") for end in (".hea", ".dat", ".atr")])
        marks = wfdb.rdann(str(folder / name), "atr")
        is_beat = np.isin(marks.symbol, [*AAMI])
        np.testing.assert_array_equal(sample.annotation.samples, marks.sample[is_beat])


def test_a_csv_without_a_rate_asks_for_it() -> None:
    with pytest.raises(InvalidInput, match="sampling rate"):
        read.read([csv("II_mV", WAVE)])


@pytest.mark.parametrize(
    ("upload", "rate_hz"),
    [
        (csv("time_s,II_mV", TIME, WAVE), 250.0),
        (csv("time_ms,II_mV", 1000 * TIME, WAVE), 250.0),
        (csv("II_mV", WAVE, comment="# rate_hz: 360"), 360.0),
        (csv("II_mV", WAVE, comment="# sampling frequency: 500 Hz"), 500.0),
        (csv("II_mV", WAVE, comment="# 128 Hz, lead II"), 128.0),
        (Upload("x.csv", csv("II_mV", WAVE).data, {"rate_hz": 100.0}), 100.0),
    ],
)
def test_the_rate_of_a_csv_is_found(upload: Upload, rate_hz: float) -> None:
    assert read.read([upload]).rate_hz == pytest.approx(rate_hz)


@pytest.mark.parametrize(
    ("header", "scale"),
    [("II_uV", 1000.0), ("II (mV)", 1.0), ("II [µV]", 1000.0), ("II", 1.0), ("II", 1000.0)],
)
def test_units_of_a_csv_become_millivolt(header: str, scale: float) -> None:
    sample = read.read([csv(f"time_s,{header}", TIME, scale * WAVE)])
    assert np.abs(sample.signal_mv).max() == pytest.approx(1.0, rel=0.01)
    assert sample.unit_stated == (header != "II")


@pytest.mark.parametrize(("pause_s", "missing"), [(10.0, 2500), (0.012, 3), (3600.0, 900_000)])
def test_a_jump_of_the_time_column_is_a_gap_and_changes_no_rate(pause_s: float, missing: int) -> None:
    times = TIME.copy()
    times[500:] += pause_s
    sample = read.read([csv("time_s,II_mV", times, WAVE)])
    assert sample.rate_hz == 250
    assert len(sample.signal_mv) == len(WAVE) + missing
    assert any("missing" in notice for notice in sample.notices)
    np.testing.assert_allclose(sample.signal_mv[500 + missing :, 0], WAVE[500:], atol=1e-3)


def test_times_that_go_back_or_never_end_are_refused() -> None:
    back, far = TIME.copy(), TIME.copy()
    back[500:] -= 2
    far[500:] += 1e6
    with pytest.raises(InvalidInput, match="goes back at data row 501"):
        read.read([csv("time_s,II_mV", back, WAVE)])
    with pytest.raises(InvalidInput, match="expected at most"):
        read.read([csv("time_s,II_mV", far, WAVE)])


def test_rounded_times_have_their_mean_rate() -> None:
    sample = read.read([csv("time_s,II_mV", np.round(np.arange(len(WAVE)) / 360, 3), WAVE)])
    assert sample.rate_hz == pytest.approx(360, abs=0.05)
    assert len(sample.signal_mv) == len(WAVE)


@pytest.mark.parametrize(
    ("header", "below", "units"),
    [
        ("time_s,II_mV,V1_uV", "", ("mV", "uV")),
        ("time_s,II (mV),ABP (mmHg)", "", ("mV", "mmHg")),
        ("Time,II,V1", "seconds,mV,uV", ("mV", "uV")),
        ("'Elapsed time','II','V1'", "'seconds','uV','uV'", ("uV", "uV")),
        ("time_s,II (uV),V1", "", ("uV", "uV")),
        ("time_s,II (1),V1 (raw)", "", ("mV", "mV")),
    ],
)
def test_each_column_of_a_csv_has_its_own_unit(header: str, below: str, units: tuple[str, str]) -> None:
    made = csv(header, TIME, WAVE, WAVE)
    first, rest = made.data.split(b"\n", 1)
    data = b"\n".join([first, *([below.encode()] if below else []), rest])
    recording = read_text([Upload("x.csv", data)])
    assert tuple(channel.unit for channel in recording.channels) == units
    assert recording.rate_hz == 250
    assert recording.unit_stated == ("raw" not in header)


def test_text_in_a_number_is_named_by_row() -> None:
    upload = csv("time_s,II_mV", TIME, WAVE)
    broken = upload.data.replace(b"\n0.4,", b"\n0.4,abc", 1)
    with pytest.raises(InvalidInput, match="data row 101, column 2"):
        read.read([Upload("x.csv", broken)])


@pytest.mark.parametrize(
    "data", [b"\x80\x04\x95pickle", b"%PDF-1.7", b"PK\x03\x04zip", b"\x00\x01\x02" * 900]
)
def test_strangers_are_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableUpload):
        read.read([Upload("ecg.csv", data)])


def test_a_table_of_patients_is_not_taken_for_a_signal() -> None:
    rows = "\n".join(f"{40 + i},1,{i % 4},{120 + i}" for i in range(60))
    assert not read.recognises(Upload("t.csv", f"age,sex,cp,trestbps\n{rows}".encode()))


@pytest.mark.parametrize("write", [as_wfdb, as_csv, as_edf])
def test_recordings_are_recognised(write) -> None:
    assert read.recognises(write(ECG, "drawn")[0])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("MLII", "ecg"), ("ECG II", "ecg"), ("V5", "ecg"), ("aVR", "ecg"), ("EEG Fp1", "other"),
     ("Fp1-A2", "other"), ("ABP", "other"), ("RESP", "other"), ("channel 1", "unknown"),
     ("C3", "ecg"), ("C3-A2", "other"), ("C4-M1", "other"), ("C3..", "unknown"), ("CC5", "ecg")],
)  # fmt: skip
def test_lead_names_say_what_they_are(name: str, kind: str) -> None:
    assert lead_kind(name) == kind


def test_electrodes_of_the_head_are_no_chest_leads() -> None:
    """A sleep recording: C3 and C4 of the EEG beside O1, and one ECG."""
    sleep = read.read([csv("time_s,C3_mV,C4_mV,O1_mV,ECG_mV", TIME, WAVE, WAVE, WAVE, WAVE)])
    assert sleep.leads == ("ECG",)
    chest = read.read([csv("time_s,II_mV,C3_mV,C4_mV", TIME, WAVE, WAVE, WAVE)])
    assert chest.leads == ("II", "C3", "C4")


def test_gaps_are_bridged_and_told() -> None:
    holed = WAVE.copy()
    holed[100:110] = np.nan
    sample = read.read([csv("time_s,II_mV", TIME, holed)])
    assert np.isfinite(sample.signal_mv).all()
    assert any("missing" in notice for notice in sample.notices)
    assert sample.gaps == ()  # no beat is hidden in 40 ms


def test_base_names_of_any_system() -> None:
    assert base_name("/a/b/c.hea") == base_name("D:\\x\\c.hea") == "c.hea"


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "mV"), (1000.0, "uV")])
def test_a_recording_without_a_unit_is_taken_by_the_size_of_its_values(
    tmp_path: Path, scale: float, unit: str
) -> None:
    wave = np.sin(2 * np.pi * np.arange(2500) / 250)[:, None]
    wfdb.wrsamp(
        "r", fs=250, units=["NU"], sig_name=["II"], p_signal=scale * wave, fmt=["16"],
        write_dir=str(tmp_path),
    )  # fmt: skip
    sample = read.read([Upload.from_path(tmp_path / name) for name in ("r.hea", "r.dat")])
    assert np.abs(sample.signal_mv).max() == pytest.approx(1, abs=0.01)
    assert not sample.unit_stated
    assert any(f"{unit} is assumed" in told for told in sample.notices)


@pytest.mark.parametrize("write", [as_wfdb, as_csv, as_edf])
def test_nothing_is_wrong_with_what_ships(write) -> None:
    assert read.read(write(ECG, "drawn")).notices == ()


def test_what_one_lead_did_not_record_is_no_line_and_no_part_of_its_median_beat() -> None:
    at_s = np.arange(2500) / 250
    complexes = (200 * np.exp(-(((at_s % 0.8 - 0.4) / 0.012) ** 2))).astype("<i2")
    two = np.stack([complexes, complexes, complexes], axis=1)
    two[500:2000, 1] = -32768  # The code of a missing value of 16 bits.
    two[:, 2] = -32768
    lines = "".join(f"r.dat 16 200 16 0 0 0 0 {name}\n" for name in ("II", "V1", "V2"))
    header = f"r 3 250 2500\n{lines}".encode()
    sample = read.read([Upload("r.hea", header), Upload("r.dat", two.tobytes())])
    drawn = trace_of(sample).signal
    assert np.isnan(drawn[500:2000, 1]).all()
    assert np.isfinite(drawn[:, 0]).all()
    assert np.isfinite(sample.signal_mv).all()  # The model is given straight lines.
    assert sample.gaps == ()
    assert sample.flags[2] == "off: nothing was recorded"
    nothing = np.full(10, np.nan)
    beats = Beats(nothing, nothing, nothing, nothing, np.arange(1, 11) * 0.8 + 0.4, np.ones(10, bool))
    (view,) = median_beats(sample, beats)
    assert np.ptp(view.signal[:, :2], axis=0).tolist() == pytest.approx([1.0, 1.0], abs=0.01)
    assert np.isnan(view.signal[:, 2]).all()
