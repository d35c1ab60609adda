"""Whether a model may see a picture: what the header says, what the pixels look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Gate

from .anatomy import enclosed_air, middle_grey
from .familiarity import strangeness
from .sample import Document, ImageSample
from .volume import VolumeSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["SILENT", "Finding", "Scope", "judge", "of_document", "of_volume"]

Finding = tuple[Literal["refuse", "warn"], str]
Floats = NDArray[np.float32]

_SMALLEST_SIDE = 64
# Below a tenth of the training pictures' side there is nothing left to see.
_FINE_SIDE = 112
_LONGEST_ASPECT, _LONG_ASPECT = 4.0, 2.5
# Mean difference of the colour channels over the whole scale; a tinted scan stays below the second.
_COLOURED, _TINTED = 0.10, 0.02
_SMALLEST_SPREAD = 0.02
_FEWEST_LEVELS = 12
#: Codes of modalities are short: "CT", "MR", "RTDOSE".
_MODALITY = re.compile(r"[A-Z]{2,8}")
#: Header codes that say nothing about how a picture was made (PS3.3 C.7.3.1.1.1).
SILENT = ("", "OT", "SC", "HC", "XC", "DOC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the pictures of a task are.

    Attributes
    ----------
    name : str
        For messages: "a chest X-ray".
    modalities : tuple of str
        DICOM codes (PS3.3 C.7.3.1.1.1).
    body_parts : tuple of str
        Words, one of which BodyPartExamined holds, if it says anything.
    oldest_years, youngest_years : float or None
        Ages that the training patients had, with some room.
    is_ct : bool
        Values are in HU.
    """

    name: str
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    oldest_years: float | None = None
    youngest_years: float | None = None
    is_ct: bool = False


def judge(sample: ImageSample, grey: Floats, picture: Floats, bundle: Bundle, scope: Scope) -> Gate:
    """Say whether a picture is of the kind that the model was trained on.

    Parameters
    ----------
    grey : float32 (height, width), 0 to 1
        What `model_view` returns, or the network's input of it.
    picture : float32 (1, size, size, 1), 0 to 1
        The network's input.
    """
    findings = [*_header(sample, scope), *_form(sample, grey)]
    if not any(verdict == "refuse" for verdict, _ in findings):
        findings += _content(picture, bundle.info.gate, bundle.arrays, scope)
    return Gate.of(
        refuse=[reason for verdict, reason in findings if verdict == "refuse"],
        warn=[reason for verdict, reason in findings if verdict == "warn"],
        hint=f"This model judges {scope.name} only; use such a picture, whole and uncropped."
        if findings
        else "",
    )


def of_document(document: Document) -> Gate:
    """Refuse a DICOM file that holds a report, a plan or a signal, and no picture."""
    hint = "Choose the picture's own file."
    return Gate.of(
        refuse=[f"expected a picture, got a DICOM file without one ({document.content})"], hint=hint
    )


def of_volume(volume: VolumeSample, scope: Scope) -> Gate | None:
    """Refuse a volume of another plane or kind than the model's slices; None: nothing speaks against it."""
    refuse = []
    # A radiograph is one projection: what has a place for each of many slices is a CT, an MR or the like,
    # also where its format (NIfTI, MGH) does not tell the modality.
    if not scope.is_ct and volume.plane:
        refuse.append(f"expected {scope.name}, got a volume of {len(volume)} {volume.plane} slices")
    if scope.is_ct and volume.plane not in ("", "axial"):
        refuse.append(f"expected axial slices, the volume holds {volume.plane} ones")
    # Volumes of CT are kept in HU, also where their format cannot say so; pictures of 8 bits are not.
    if scope.is_ct and not volume.modality and volume.unit != "HU" and volume.full_scale is None:
        refuse.append("the values are not those of a CT, which reach from air (-1000 HU) to bone")
    such = "choose or export such a volume" if scope.is_ct else "use such a picture"
    hint = f"This model judges {scope.name} only; {such}."
    return Gate.of(refuse=refuse, hint=hint) if refuse else None


