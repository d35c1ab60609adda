"""Opening each kind of signal file, against the bare library read; and a day of ECG thinned for a screen."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, alternate, seconds_of
from healthdash.signals import formats
from healthdash.signals.decimate import min_max
from healthdash.signals.leads import STANDARD
from healthdash.task import Upload

__all__ = ["rows"]

_BUDGET_S = 2.0
_RATE_HZ, _LEADS, _SECONDS = 500.0, 12, 600.0
_DAY = 21_600_000  # 24 hours at 250 Hz
_VIEW = 5000
_OPEN_S = 2.0

Files = list[Upload]


def rows() -> Iterator[Row]:
    """Yield a row a format, one for a day of ECG, one for its thinning."""
    rng = np.random.default_rng(0)
    steps = rng.integers(-40, 41, (int(_RATE_HZ * _SECONDS), _LEADS))
    counts = np.clip(np.cumsum(steps, axis=0), -2000, 2000).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        for make in (_wfdb, _edf, _dicom, _muse):
            name, files, bare = make(counts, Path(folder))
            yield _row(name, files, bare, counts)
        yield from _day(Path(folder))


def _row(name: str, files: Files, bare: Callable[[], NDArray[np.float64]], counts: NDArray[np.int16]) -> Row:
    """Compare opening by us, which ends with checked channels in a physical unit, with the bare read."""
    recording = formats.read(files)
    ours = np.stack([channel.values for channel in recording.channels[:_LEADS]], axis=1)
    apart = float(np.abs(ours[: len(counts)] - bare()[: len(counts), : ours.shape[1]]).max())
    mine, theirs = alternate([lambda: formats.read(files), bare], budget_s=_BUDGET_S, most=30)
    return Row.compared(
        f"open {name}, {_LEADS} leads, {_SECONDS / 60:g} min at {_RATE_HZ:g} Hz",
        ours=f"{1000 * mine:.0f} ms",
        reference=f"{1000 * theirs:.0f} ms (bare read)",
        ratio=mine / theirs,
        check=f"largest difference {apart:.1e}",
        equal=apart < 1e-2,
    )


def _wfdb(counts: NDArray[np.int16], folder: Path) -> tuple[str, Files, Callable[[], NDArray[np.float64]]]:
    import wfdb

    wfdb.wrsamp(
        "r", fs=_RATE_HZ, units=["mV"] * _LEADS, sig_name=list(STANDARD), fmt=["16"] * _LEADS,
        d_signal=counts.astype(np.int64), adc_gain=[200.0] * _LEADS, baseline=[0] * _LEADS,
        write_dir=str(folder),
    )  # fmt: skip
    files = [Upload(name, (folder / name).read_bytes()) for name in ("r.hea", "r.dat")]
    return "WFDB format 16", files, lambda: wfdb.rdrecord(str(folder / "r")).p_signal


def _edf(counts: NDArray[np.int16], folder: Path) -> tuple[str, Files, Callable[[], NDArray[np.float64]]]:
    import pyedflib

    path = folder / "r.edf"
    with pyedflib.EdfWriter(str(path), _LEADS, file_type=pyedflib.FILETYPE_EDF) as writer:
        for n in range(_LEADS):
            writer.setSignalHeader(
                n,
                {
                    "label": f"V{n}", "dimension": "uV", "sample_frequency": _RATE_HZ, "physical_max": 32767,
                    "physical_min": -32768, "digital_max": 32767, "digital_min": -32768, "transducer": "",
                    "prefilter": "",
                },
            )  # fmt: skip
        writer.writeSamples([np.ascontiguousarray(lead, np.float64) for lead in counts.T])

    def bare() -> NDArray[np.float64]:
        with pyedflib.EdfReader(str(path)) as reader:
            return np.stack([reader.readSignal(n) for n in range(_LEADS)], axis=1)

    return "EDF", [Upload("r.edf", path.read_bytes())], bare


def _dicom(counts: NDArray[np.int16], _: Path) -> tuple[str, Files, Callable[[], NDArray[np.float64]]]:
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, GeneralECGWaveformStorage, generate_uid

    group, whole = Dataset(), Dataset()
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = _LEADS, len(counts)
    group.SamplingFrequency, group.WaveformBitsAllocated = _RATE_HZ, 16
    group.WaveformSampleInterpretation, group.WaveformData = "SS", counts.astype("<i2").tobytes()
    definitions = [Dataset() for _ in range(_LEADS)]
    for definition in definitions:
        definition.ChannelSensitivity, definition.ChannelSensitivityCorrectionFactor = 5.0, 1.0
        definition.ChannelBaseline = 0.0
    group.ChannelDefinitionSequence = definitions
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole.file_meta.MediaStorageSOPClassUID = whole.SOPClassUID = GeneralECGWaveformStorage
    whole.file_meta.MediaStorageSOPInstanceUID = whole.SOPInstanceUID = generate_uid()
    whole.WaveformSequence = [group]
    file = io.BytesIO()
    pydicom.dcmwrite(file, whole, enforce_file_format=True)
    data = file.getvalue()
    return "DICOM waveform", [Upload("r", data)], lambda: pydicom.dcmread(io.BytesIO(data)).waveform_array(0)


def _muse(counts: NDArray[np.int16], _: Path) -> tuple[str, Files, Callable[[], NDArray[np.float64]]]:
    leads = "".join(
        f"<LeadData><LeadAmplitudeUnitsPerBit>5</LeadAmplitudeUnitsPerBit><LeadID>{name}</LeadID>"
        f"<WaveFormData>{base64.b64encode(lead.astype('<i2').tobytes()).decode()}</WaveFormData></LeadData>"
        for name, lead in zip(STANDARD, counts.T, strict=True)
    )
    data = (
        "<RestingECG><Waveform><WaveformType>Rhythm</WaveformType>"
        f"<SampleBase>{_RATE_HZ:g}</SampleBase>{leads}</Waveform></RestingECG>"
    ).encode()

    def bare() -> NDArray[np.float64]:
        texts = [element.text or "" for element in ElementTree.fromstring(data).iter("WaveFormData")]
        return np.stack([5.0 * np.frombuffer(base64.b64decode(text), "<i2") for text in texts], axis=1)

    return "GE MUSE XML", [Upload("r", data)], bare


def _day(folder: Path) -> Iterator[Row]:
    """Open 24 hours of one lead, and thin them for a view."""
    import wfdb

    values = np.clip(np.random.default_rng(1).normal(size=_DAY) * 100, -2000, 2000).astype(np.int16)
    for fmt in ("16", "212"):
        wfdb.wrsamp(
            f"day{fmt}", fs=250.0, units=["mV"], sig_name=["II"], fmt=[fmt], adc_gain=[200.0], baseline=[0],
            d_signal=values[:, None].astype(np.int64), write_dir=str(folder),
        )  # fmt: skip
        names = (f"day{fmt}.hea", f"day{fmt}.dat")
        files = [Upload(name, (folder / name).read_bytes()) for name in names]
        seconds, recording = seconds_of(lambda files=files: formats.read(files))
        yield Row(
            name=f"open 24 h at 250 Hz, {_DAY:,} samples, WFDB format {fmt}",
            ours=f"{seconds:.2f} s",
            target=f"under {_OPEN_S:g} s",
            verdict="met" if seconds < _OPEN_S else "missed",
        )
    lead = recording.channels[0].values
    seconds, (places, kept) = seconds_of(lambda: min_max(lead, _VIEW - 10))
    same = float(kept.max()) == float(lead.max()) and float(kept.min()) == float(lead.min())
    met = len(places) < _VIEW and same
    yield Row(
        name="a view of these 24 h: peaks kept",
        ours=f"{len(places):,} points in {1000 * seconds:.0f} ms",
        target=f"under {_VIEW:,} points",
        check="extremes equal" if same else "extremes lost",
        verdict="met" if met else "missed",
    )
