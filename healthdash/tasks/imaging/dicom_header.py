"""What a DICOM header says about its picture: values, windows, spacing, and facts for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, uid
from pydicom.pixels import apply_color_lut
from pydicom.tag import Tag

from healthdash.views import Distances, HeaderEntry, Window

from .colour import luminance
from .dicom_elements import found, number, numbers, sequence, text
from .dicom_spacing import DISTANCES_IN_WORDS, aspect_of, spacing_of
from .dicom_tables import table_of
from .header_table import entries
from .sample import ImageSample, Stored, VoiLut

__all__ = [
    "Traits", "extent", "facts", "notices", "padding", "picture_sample", "plain", "rescale", "traits",
    "windows",
]  # fmt: skip

_FACTS = (
    ("Modality", "Modality"),
    ("Body part", "BodyPartExamined"),
    ("View", "ViewPosition"),
    ("Maker", "Manufacturer"),
    ("Colour model", "PhotometricInterpretation"),
    ("Bits stored", "BitsStored"),
)
_LARGEST_SLOPE = 1e20
#: Overlay planes, each of which has its rows (PS3.3 C.9.2); some lie in unused bits of the pixels.
_OVERLAY_GROUPS, _OVERLAY_ROWS = range(0x6000, 0x6020, 2), 0x0010
_LARGEST_BYTE = 255
#: Pictures that were scanned, not captured from a screen.
_CT_KINDS = (uid.CTImageStorage, uid.EnhancedCTImageStorage, uid.LegacyConvertedEnhancedCTImageStorage)
#: Rescale types that name no unit: missing, and "unspecified" (PS3.3 C.11.1.1.2).
_UNSTATED = ("", "US")
#: Image types (PS3.3 C.8.2.1) of overviews, and of maps of the blood's flow, volume and time.
_NO_HU = frozenset({"LOCALIZER", "CBF", "CBV", "MTT", "TTP", "TMAX"})


class Traits(TypedDict):
    """What all frames of a file share, as fields of `ImageSample` and `VolumeSample`."""

    distances: Distances
    aspect: float
    unit: str
    full_scale: tuple[float, float] | None
    function: Literal["LINEAR", "SIGMOID"]
    voi_lut: VoiLut | None
    invert: bool
    modality: str
    body_part: str
    is_scout: bool
    age_years: float | None
    is_animal: bool
    facts: tuple[tuple[str, str], ...]
    header: tuple[HeaderEntry, ...]


def picture_sample(
    dataset: Dataset, array: NDArray[Any], source: str, encoding: str, odd: tuple[str, ...]
) -> ImageSample:
    """Return the only frame of a file, decoded, as a picture."""
    stored = Stored(array.shape, str(array.dtype), *extent(array))
    values = plain(dataset, array)
    colours = values if values.ndim == 3 else None
    is_tinted = colours is not None and bool((np.ptp(colours, axis=2) > 0).any())
    slope, intercept = rescale(dataset)
    spacing = spacing_of(dataset)
    pixels = luminance(colours) if colours is not None else values.astype(np.float64) * slope + intercept
    pixels = np.nan_to_num(np.asarray(pixels, np.float32), posinf=0, neginf=0)
    return ImageSample(
        source=source,
        kind="image",
        format=f"DICOM, {encoding}",
        notices=(*odd, *notices(dataset)),
        pixels=pixels,
        colours=colours if is_tinted else None,
        stored=stored,
        padding=None if colours is not None else _padded(dataset, array),
        windows=() if colours is not None else windows(dataset),
        spacing_mm=spacing.rows_columns_mm if spacing else None,
        **traits(dataset, stored, is_colour=colours is not None),
    )


def traits(dataset: Dataset, stored: Stored, *, is_colour: bool, frame: int = 0) -> Traits:
    """Return what all frames share; `stored` tells the type of the values."""
    has_slope = number(dataset, "RescaleSlope", frame) is not None or "ModalityLUTSequence" in dataset
    spacing = spacing_of(dataset, frame)
    return Traits(
        distances=spacing.distances if spacing else "",
        aspect=aspect_of(dataset),
        unit=_unit(dataset, frame, has_slope and not _damaged_rescale(dataset, frame)),
        full_scale=_full_scale(dataset, stored, is_colour),
        function="SIGMOID" if found(dataset, "VOILUTFunction", frame) == "SIGMOID" else "LINEAR",
        voi_lut=None if is_colour else _voi_lut(dataset),
        invert=_is_inverted(dataset),
        modality=text(dataset, "Modality").upper(),
        body_part=_body_part(dataset, frame),
        is_scout="LOCALIZER" in [str(word).upper() for word in _words(dataset.get("ImageType"))],
        age_years=_age_years(dataset),
        is_animal=_is_animal(dataset),
        facts=tuple(facts(dataset)),
        header=entries(dataset),
    )


def _body_part(dataset: Dataset, frame: int) -> str:
    """Return the part of the body in capitals: its keyword, else what its code means (PS3.3 C.7.6.16.2.8)."""
    regions = found(dataset, "AnatomicRegionSequence", frame)
    coded = [item for item in regions or () if isinstance(item, Dataset)]
    meaning = text(coded[0], "CodeMeaning") if coded else ""
    return (text(dataset, "BodyPartExamined") or meaning).upper()


def facts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield header entries that identify nobody, for people."""
    for title, keyword in _FACTS:
        if told := text(dataset, keyword):
            yield title, told
    if "Rows" in dataset and "Columns" in dataset:
        yield "Size", f"{dataset.Columns} x {dataset.Rows} pixels"
    spacing = spacing_of(dataset)
    if spacing and spacing.distances:
        yield "Distances", DISTANCES_IN_WORDS[spacing.distances]
    kind = dataset.get("SOPClassUID")
    if kind in uid.UID_dictionary:
        yield "Kind", uid.UID(kind).name
    yield "Encoding", dataset.file_meta.TransferSyntaxUID.name


