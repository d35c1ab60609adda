"""WFDB signal files that are shorter than their header says: cut off, or of another record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from healthdash.errors import UnreadableUpload

__all__ = ["check_whole"]

#: Bytes of a sample by storage format (signal(5) of WFDB); FLAC packs them by their values.
_BYTES = {
    "8": 1.0, "80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "24": 3.0, "32": 4.0, "212": 1.5, "310": 4 / 3,
    "311": 4 / 3,
}  # fmt: skip


def check_whole(header: Any, sizes: Mapping[str, int]) -> None:
    """Raise `UnreadableUpload` where a signal file holds less than its header announces.

    Parameters
    ----------
    header : wfdb.Record
        Of one record without segments.
    sizes : mapping of str to int
        Bytes of each file by its name; one that is not here is not looked at.
    """
    for name in dict.fromkeys(header.file_name or ()):
        numbers = [n for n, file in enumerate(header.file_name) if file == name]
        # Signals of one file have one format and one offset (header(5) of WFDB).
        sample_bytes = _BYTES.get(str(header.fmt[numbers[0]]))
        if name not in sizes or not sample_bytes or not header.sig_len:
            continue
        many = [int(header.samps_per_frame[n] or 1) for n in numbers]
        stored = sizes[name] - int(header.byte_offset[numbers[0]] or 0)
        held = max(0, int(stored / (sum(many) * sample_bytes)))
        if held < header.sig_len:
            unit = "samples" if set(many) == {1} else "frames"
            signals = "1 signal" if len(many) == 1 else f"{len(many)} signals"
            raise UnreadableUpload(
                f"expected {header.sig_len:,} {unit} of {signals}, the file holds {held:,}",
                hint="Copy the whole file again.",
            )
