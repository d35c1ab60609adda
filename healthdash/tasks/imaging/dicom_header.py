"""What a DICOM header says about its picture: values, windows, spacing, and facts for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, uid
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi

from healthdash.errors import UnreadableUpload
from healthdash.views import Window

from .colour import luminance
from .sample import ImageSample, Stored, VoiLut

__all__ = ["facts", "picture_sample"]

_LONGEST_FACT = 60
_FACTS = (
    ("Modality", "Modality"),
    ("Body part", "BodyPartExamined"),
    ("View", "ViewPosition"),
    ("Maker", "Manufacturer"),
    ("Colour model", "PhotometricInterpretation"),
    ("Bits stored", "BitsStored"),
)
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def picture_sample(
    dataset: Dataset,
    decoded: Iterable[NDArray[Any]],
    frames: int,
    source: str,
    encoding: str,
    notices: Iterable[str],
) -> ImageSample:
    """Return the middle frame of a decoded file, and the range of all of them."""
    frame = frames // 2 if frames > 1 else 0
    stored, array = _middle(decoded, frames, frame)
    pixels, colours = _values(dataset, array, frame)
    has_slope = _found(dataset, "RescaleSlope", frame) is not None or "ModalityLUTSequence" in dataset
    lut = _voi_lut(dataset, frame)
    return ImageSample(
        source=source,
        kind="image",
        format=f"DICOM, {encoding}",
        notices=(*notices, *_notices(dataset, frames, frame)),
        pixels=pixels,
        colours=colours,
        stored=stored,
        unit=_unit(dataset, frame, has_slope),
        padding=_padding(dataset, array),
        full_scale=_full_scale(dataset, stored, has_slope),
        windows=() if colours is not None else tuple(_windows(dataset, frame)),
        function=_function(dataset, frame),
        voi_lut=None if colours is not None else lut,
        invert=_is_inverted(dataset),
        spacing_mm=_spacing(dataset, frame),
        modality=_text(dataset, "Modality").upper(),
        body_part=_text(dataset, "BodyPartExamined").upper(),
        is_scout="LOCALIZER" in [str(word).upper() for word in dataset.get("ImageType") or ()],
        age_years=_age_years(dataset),
        is_animal=_is_animal(dataset),
        frames=frames,
        frame=frame,
        facts=tuple(facts(dataset)),
    )


def facts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield header entries that identify nobody, for people."""
    for title, keyword in _FACTS:
        if text := _text(dataset, keyword):
            yield title, text
    if "Rows" in dataset and "Columns" in dataset:
        yield "Size", f"{dataset.Columns} x {dataset.Rows} pixels"
    kind = dataset.get("SOPClassUID")
    if kind in uid.UID_dictionary:
        yield "Kind", uid.UID(kind).name
    yield "Encoding", dataset.file_meta.TransferSyntaxUID.name


def _middle(decoded: Iterable[NDArray[Any]], frames: int, frame: int) -> tuple[Stored, NDArray[Any]]:
    """Measure all frames, one in memory at a time, and keep one."""
    low, high, seen = np.inf, -np.inf, 0
    kept: NDArray[Any] | None = None
    for number, array in enumerate(decoded):
        low, high, seen = min(low, array.min()), max(high, array.max()), number + 1
        if number == frame:
            kept = array
    if kept is None or seen != frames:
        raise UnreadableUpload(
            f"expected {frames} frames, got {seen}", hint="The file is cut off; export it again."
        )
    shape = (frames, *kept.shape) if frames > 1 else kept.shape
    return Stored(shape, str(kept.dtype), float(low), float(high)), kept


def _values(
    dataset: Dataset, array: NDArray[Any], frame: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
    """Return grey values after the modality LUT, and the colours of a picture in colour."""
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        array = apply_color_lut(array, dataset)
        array = array >> 8 if array.dtype.itemsize > 1 else array
    elif array.ndim == 3 and array.dtype.itemsize > 1:
        array = array >> max(0, int(dataset.BitsStored) - 8)
    if array.ndim == 3:
        colours = np.asarray(array[..., :3], np.uint8)
        return luminance(colours), None if (np.ptp(colours, axis=2) == 0).all() else colours
    if "ModalityLUTSequence" in dataset:
        return np.asarray(apply_modality_lut(array, dataset), np.float32), None
    slope, intercept = _found(dataset, "RescaleSlope", frame), _found(dataset, "RescaleIntercept", frame)
    scaled = array.astype(np.float64) * float(1 if slope is None else slope) + float(intercept or 0)
    return np.asarray(scaled, np.float32), None


def _found(dataset: Dataset, keyword: str, frame: int) -> Any:
    """Return an element of the file, or of the frame's functional groups (PS3.3 C.7.6.16)."""
    if keyword in dataset:
        return dataset.get(keyword)
    own = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())[frame : frame + 1]
    for group in (*own, *(dataset.get("SharedFunctionalGroupsSequence") or ())):
        for element in group:
            if element.VR == "SQ" and element.value and keyword in element.value[0]:
                return element.value[0].get(keyword)
    return None


