"""Signals that other programs and libraries wrote: the same millivolts in every format, to 5 microvolts."""

from __future__ import annotations

import base64
import binascii
import io
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from healthdash.errors import InputError, InvalidInput, UnreadableUpload
from healthdash.signals import formats
from healthdash.signals.recording import Recording
from healthdash.task import Upload

RATE = 500.0
N = 2000
TIME = np.arange(N) / RATE
LEADS = {
    "I": (0.8 * np.sin(2 * np.pi * 1.2 * TIME)).astype(np.float64),
    "II": (1.1 * np.sin(2 * np.pi * 1.2 * TIME + 0.3)).astype(np.float64),
}
MICROVOLTS = {name: np.rint(1000 * values).astype(np.int64) for name, values in LEADS.items()}


def wfdb_files(fmt: str) -> Callable[[Path], list[Upload]]:
    def write(folder: Path) -> list[Upload]:
        import wfdb

        gain = 100.0 if fmt in ("80", "508") else 1000.0
        wfdb.wrsamp(
            "r", fs=RATE, units=["mV"] * 2, sig_name=list(LEADS), fmt=[fmt] * 2, adc_gain=[gain] * 2,
            baseline=[0, 0], write_dir=str(folder), 
            d_signal=np.rint(gain * np.stack([*LEADS.values()], 1)).astype(int),
        )  # fmt: skip
        files = sorted(folder.iterdir(), key=lambda path: path.suffix != ".hea")
        return [Upload(path.name, path.read_bytes()) for path in files]

    return write


def edf_file(ending: str) -> Callable[[Path], list[Upload]]:
    def write(folder: Path) -> list[Upload]:
        import pyedflib

        kind = pyedflib.FILETYPE_BDFPLUS if ending == ".bdf" else pyedflib.FILETYPE_EDFPLUS
        path = folder / f"r{ending}"
        most = 8388607 if ending == ".bdf" else 32767
        with pyedflib.EdfWriter(str(path), len(LEADS), file_type=kind) as writer:
            writer.setSignalHeaders(
                [
                    {
                        "label": name, "dimension": "mV", "sample_frequency": RATE, "physical_max": 5.0,
                        "physical_min": -5.0, "digital_max": most, "digital_min": -most - 1,
                        "prefilter": "", "transducer": "",
                    }
                    for name in LEADS
                ]
            )  # fmt: skip
            writer.writeSamples([*LEADS.values()])
            writer.writeAnnotation(1.5, 0.25, "stand up")
        return [Upload("r", path.read_bytes())]

    return write


def brainvision_files(orientation: str, form: str) -> Callable[[Path], list[Upload]]:
    def write(_: Path) -> list[Upload]:
        rows = np.stack([*LEADS.values()]) * 1000
        lines = [f"Ch{n}={name},,{0.1 if form == 'INT_16' else 1},µV" for n, name in enumerate(LEADS, 1)]
        text = form == "ASCII"
        infos = f"[Binary Infos]\nBinaryFormat={form}\n"
        if text:
            infos = "[ASCII Infos]\nDecimalSymbol=,\nSkipLines=0\nSkipColumns=0\n"
        header = (
            "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
            "DataFile=r.eeg\n"
            f"MarkerFile=r.vmrk\nDataFormat={'ASCII' if text else 'BINARY'}\nDataOrientation={orientation}\n"
            f"NumberOfChannels=2\nSamplingInterval={1e6 / RATE:g}\n"
            + infos
            + "[Channel Infos]\n" + "\n".join(lines)
        )  # fmt: skip
        if text:
            table = rows if orientation == "VECTORIZED" else rows.T
            data = "\n".join(" ".join(f"{v:.3f}" for v in row) for row in table).replace(".", ",").encode()
            if orientation == "MULTIPLEXED":
                data = " ".join(LEADS).encode() + b"\n" + data
        else:
            stored = np.rint(rows * 10).astype("<i2") if form == "INT_16" else rows.astype("<f4")
            data = (stored if orientation == "VECTORIZED" else stored.T).tobytes()
        marks = b"Brain Vision Data Exchange Marker File\n[Marker Infos]\nMk1=Stimulus,S  1,751,1,0\n"
        return [Upload("r.vhdr", header.encode()), Upload("r.eeg", data), Upload("r.vmrk", marks)]

    return write


