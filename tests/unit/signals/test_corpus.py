"""Every file of the corpora of ECG, EEG and WFDB opens with the numbers of another program, or is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload
from healthdash.signals import formats
from healthdash.signals.recording import Recording
from healthdash.task import Upload

pytestmark = pytest.mark.data("signals/wfdb_formats", "signals/ecg_formats", "signals/eeg_formats")

_SIGNALS = Path(os.environ.get("HEALTHDASH_DATA", "")) / "signals"
_WFDB, _ECG, _EEG = _SIGNALS / "wfdb_formats", _SIGNALS / "ecg_formats", _SIGNALS / "eeg_formats"


def _read(path: Path) -> Recording:
    return formats.read([Upload.from_path(p) for p in [path, *formats.companions(path)]])


def _by_name(recording: Recording) -> dict[str, np.ndarray]:
    return {channel.name: channel.values for channel in recording.channels}


def _headers() -> Sequence[str]:
    found = sorted(str(path.relative_to(_WFDB)) for path in _WFDB.rglob("*.hea")) if _WFDB.is_dir() else []
    return [name for name in found if name != "wave_4.hea"] or ["none"]


@pytest.mark.parametrize("name", _headers())
def test_wfdb_gives_what_the_wfdb_package_gives(name: str) -> None:
    import wfdb

    recording = _read(_WFDB / name)
    reference = wfdb.rdrecord(str(_WFDB / name).removesuffix(".hea"), smooth_frames=False, return_res=32)
    assert len(recording.channels) == reference.n_sig
    frames = reference.samps_per_frame or [1] * reference.n_sig
    for channel, values, many in zip(recording.channels, reference.e_p_signal, frames, strict=True):
        assert np.array_equal(channel.values, values.astype(np.float32), equal_nan=True)
        assert channel.rate_hz == pytest.approx(reference.fs * many)
    assert not any("checksum" in notice for notice in recording.notices)


def test_a_header_whose_signal_is_missing_says_so() -> None:
    with pytest.raises(InvalidInput, match=r"missing: 1 \(\.dat\)"):
        _read(_WFDB / "wave_4.hea")


@pytest.mark.parametrize(
    "name",
    [
        "mne/test.edf", "mne/test_uneven_samp.edf", "mne/test_edf_stim_channel.edf",
        "pyedflib/test_subsecond.edf", "pyedflib/test_utf8.edf",
        "pyedflib/test_generator_datarec_generator_2.bdf",
    ],
)  # fmt: skip
def test_edf_gives_what_pyedflib_gives(name: str) -> None:
    import pyedflib

    recording = _read(_EEG / name)
    with pyedflib.EdfReader(str(_EEG / name)) as reference:
        assert len(recording.channels) == reference.signals_in_file
        for number, channel in enumerate(recording.channels):
            expected = reference.readSignal(number)
            size = max(1.0, float(np.abs(expected).max()))
            assert np.abs(channel.values - expected).max() / size < 1e-6
            assert channel.rate_hz == pytest.approx(reference.getSampleFrequency(number))
        onsets, durations, texts = reference.readAnnotations()
    marks = recording.marks
    assert [mark.text for mark in marks] == [str(text).strip() for text in texts]
    assert [mark.onset_s for mark in marks] == pytest.approx(list(onsets), abs=2e-3)
    lasting = [max(0.0, duration) for duration in durations]
    assert [mark.duration_s for mark in marks] == pytest.approx(lasting, abs=1e-3)


def test_a_bdf_that_pyedflib_refuses_is_read() -> None:
    # MNE, which reads it, counts 73 channels and 1 s at 2048 Hz.
    recording = _read(_EEG / "mne" / "test.bdf")
    assert (len(recording.channels), recording.rate_hz, recording.duration_s) == (73, 2048.0, 1.0)


def test_doubled_labels_are_told_apart() -> None:
    names = [channel.name for channel in _read(_EEG / "mne" / "duplicate_channel_labels.edf").channels]
    assert names == ["EEG F1-Ref", "EEG F2-Ref", "EEG F1-Ref (2)"]


def test_brainvision_of_a_recorder() -> None:
    recording = _read(_EEG / "mne" / "test.vhdr")
    assert (recording.format, recording.rate_hz, recording.duration_s) == ("BrainVision", 1000.0, 7.9)
    assert [c.unit for c in recording.channels[:2]] == ["uV", "uV"]
    raw = np.fromfile(_EEG / "mne" / "test.eeg", "<i2").reshape(-1, 32)
    assert np.array_equal(recording.channels[3].values, raw[:, 3] * np.float32(0.5))
    assert recording.marks[1].text == "Stimulus: S253"
    assert recording.marks[1].onset_s == pytest.approx(0.486)


def test_dicom_gives_what_pydicom_gives() -> None:
    import pydicom

    path = _ECG / "dicom_ecg" / "waveform_ecg.dcm"
    recording = _read(path)
    expected = pydicom.dcmread(path).waveform_array(0)
    assert np.abs(np.stack([c.values for c in recording.channels], 1) - expected).max() < 1e-3
    assert [c.name for c in recording.channels][:4] == ["I", "II", "III", "aVR"]


def test_one_recording_as_scp_and_as_aecg_has_the_same_microvolts() -> None:
    scp = _by_name(_read(_ECG / "scp_ecg" / "Example.scp"))
    aecg = _by_name(_read(_ECG / "hl7_aecg" / "Example_aECG.xml"))
    assert set(scp) == set(aecg)
    for name, values in scp.items():
        assert np.abs(values - aecg[name]).max() < 5.0


def test_one_recording_as_muse_and_as_wfdb_has_the_same_microvolts() -> None:
    folder = _ECG / "ge_muse_xml"
    muse = {name.upper(): values for name, values in _by_name(_read(folder / "muse-sinus.xml")).items()}
    # The program that wrote the WFDB files stored whole microvolts, and then a gain of 200 a millivolt:
    # its counts are those of MUSE, its millivolts five times as large.
    for name, values in _by_name(_read(folder / "muse-sinus.hea")).items():
        assert np.abs(muse[name.upper()] - 200 * values).max() < 5.0


def test_one_recording_of_contec_as_edf_has_the_same_counts() -> None:
    contec = _by_name(_read(_ECG / "scp_ecg" / "0000050.ECG"))
    edf = _by_name(_read(_ECG / "scp_ecg" / "0000050.ECG.edf"))
    a_bit_mv = 2000 / 65535  # as the EDF states it: complexes of 7 mV, which no heart makes
    for name in ("I", "II", "III"):
        assert np.abs(contec[name] / 5 - (edf[name] / a_bit_mv - 0.5)).max() < 0.01


def test_philips_leads_are_those_of_the_sierra_ecg_tools() -> None:
    recording = _read(_ECG / "philips_sierra_xml" / "3191723_ZZDEMOPTONLY_1-04_orig.xml")
    # Samples 0, 1, 100, 1000 of sierraecg 0.4.0 (MIT), 5 microvolt a bit.
    expected = {
        "I": (33, 33, -3, 1), "III": (5, 5, -15, -49), "aVR": (-35, -35, 11, 24),
        "aVL": (14, 14, 6, 25), "aVF": (22, 22, -18, -49), "V3": (217, 215, 26, 28),
    }  # fmt: skip
    leads = _by_name(recording)
    for name, counts in expected.items():
        assert (leads[name][[0, 1, 100, 1000]] / 5).tolist() == list(counts)
    # The tools keep the pulse of all leads at the end, samples 5300 to 5499.
    assert {len(values) for values in leads.values()} == {5300}
    assert any("last 0.4 s are left out" in notice for notice in recording.notices)


def test_raw_scp_completes_its_limb_leads() -> None:
    recording = _read(_ECG / "scp_ecg" / "demo.scp")
    leads = _by_name(recording)
    assert (recording.rate_hz, len(leads)) == (1000.0, 12)
    assert np.allclose(leads["III"], leads["II"] - leads["I"])
    assert any("computed" in notice for notice in recording.notices)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hl7_aecg/empty.xml", "series of waveforms"),
        ("philips_sierra_xml/invalid-doc-type.xml", "SierraECG or PhilipsECG"),
    ],
)
def test_what_holds_no_ecg_is_refused_with_its_reason(name: str, words: str) -> None:
    with pytest.raises((UnreadableUpload, InvalidInput), match=words):
        _read(_ECG / name)


def test_no_name_or_date_of_a_patient_comes_out() -> None:
    for path in sorted(_ECG.rglob("*")):
        if not path.is_file():
            continue
        try:
            recording = _read(path)
        except HealthdashError:
            continue
        said = " ".join([*recording.notices, *(v for pair in recording.facts for v in pair)])
        assert not re.search(r"doe|john|clark|zzdemo|\b(19|20)\d\d\b", said, re.IGNORECASE)