def _numbers(value: Any) -> list[float]:
    if value in (None, ""):
        return []
    return (
        [float(v) for v in value]
        if hasattr(value, "__iter__") and not isinstance(value, str)
        else [float(value)]
    )


def _windows(dataset: Dataset, frame: int) -> Iterator[Window]:
    """Yield the file's windows in their exact form (PS3.3 C.11.2.1.2 and C.11.2.1.3.2)."""
    centers = _numbers(_found(dataset, "WindowCenter", frame))
    widths = _numbers(_found(dataset, "WindowWidth", frame))
    named = _found(dataset, "WindowCenterWidthExplanation", frame) or ()
    names = [named] if isinstance(named, str) else [str(name) for name in named]
    is_plain = (_found(dataset, "VOILUTFunction", frame) or "LINEAR") == "LINEAR"
    for number, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if not np.isfinite([center, width]).all() or width < (1 if is_plain else 0):
            continue
        name = names[number][:_LONGEST_FACT] if number < len(names) else f"{center:g} / {width:g}"
        yield Window(name=f"file: {name}", center=center - 0.5 * is_plain, width=width - 1.0 * is_plain)


def _function(dataset: Dataset, frame: int) -> Literal["LINEAR", "SIGMOID"]:
    return "SIGMOID" if _found(dataset, "VOILUTFunction", frame) == "SIGMOID" else "LINEAR"


def _voi_lut(dataset: Dataset, frame: int) -> VoiLut | None:
    """Return the VOI LUT, evaluated at each of its entries (PS3.3 C.11.2.1.1)."""
    if not dataset.get("VOILUTSequence"):
        return None
    entries, first, bits = (int(n) for n in dataset.VOILUTSequence[0].LUTDescriptor)
    entries = entries or 1 << 16
    if dataset.get("PixelRepresentation") == 1 and first >= 1 << 15:
        first -= 1 << 16
    levels = apply_voi(np.arange(first, first + entries, dtype=np.int32), dataset)
    return VoiLut(float(first), np.asarray(levels / float((1 << bits) - 1), np.float32))


def _is_inverted(dataset: Dataset) -> bool:
    """MONOCHROME1 and the presentation shape INVERSE say the same: one inversion, not two."""
    is_first = dataset.get("PhotometricInterpretation") == "MONOCHROME1"
    return bool(is_first or dataset.get("PresentationLUTShape") == "INVERSE")


def _unit(dataset: Dataset, frame: int, has_slope: bool) -> str:
    stated = str(_found(dataset, "RescaleType", frame) or "")
    is_ct = dataset.get("Modality") == "CT"
    return "HU" if is_ct and has_slope and stated in ("", "HU", "US") else "grey value"


def _full_scale(dataset: Dataset, stored: Stored, has_slope: bool) -> tuple[float, float] | None:
    """8-bit pictures without a rescale are ready to be shown; deeper ones seldom fill their bits."""
    if len(stored.shape) > 2 and stored.shape[-1] in (3, 4):
        return 0.0, 255.0
    is_plain = not has_slope or (dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")) == (1, 0)
    return (0.0, 255.0) if stored.dtype == "uint8" and dataset.get("BitsStored") == 8 and is_plain else None


def _padding(dataset: Dataset, array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Mark the values that stand for nothing measured (PS3.3 C.7.5.1.1.2)."""
    if "PixelPaddingValue" not in dataset or array.ndim != 2:
        return None
    first = dataset.PixelPaddingValue
    last = dataset.get("PixelPaddingRangeLimit", first)
    mask = (array >= min(first, last)) & (array <= max(first, last))
    return mask if mask.any() and not mask.all() else None


def _spacing(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    for keyword in _SPACINGS:
        values = _numbers(_found(dataset, keyword, frame))
        if len(values) == 2 and min(values) > 0:
            return values[0], values[1]
    return None


def _age_years(dataset: Dataset) -> float | None:
    """Return the age of a text such as 034Y or 008M (PS3.5 6.2, AS)."""
    text = _text(dataset, "PatientAge")
    a_year = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}.get(text[-1:].upper())
    return int(text[:-1]) / a_year if a_year and text[:-1].isdigit() else None


def _is_animal(dataset: Dataset) -> bool:
    species = _text(dataset, "PatientSpeciesDescription").lower()
    is_named = bool(species) and not any(word in species for word in ("homo", "human"))
    return is_named or bool(_text(dataset, "PatientBreedDescription"))


def _notices(dataset: Dataset, frames: int, frame: int) -> Iterator[str]:
    if frames > 1:
        yield f"The file holds {frames} frames; frame {frame + 1} is used."
    if str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        yield "The picture itself may show names or dates (burned-in annotation)."


def _text(dataset: Dataset, keyword: str) -> str:
    """Return a short printable text, or nothing."""
    value = dataset.get(keyword)
    text = "" if value is None else str(value)
    return "".join(c for c in text if c.isprintable()).strip()[:_LONGEST_FACT]
