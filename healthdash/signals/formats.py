"""Every format of signals: told apart by its bytes, and which files make up one recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload
from healthdash.tables.arff import looks_like_arff
from healthdash.task import Upload

from . import aecg, apple, brainvision, contec, dicom, edf, ishne, matlab, muse, philips, scp, text, wfdb
from .recording import Recording
from .wfdb_header import base_name, is_header
from .xml_tree import root_name

__all__ = ["ENDINGS", "FORMATS", "Format", "companions", "group", "read", "read_first", "recognises"]

#: Endings that upload widgets offer; what a file is, its bytes say.
ENDINGS = (
    "hea", "dat", "atr", "mat", "edf", "bdf", "vhdr", "eeg", "vmrk", "xml", "scp", "ecg", "dcm", "csv", "tsv",
    "txt",
)  # fmt: skip
_STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x80\x04", "a Python pickle, which is never opened"),
    (b"\x80\x05", "a Python pickle, which is never opened"),
)
_PARTS = (".dat", ".atr", ".eeg", ".vmrk")


@dataclass(frozen=True, slots=True)
class Format:
    """One format of signals.

    Attributes
    ----------
    name : str
        For people.
    is_it : callable
        Says from the first bytes whether a file is of it; quick, never raises.
    read : callable
        Turns the files of one recording, the header first, into a `Recording`.
    needs : callable or None
        Of a header: the names of the files that belong to it, among those beside it.
    """

    name: str
    is_it: Callable[[bytes], bool]
    read: Callable[[Sequence[Upload]], Recording]
    needs: Callable[[Upload, dict[str, Upload]], list[str]] | None = None


FORMATS: tuple[Format, ...] = (
    Format("EDF, EDF+ or BDF", edf.is_edf, edf.read_edf),
    Format("DICOM waveform", dicom.is_waveform, dicom.read_waveform),
    Format("SCP-ECG", scp.is_scp, scp.read_scp),
    Format("ISHNE Holter", ishne.is_ishne, ishne.read_ishne),
    Format("MATLAB array", matlab.is_matlab, matlab.read_matlab),
    Format("GE MUSE XML", muse.is_muse, muse.read_muse),
    Format("HL7 aECG", aecg.is_aecg, aecg.read_aecg),
    Format("Philips XML", philips.is_philips, philips.read_philips),
    Format("BrainVision", brainvision.is_brainvision, brainvision.read_brainvision, brainvision.needs),
    Format("Contec ECG90A", contec.is_contec, contec.read_contec),
    Format("WFDB", is_header, wfdb.read_wfdb, wfdb.needs),
    Format("Apple Health ECG", apple.is_apple, apple.read_apple),
    Format("CSV or text", text.looks_like_signal, text.read_text),
)


def _format_of(data: bytes) -> Format | None:
    """Return the format of bytes; each looks at no more than their beginning, and at their length."""
    return next((one for one in FORMATS if one.is_it(data)), None)


def recognises(upload: Upload) -> bool:
    """Say from the first bytes whether this may be a recorded signal."""
    return _format_of(upload.data) is not None


def read(uploads: Sequence[Upload]) -> Recording:
    """Read one recording.

    Parameters
    ----------
    uploads : sequence of Upload
        The files of one recording. `hints` may hold "rate_hz" and "unit" where a file is silent.

    Raises
    ------
    UnreadableUpload
        The bytes are of no known form, or damaged.
    InvalidInput
        The rate is missing, or a file that belongs to the recording is.
    """
    headers = [(one, u) for u in uploads if (one := _format_of(u.data)) is not None and one.needs]
    if headers:
        return headers[0][0].read(uploads)
    first = uploads[0]
    found = _format_of(first.data)
    if found is not None:
        return found.read(uploads)
    _refuse(first)
    return text.read_text(uploads)


def read_first(uploads: Sequence[Upload]) -> Recording:
    """Read the first recording among files, and name the files of others in a notice; raises as `read`."""
    first, *others = group(uploads)
    recording = read(first)
    names = ", ".join(upload.name for other in others for upload in other)
    if not names:
        return recording
    told = f"one recording is shown at a time, the first; not read: {names}"
    return replace(recording, notices=(*recording.notices, told))


def _refuse(upload: Upload) -> None:
    """Raise with the reason, where bytes are of a kind that is known not to be a signal."""
    if not upload.data:
        raise UnreadableUpload("expected a recording, the file is empty", hint="Export it again.")
    for start, name in _STRANGERS:
        if upload.data.startswith(start):
            raise UnreadableUpload(
                f"expected a recording (ECG or EEG), got {name}", hint="Export the recording's signal."
            )
    if upload.data[128:132] == b"DICM":  # PS3.10 7.1
        raise UnreadableUpload(
            "expected a recording (ECG or EEG), got a DICOM file without a waveform",
            hint="A picture belongs on the page Images. Of an ECG, export the waveform.",
        )
    if looks_like_arff(upload.data[:65_536].decode("latin-1")):
        raise UnreadableUpload(
            "expected a recording (ECG or EEG), got an ARFF table, which states no sampling rate",
            hint="The page Train takes it, to learn from its rows. To see the recording, export it as EDF.",
        )
    if upload.data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[{")):
        raise UnreadableUpload(
            "expected a recording (ECG or EEG), got JSON", hint="Export the recording as CSV, WFDB or EDF."
        )
    if root_name(upload.data) is not None:
        raise UnreadableUpload(
            "expected ECG XML of GE MUSE, HL7 or Philips, got XML or HTML of another kind",
            hint="Export the recording's signal.",
        )
    if upload.name.lower().endswith(_PARTS):
        raise InvalidInput(
            "expected a WFDB header or a BrainVision header, got a signal, marker or annotation file alone",
            hint="Upload the header (.hea, .vhdr) together with the files that it names.",
        )


def _folder(name: str) -> str:
    return str(PureWindowsPath(PurePosixPath(name)).parent)


def group(uploads: Sequence[Upload]) -> list[list[Upload]]:
    """Put header, signal files and annotations of one recording together; others stand alone.

    Only files of the header's own folder belong to it.
    """
    beside: dict[str, dict[str, Upload]] = {}
    for upload in uploads:
        beside.setdefault(_folder(upload.name), {})[base_name(upload.name)] = upload
    needed = {
        id(u): _needed(one, u, beside[_folder(u.name)])
        for u in uploads
        if (one := _format_of(u.data)) is not None and one.needs
    }
    parts = {id(part) for files in needed.values() for part in files}
    groups = [[u, *needed[id(u)]] for u in uploads if id(u) in needed and id(u) not in parts]
    used = {id(u) for files in groups for u in files}
    alone = [[u] for u in uploads if id(u) not in used]
    order = {id(u): n for n, u in enumerate(uploads)}
    return sorted([*groups, *alone], key=lambda files: order[id(files[0])])


def _needed(one: Format, header: Upload, beside: dict[str, Upload]) -> list[Upload]:
    assert one.needs is not None
    try:
        names = one.needs(header, beside)
    except HealthdashError:
        return []  # `read` says what is wrong with it
    return [beside[name] for name in dict.fromkeys(names) if name in beside and beside[name] is not header]


def companions(path: Path) -> list[Path]:
    """Return the files beside a header that belong to it; names are checked, paths refused."""
    if path.suffix.lower() not in (".hea", ".vhdr") or not path.is_file():
        return []
    header = Upload(path.name, path.read_bytes())
    one = _format_of(header.data)
    if one is None or one.needs is None:
        return []
    beside = {p.name: p for p in path.parent.iterdir() if p.is_file()}
    # Headers of segments are read once one names them; of other files the name is enough here.
    known = {name: Upload(name, b"") for name in beside if not name.endswith(".hea")} | {path.name: header}
    try:
        names = one.needs(header, known)
        while fresh := [n for n in names if n.endswith(".hea") and n in beside and n not in known]:
            known |= {name: Upload(name, beside[name].read_bytes()) for name in fresh}
            names = one.needs(header, known)
    except HealthdashError:
        return []
    return [beside[name] for name in dict.fromkeys(names) if name in beside]