def dicom_file(_: Path) -> list[Upload]:
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, TwelveLeadECGWaveformStorage, generate_uid

    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = len(LEADS), N
    group.SamplingFrequency = RATE
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    definitions = []
    for number, name in enumerate(LEADS, 1):
        channel, source, unit = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator = f"2:{number}", "MDC"
        source.CodeMeaning = f"Lead {name}"
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "mV", "UCUM", "millivolt"
        channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [unit]
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor = 0.0005, 2.0
        channel.ChannelBaseline = 0
        definitions.append(channel)
    group.ChannelDefinitionSequence = definitions
    group.WaveformData = np.stack([*MICROVOLTS.values()], 1).astype("<i2").tobytes()
    whole = Dataset()
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole.file_meta.MediaStorageSOPClassUID = TwelveLeadECGWaveformStorage
    whole.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    whole.SOPClassUID, whole.SOPInstanceUID = TwelveLeadECGWaveformStorage, generate_uid()
    whole.WaveformSequence = [group]
    file = io.BytesIO()
    pydicom.dcmwrite(file, whole, enforce_file_format=True)
    return [Upload("r.dcm", file.getvalue())]


def muse_file(_: Path) -> list[Upload]:
    leads = "".join(
        f"<LeadData><LeadSampleCountTotal>{N}</LeadSampleCountTotal>"
        "<LeadAmplitudeUnitsPerBit>2</LeadAmplitudeUnitsPerBit>"
        f"<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{name}</LeadID>"
        "<LeadSampleSize>2</LeadSampleSize>"
        f"<LeadDataCRC32>{binascii.crc32(data)}</LeadDataCRC32>"
        f"<WaveFormData>{base64.b64encode(data).decode()}</WaveFormData></LeadData>"
        for name, values in MICROVOLTS.items()
        for data in [np.rint(values / 2).astype("<i2").tobytes()]
    )  # fmt: skip
    text = (
        '<?xml version="1.0"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG><Waveform>'
        "<WaveformType>Rhythm</WaveformType><SampleBase>5</SampleBase><SampleExponent>2</SampleExponent>"
        f"{leads}</Waveform></RestingECG>"
    )
    return [Upload("r.xml", text.encode())]


def aecg_file(_: Path) -> list[Upload]:
    def sequence(code: str, value: str) -> str:
        return f'<component><sequence><code code="{code}"/><value>{value}</value></sequence></component>'

    leads = "".join(
        sequence(
            f"MDC_ECG_LEAD_{name}",
            '<origin value="0.1" unit="mV"/><scale value="1" unit="uV"/>'
            f"<digits>{' '.join(str(v - 100) for v in values)}</digits>",
        )
        for name, values in MICROVOLTS.items()
    )
    time = sequence("TIME_RELATIVE", '<head value="0" unit="s"/><increment value="2" unit="ms"/>')
    text = (
        '<AnnotatedECG xmlns="urn:hl7-org:v3"><component><series><code code="RHYTHM"/>'
        "<component><sequenceSet>"
        f"{time}{leads}</sequenceSet></component></series></component></AnnotatedECG>"
    )
    return [Upload("r.xml", text.encode("utf-16"))]


def ishne_file(_: Path) -> list[Upload]:
    head = bytearray(522)
    head[:8] = b"ISHNE1.0"
    struct.pack_into("<iiii", head, 10, 0, N, 522, 522)
    struct.pack_into("<3h", head, 150, 8, 30, 15)
    struct.pack_into("<h12h12h12h", head, 156, 2, 5, 6, *[-9] * 10, *[1] * 12, 1000, 1000, *[0] * 10)
    struct.pack_into("<h", head, 272, int(RATE))
    struct.pack_into("<H", head, 8, binascii.crc_hqx(bytes(head[10:522]), 0xFFFF))
    return [Upload("r.ecg", bytes(head) + np.stack([*MICROVOLTS.values()], 1).astype("<i2").tobytes())]


