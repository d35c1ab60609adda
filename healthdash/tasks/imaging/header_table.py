"""The elements of a DICOM header as plain text, with those marked that may tell who the patient is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydicom import DataElement, Dataset, uid
from pydicom.multival import MultiValue

from healthdash.views import HeaderEntry

__all__ = ["entries"]

_MOST_ENTRIES = 2_000
_LONGEST_VALUE = 200
_MOST_VALUES = 32
#: Groups about the machine, the place of a slice and its pixels. Coded words and numbers in them are in no
#: row of PS3.15 table E.1-1 (basic profile), while texts, dates, times, names and UIDs may well be.
_TECHNICAL_GROUPS = frozenset({0x0018, 0x0020, 0x0028, 0x0054})
_CODED = frozenset({"CS", "DS", "FD", "FL", "IS", "SL", "SS", "UL", "US"})
#: What else identifies nobody: kinds, encodings, makes.
_HARMLESS = frozenset(
    {
        "ConvolutionKernel", "FileMetaInformationVersion", "FilterType", "ImageType",
        "ImplementationVersionName",
        "LUTExplanation", "Manufacturer", "ManufacturerModelName", "MediaStorageSOPClassUID", "Modality",
        "ModalityLUTType", "PulseSequenceName", "ReceiveCoilName", "RescaleType", "SOPClassUID",
        "SequenceName",
        "SoftwareVersions", "SpecificCharacterSet", "TransferSyntaxUID", "TransmitCoilName",
        "WindowCenterWidthExplanation",
    }
)  # fmt: skip
#: Pixels: large, and no words of the header.
_PIXEL_GROUPS = frozenset({0x7FE0})
_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def entries(dataset: Dataset) -> tuple[HeaderEntry, ...]:
    """Return the elements of a header in order, the file's own group first.

    Everything is taken to identify the patient that is not known to be harmless: private elements, all
    texts, dates and UIDs, and what lies in sequences, of which only the number of items is told.
    """
    meta = getattr(dataset, "file_meta", None)
    found = [_entry(element) for part in (meta, dataset) if part is not None for element in _elements(part)]
    return tuple(found[:_MOST_ENTRIES])


def _elements(part: Dataset) -> Iterator[DataElement]:
    tags = (tag for tag in sorted(part.keys()) if tag.group not in _PIXEL_GROUPS)
    for tag in islice(tags, _MOST_ENTRIES):
        try:
            yield part[tag]
        except Exception:  # noqa: S112  (one element with a broken value; the others are still told)
            continue


def _entry(element: DataElement) -> HeaderEntry:
    tag = element.tag
    return HeaderEntry(
        tag=f"({tag.group:04X},{tag.element:04X})",
        name="Private" if tag.is_private else _printable(element.name),
        vr=str(element.VR),
        value=_value(element),
        identifying=_is_identifying(element),
    )


def _is_identifying(element: DataElement) -> bool:
    if element.tag.is_private:
        return True
    if element.keyword in _HARMLESS or element.tag.element == 0:
        return False
    return not (element.tag.group in _TECHNICAL_GROUPS and str(element.VR) in _CODED)


def _value(element: DataElement) -> str:
    value: Any = element.value
    if element.VR == "SQ":
        return f"{len(value)} item{'' if len(value) == 1 else 's'}"
    if isinstance(value, bytes | bytearray) or str(element.VR) in _BYTES:
        return f"{len(value or b''):,} bytes"
    if element.VR == "UI" and value in uid.UID_dictionary:
        return str(uid.UID(value).name)
    if isinstance(value, MultiValue):
        return _printable("\\".join(str(one) for one in islice(value, _MOST_VALUES)))
    return _printable(str("" if value is None else value))


def _printable(text: str) -> str:
    """Return a text without control characters, and short."""
    clean = "".join(c if c.isprintable() else " " for c in text[: 2 * _LONGEST_VALUE]).strip()
    return clean if len(clean) <= _LONGEST_VALUE else f"{clean[: _LONGEST_VALUE - 1]}…"