def plain(dataset: Dataset, array: NDArray[Any]) -> NDArray[Any]:
    """Return stored grey values (height, width), or colours as uint8 (height, width, 3).

    A modality LUT is applied here, as its values replace the stored ones (PS3.3 C.11.1.1.1).
    """
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        array = apply_color_lut(array, dataset)
        bits = numbers(dataset.get("RedPaletteColorLookupTableDescriptor"))[-1:]
        # Entries of 8 bits may lie in words, and some writers state 8 and use 16.
        is_deep = array.dtype.itemsize > 1 and (bits != [8.0] or int(array.max()) > _LARGEST_BYTE)
        array = array >> 8 if is_deep else array
    elif array.ndim == 3 and array.dtype.itemsize > 1:
        array = array >> max(0, int(dataset.BitsStored) - 8)
    if array.ndim == 3:
        return np.asarray(array[..., :3], np.uint8)
    for item in sequence(dataset, "ModalityLUTSequence")[:1]:
        return table_of(item, is_signed=dataset.get("PixelRepresentation") == 1)(array)
    return array


def rescale(dataset: Dataset, frame: int = 0) -> tuple[float, float]:
    """Return slope and intercept of a frame (PS3.3 C.11.1.1.2); a dose grid's scaling is one too."""
    if sequence(dataset, "ModalityLUTSequence"):
        return 1.0, 0.0
    slope = number(dataset, "RescaleSlope", frame)
    if slope is None:
        slope = number(dataset, "DoseGridScaling")
    intercept = number(dataset, "RescaleIntercept", frame) or 0.0
    # A slope of 0 is not allowed, and would make all values one; nor may values leave single precision.
    is_sound = slope is not None and 0 < abs(slope) < _LARGEST_SLOPE
    return (slope if slope is not None and is_sound else 1.0), intercept


def extent(array: NDArray[Any]) -> tuple[float, float]:
    """Return the smallest and largest of the finite values."""
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def windows(dataset: Dataset, frame: int = 0) -> tuple[Window, ...]:
    """Return a frame's windows in their exact form (PS3.3 C.11.2.1.2 and C.11.2.1.3.2).

    LINEAR puts the edges at c - 0.5 - (w - 1) / 2 and c - 0.5 + (w - 1) / 2: the exact form of
    center c - 0.5 and width w - 1.
    """
    centers = numbers(found(dataset, "WindowCenter", frame))
    widths = numbers(found(dataset, "WindowWidth", frame))
    names = [str(name) for name in _words(found(dataset, "WindowCenterWidthExplanation", frame))]
    is_plain = (found(dataset, "VOILUTFunction", frame) or "LINEAR") == "LINEAR"
    made = []
    for place, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if width < 1 if is_plain else width <= 0:
            continue
        name = names[place][:60] if place < len(names) and names[place] else f"{center:g} / {width:g}"
        made.append(
            Window(
                name=f"file: {name}",
                center=center - 0.5 * is_plain,
                width=width - 1.0 * is_plain,
                stated=(center, width) if is_plain else None,
            )
        )
    return tuple(made)