def matlab_file(_: Path) -> list[Upload]:
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, {"val": np.stack([*MICROVOLTS.values()]).astype(np.int16)}, do_compression=True)
    return [Upload("r.mat", file.getvalue(), {"rate_hz": RATE, "unit": "uV"})]


def csv_file(_: Path) -> list[Upload]:
    rows = "\n".join(f"{t:.3f},{a:.4f},{b:.4f}" for t, a, b in zip(TIME, *LEADS.values(), strict=True))
    return [Upload("r.csv", f"time_s,I_mV,II_mV\n{rows}".encode())]


WRITERS: dict[str, Callable[[Path], list[Upload]]] = {
    **{f"WFDB {fmt}": wfdb_files(fmt) for fmt in ("16", "24", "32", "80", "212", "508", "516", "524")},
    "EDF+": edf_file(".edf"),
    "BDF+": edf_file(".bdf"),
    **{
        f"BrainVision {how} {form}": brainvision_files(how, form)
        for how in ("MULTIPLEXED", "VECTORIZED")
        for form in ("INT_16", "IEEE_FLOAT_32", "ASCII")
    },
    "DICOM": dicom_file,
    "MUSE": muse_file,
    "aECG": aecg_file,
    "ISHNE": ishne_file,
    "MATLAB": matlab_file,
    "CSV": csv_file,
}


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_gives_the_same_millivolts(form: str, tmp_path: Path) -> None:
    recording = formats.read(WRITERS[form](tmp_path))
    # Formats of 8 bits hold a value of 1 mV to no more than a hundredth of it.
    within_uv = 5.0 if form not in ("WFDB 80", "WFDB 508") else 6.0
    assert recording.rate_hz == pytest.approx(RATE)
    for channel, expected in zip(recording.channels, LEADS.values(), strict=False):
        scale = {"mV": 1.0, "uV": 1e-3}[channel.unit]
        assert 1000 * np.abs(scale * channel.values[:N] - expected).max() < within_uv
    if form not in ("MATLAB",):
        assert [channel.name for channel in recording.channels][:2] == ["I", "II"]


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_is_told_by_its_bytes_alone(form: str, tmp_path: Path) -> None:
    first = WRITERS[form](tmp_path)[0]
    assert formats.recognises(Upload("any name", first.data))