def _header(sample: ImageSample, scope: Scope) -> Iterator[Finding]:
    """Compare what a DICOM header says; other files say nothing."""
    if sample.modality not in (*scope.modalities, *SILENT):
        yield "refuse", f"expected {scope.name}, the file says that it is of another modality{_code(sample)}"
    elif sample.modality in SILENT and sample.format.startswith("DICOM"):
        yield "warn", f"the file does not say that it is {scope.name}"
    if sample.body_part and not any(part in sample.body_part for part in scope.body_parts):
        yield "refuse", "the file says that it shows another part of the body"
    if sample.is_scout:
        yield "refuse", "the file is the overview of a CT scan (scout), not a slice or an X-ray"
    if sample.is_animal:
        yield "refuse", "the file says that the patient is an animal"
    yield from _age(sample, scope)
    if scope.is_ct and sample.format.startswith("DICOM") and sample.unit != "HU":
        yield "warn", "the values are not in Hounsfield units, so the lung window cannot be applied"


def _code(sample: ImageSample) -> str:
    """Return the header's code in brackets, where it is one (PS3.3 C.7.3.1.1.1): else it may be any text."""
    return f" ({sample.modality})" if _MODALITY.fullmatch(sample.modality) else ""


def _age(sample: ImageSample, scope: Scope) -> Iterator[Finding]:
    if sample.age_years is None:
        return
    if scope.oldest_years is not None and sample.age_years > scope.oldest_years:
        yield "warn", "the patient is older than those that the model was trained on"
    if scope.youngest_years is not None and sample.age_years < scope.youngest_years:
        yield "warn", "the patient is younger than those that the model was trained on"


def _form(sample: ImageSample, grey: Floats) -> Iterator[Finding]:
    """Look at size, shape, colour and contrast."""
    height, width = sample.pixels.shape
    if min(height, width) < _SMALLEST_SIDE:
        yield "refuse", f"expected at least {_SMALLEST_SIDE} pixels a side, got {width} x {height}"
    elif min(height, width) < _FINE_SIDE:
        yield "warn", f"the picture is small ({width} x {height} pixels): fine detail is lost"
    spacing = sample.spacing_mm or (1.0, 1.0)
    aspect = height * spacing[0] / (width * spacing[1])
    aspect = max(aspect, 1 / aspect)
    if aspect > _LONGEST_ASPECT:
        yield "refuse", "the picture is far longer in one direction than in the other"
    elif aspect > _LONG_ASPECT:
        yield "warn", "the picture is much longer in one direction than in the other"
    if sample.colours is not None:
        colour = float(np.ptp(sample.colours.astype(np.int16), axis=2).mean()) / 255
        if colour > _COLOURED:
            yield "refuse", "the picture is in colour: a photo or a screenshot, not the picture itself"
        elif colour > _TINTED:
            yield "warn", "the picture has coloured parts, such as marks or a tint"
    if float(grey.std()) < _SMALLEST_SPREAD:
        yield "refuse", "the picture is blank or of one grey"
    elif np.count_nonzero(np.bincount(np.rint(grey * 255).astype(np.uint8).ravel())) < _FEWEST_LEVELS:
        yield "refuse", "the picture has only a few grey levels: a drawing, a mask or text"


def _content(
    picture: Floats, limits: Mapping[str, float], arrays: Mapping[str, Floats], scope: Scope
) -> Iterator[Finding]:
    """Compare the pixels with those of the training pictures."""
    if enclosed_air(picture)[0] < limits.get("enclosed_air_at_least", 0.0):
        yield "refuse", "no lungs are found inside the outline of a body"
    if middle_grey(picture)[0] > limits.get("middle_grey_at_most", 1.0):
        yield "refuse", "the grey values are not those of a CT slice in the lung window"
    if "warn_above" not in limits or "gate_components" not in arrays:
        return
    distance = float(strangeness(picture, arrays)[0])
    if distance > limits["refuse_above"]:
        yield "refuse", f"the picture does not look like {scope.name} of the training data"
    elif distance > limits["warn_above"]:
        yield "warn", f"the picture looks unlike most of the training data for {scope.name}"