def padding(dataset: Dataset) -> tuple[float, float] | None:
    """Return the stored values, from and to, that measure nothing (PS3.3 C.7.5.1.1.2)."""
    value = number(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = number(dataset, "PixelPaddingRangeLimit")
    ends = [value, value if limit is None else limit]
    if dataset.get("PixelRepresentation") == 1:  # some writers store negative values as unsigned ones
        ends = [end - (1 << 16) if end >= 1 << 15 else end for end in ends]
    return min(ends), max(ends)


def notices(dataset: Dataset) -> Iterator[str]:
    """Yield what people should know about a file."""
    if str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        yield "The picture itself may show names or dates (burned-in annotation)."
    overlays = sum(Tag(group, _OVERLAY_ROWS) in dataset for group in _OVERLAY_GROUPS)
    if overlays:
        count = "an overlay" if overlays == 1 else f"{overlays} overlays"
        yield f"The file holds {count} (drawings, measurements or text over the picture) that is not shown."
    for keyword in _damaged_rescale(dataset):
        yield f"{keyword} is no number, so the values are shown as they are stored."
    has_slope = number(dataset, "RescaleSlope") is not None
    if dataset.get("Modality") == "CT" and has_slope and _is_without_unit(dataset):
        yield (
            "The file is of CT, but nothing says that its values are Hounsfield units: they are shown as "
            "grey values, without the windows of CT. Use the original slices where you need HU."
        )


def _damaged_rescale(dataset: Dataset, frame: int = 0) -> list[str]:
    """Return the names of what should turn stored values into their unit and is no number."""
    stated = {name: found(dataset, name, frame) for name in ("RescaleSlope", "RescaleIntercept")}
    return [name for name, value in stated.items() if value not in (None, "") and not numbers(value)]


def _voi_lut(dataset: Dataset) -> VoiLut | None:
    """Return the VOI LUT of the file, its entries as shares of the largest (PS3.3 C.11.2.1.1).

    Its input is the output of the modality LUT, which is unsigned where that is a table.
    """
    for item in sequence(dataset, "VOILUTSequence")[:1]:
        is_signed = dataset.get("PixelRepresentation") == 1 or rescale(dataset)[1] < 0
        table = table_of(item, is_signed=is_signed)
        return VoiLut(
            float(table.first), np.asarray(table.entries / float((1 << table.bits) - 1), np.float32)
        )
    return None


def _is_inverted(dataset: Dataset) -> bool:
    """MONOCHROME1 and the presentation shape INVERSE say the same: one inversion, not two."""
    is_first = dataset.get("PhotometricInterpretation") == "MONOCHROME1"
    return bool(is_first or dataset.get("PresentationLUTShape") == "INVERSE")


def _unit(dataset: Dataset, frame: int, has_slope: bool) -> str:
    stated = _rescale_type(dataset, frame)
    is_hu = stated == "HU" or (stated in _UNSTATED and _is_ct_slice(dataset, stated))
    if dataset.get("Modality") == "CT" and has_slope and is_hu:
        return "HU"
    if "DoseGridScaling" in dataset and dataset.get("DoseUnits") == "GY":
        return "Gy"
    return "grey value"


def _rescale_type(dataset: Dataset, frame: int = 0) -> str:
    return str(found(dataset, "RescaleType", frame) or "").strip()


def _is_without_unit(dataset: Dataset) -> bool:
    stated = _rescale_type(dataset)
    return stated in _UNSTATED and not _is_ct_slice(dataset, stated)


def _is_ct_slice(dataset: Dataset, stated: str) -> bool:
    """Say whether values of no stated unit are HU (PS3.3 C.8.2.1): of slices as they were scanned.

    Without a type they are HU, also derived ones; "US" (unspecified) is HU where the picture is original.
    """
    words = [word.strip().upper() for word in _words(dataset.get("ImageType"))]
    kind = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    is_as_scanned = stated == "" or words[:1] == ["ORIGINAL"]
    return (not kind or kind in _CT_KINDS) and is_as_scanned and _NO_HU.isdisjoint(words)


def _full_scale(dataset: Dataset, stored: Stored, is_colour: bool) -> tuple[float, float] | None:
    """8-bit pictures without a rescale are ready to be shown; deeper ones seldom fill their bits."""
    if is_colour:
        return 0.0, 255.0
    is_plain = rescale(dataset) == (1, 0) and not sequence(dataset, "ModalityLUTSequence")
    return (0.0, 255.0) if stored.dtype == "uint8" and dataset.get("BitsStored") == 8 and is_plain else None


def _padded(dataset: Dataset, array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return where the scanner filled in a value that measures nothing."""
    between = padding(dataset)
    if between is None or array.ndim > 2:
        return None
    mask = (array >= between[0]) & (array <= between[1])
    return mask if mask.any() and not mask.all() else None


def _age_years(dataset: Dataset) -> float | None:
    """Return the age of a text such as 034Y or 008M (PS3.5 6.2, AS)."""
    told = text(dataset, "PatientAge")
    a_year = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}.get(told[-1:].upper())
    return int(told[:-1]) / a_year if a_year and told[:-1].isdigit() else None


def _is_animal(dataset: Dataset) -> bool:
    species = text(dataset, "PatientSpeciesDescription").lower()
    is_named = bool(species) and not any(word in species for word in ("homo", "human"))
    return is_named or bool(text(dataset, "PatientBreedDescription"))


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(word) for word in ([value] if isinstance(value, str) else value)]