@pytest.mark.parametrize("form", WRITERS)
def test_a_file_that_is_cut_off_never_crashes(form: str, tmp_path: Path) -> None:
    first, *others = WRITERS[form](tmp_path)
    for share in (0.02, 0.3, 0.77):
        for files in (
            [Upload(first.name, first.data[: int(share * len(first.data))], first.hints), *others],
            [first, *(Upload(o.name, o.data[: int(share * len(o.data))]) for o in others)],
        ):
            with suppress(UnreadableUpload, InvalidInput):
                assert isinstance(formats.read(files), Recording)


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212"])
def test_a_wfdb_file_that_is_cut_off_says_how_much_is_there(fmt: str, tmp_path: Path) -> None:
    header, signal = wfdb_files(fmt)(tmp_path)
    with pytest.raises(UnreadableUpload, match="expected 2,000 samples of 2 signals, the file holds 1,000"):
        formats.read([header, Upload(signal.name, signal.data[: len(signal.data) // 2])])


def test_annotations_of_edf_keep_their_time(tmp_path: Path) -> None:
    (mark,) = formats.read(edf_file(".edf")(tmp_path)).marks
    assert (mark.onset_s, mark.duration_s, mark.text) == (1.5, 0.25, "stand up")


def test_of_several_recordings_the_first_is_read_and_the_others_are_named() -> None:
    rows = b"time,I\n" + b"".join(f"{n / 100},{n % 7}\n".encode() for n in range(300))
    uploads = [
        Upload(name, data, {"unit": "mV"}) for name, data in (("a.csv", rows), ("b.edf", b"0  damaged"))
    ]
    assert formats.read_first(uploads[:1]).notices == formats.read(uploads[:1]).notices
    assert formats.read_first(uploads).notices[-1].endswith("not read: b.edf")


def test_files_of_two_folders_are_not_mixed(tmp_path: Path) -> None:
    header, signal = wfdb_files("16")(tmp_path)
    files = [
        Upload("a/r.hea", header.data), Upload("b/r.hea", header.data),
        Upload("a/r.dat", signal.data), Upload("b/r.dat", signal.data),
    ]  # fmt: skip
    found = [[upload.name for upload in files] for files in formats.group(files)]
    assert found == [["a/r.hea", "a/r.dat"], ["b/r.hea", "b/r.dat"]]


def test_a_changed_signal_does_not_have_its_checksum(tmp_path: Path) -> None:
    header, signal = wfdb_files("16")(tmp_path)
    changed = Upload(signal.name, b"\x01\x00" + signal.data[2:])
    assert any("checksum" in notice for notice in formats.read([header, changed]).notices)


def test_an_array_of_matlab_asks_for_its_rate_and_its_unit(tmp_path: Path) -> None:
    (upload,) = matlab_file(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        formats.read([Upload(upload.name, upload.data)])
    assert len(caught.value.problems) == 2
    assert [told.split(":")[1] for told in formats.read([upload]).notices] == [
        f" {RATE:g} Hz, as you entered, is taken.",
        " uV, as you entered, is taken.",
    ]


@pytest.mark.parametrize("kind", ["BMP", "PNG", "TIFF", "GIF", "WEBP", "JPEG"])
def test_no_picture_is_taken_for_a_recording(kind):
    for side in (1, 3, 50, 200):
        stored = io.BytesIO()
        Image.new("L", (side, side), 5).save(stored, kind)
        assert not formats.recognises(Upload("x", stored.getvalue()))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0" * 128 + b"DICM\x02\0\0\0UL\x04\0", "DICOM file without a waveform"),
        (b'{"a": 1e99999}', "JSON"),
        (
            b"% of\n@RELATION EEG\n@ATTRIBUTE O1 NUMERIC\n@ATTRIBUTE O2 NUMERIC\n@DATA\n1,2\n3,4\n",
            "ARFF table",
        ),
    ],
)
def test_what_is_no_recording_is_named(data, name):
    with pytest.raises(UnreadableUpload, match=name):
        formats.read([Upload("x", data)])


@pytest.mark.parametrize(
    ("make", "before", "after"),
    [
        (muse_file, f"<LeadSampleCountTotal>{N}", "<LeadSampleCountTotal>nan"),
        (muse_file, f"<LeadSampleCountTotal>{N}", "<LeadSampleCountTotal>-1"),
        (muse_file, f"<LeadSampleCountTotal>{N}", "<LeadSampleCountTotal>0"),
        (muse_file, "UnitsPerBit>2<", "UnitsPerBit>nan<"),
        (muse_file, "<SampleBase>5", "<SampleBase>0"),
        (muse_file, "<SampleBase>5", "<SampleBase>inf"),
        (aecg_file, 'scale value="1"', 'scale value="0"'),
        (aecg_file, 'scale value="1"', 'scale value="nan"'),
        (aecg_file, 'origin value="0.1"', 'origin value="1e300"'),
        (aecg_file, 'increment value="2"', 'increment value="0"'),
    ],
)
def test_numbers_that_are_none_are_refused_with_a_reason(
    make: Callable[[Path], list[Upload]], before: str, after: str, tmp_path: Path
) -> None:
    data = make(tmp_path)[0].data
    coding = "utf-16" if make is aecg_file else "utf-8"
    text = data.decode(coding)
    assert before in text
    with pytest.raises(InputError):
        formats.read([Upload("r.xml", text.replace(before, after).encode(coding))])


def test_a_holter_file_of_no_rate_or_a_thousand_leads_is_refused(tmp_path: Path) -> None:
    whole = bytearray(ishne_file(tmp_path)[0].data)
    for place, value in ((272, 0), (156, 1000), (156, 0), (156, -2)):
        broken = bytearray(whole)
        struct.pack_into("<h", broken, place, value)
        with pytest.raises(InputError):
            formats.read([Upload("r.ecg", bytes(broken))])
