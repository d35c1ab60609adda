"""Files of one DICOM series, put together to volumes.

Files belong together where they are of one patient, study and series (PS3.3 C.7.3.1) and of one size, pixel
spacing, plane and kind; an overview (localizer), a second plane or a crossing acquisition in the series is an
input of its own. Slices are sorted by their position across the plane, never by the number that the scanner
gave them. Pictures of one place that
were taken one after the other are a cine; several of each place are several volumes, of which one is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from healthdash.errors import InputError, InvalidInput, UnreadableUpload
from healthdash.task import Upload

from . import dicom
from .dicom_elements import number, numbers, text
from .dicom_header import notices as header_notices
from .dicom_pixels import PIXELS, decoded_frames
from .dicom_volume import MOST_KEPT_BYTES, Stack, place_of, volume_sample
from .geometry import Place, distances_in_words, doubled_in_words, lacking_in_words
from .moments import MOMENTS, in_time, parts_in_words
from .phases import MARKS, SAME_MM, acquisitions, volumes_of, without_copies
from .sample import Stored
from .volume import VolumeSample

__all__ = ["Slice", "grouped", "read"]

#: Modalities that cut the body into slices: these belong together even where positions are missing.
_CUTTING = ("CT", "MR", "PT", "ST")
# Slices of MR are often taken in turns (packages), which some scanners number: these are one volume.
_IN_TURNS = "MR"
_SPACING_DIGITS = 4
_LONGEST_NAME = 64
_BY_NUMBER = "The files do not say where their slices lie: they follow each other by number."


@dataclass(frozen=True, slots=True)
class Slice:
    """What the header of a file says about its place in a series.

    Attributes
    ----------
    file : int
        Number of the file.
    series : tuple
        Files that agree in it are of one volume. It knows the patient and is never shown.
    series_uid : str
    place : Place or None
    along : float
        Position across the plane in mm; without a place the SliceLocation, or the InstanceNumber.
    is_located : bool
        Whether `along` is in mm.
    is_scout : bool
    moments, marks : tuple of float or None
        When it was taken, as `MOMENTS` say it; what tells it from others of its place, as `MARKS` do.
    """

    file: int
    series: tuple[Any, ...] = field(repr=False)
    series_uid: str
    place: Place | None
    along: float
    is_located: bool
    is_scout: bool
    in_turns: bool
    uid: str = field(repr=False)
    instance: float
    moments: tuple[float | None, ...]
    marks: tuple[float | None, ...]


def grouped(uploads: Sequence[Upload]) -> list[list[Upload]]:
    """Put the files of each volume together, slices in their order; other files stay alone.

    A group stands where its first file stood; of one series the biggest volume comes first.
    """
    volumes = _volumes(_slices(uploads))
    together = {one.file for volume in volumes for one in volume}
    first: dict[str, int] = {}
    for volume in volumes:
        start = min(one.file for one in volume)
        first[volume[0].series_uid] = min(start, first.get(volume[0].series_uid, start))
    placed = [
        (
            (first[volume[0].series_uid], -len(volume), min(one.file for one in volume)),
            [uploads[one.file] for one in volume],
        )
        for volume in volumes
    ]
    alone = [((n, 0, 0), [upload]) for n, upload in enumerate(uploads) if n not in together]
    return [group for _, group in sorted([*placed, *alone], key=lambda pair: pair[0])]


def read(uploads: Sequence[Upload], part: int = 0) -> VolumeSample:
    """Read the biggest volume or cine among the files of a series; what else there is, is said.

    Parameters
    ----------
    part : int
        Which of several volumes of the same places, from 0; too large: the last.

    Raises
    ------
    InvalidInput
        The files do not make a volume.
    UnreadableUpload
        One of them is damaged.
    """
    volumes = _volumes(_slices(uploads))
    if not volumes:
        raise InvalidInput(
            "expected one picture, or the slices of one series, got several files that are neither",
            hint="Upload each picture as a file of its own.",
        )
    chosen = volumes[0]
    rest = list(_rest_in_words(uploads, chosen))
    if _is_one_place(chosen):
        return _read_cine(uploads, chosen, rest)
    return _read_slices(uploads, chosen, rest, part)


def _slices(uploads: Sequence[Upload]) -> list[Slice]:
    found = (_slice(file, dicom.head(upload.data)) for file, upload in enumerate(uploads))
    return [one for one in found if one is not None]


def _slice(file: int, head: Dataset | None) -> Slice | None:
    """Return what a header says about its place, None where it is no slice of a series."""
    if head is None or not text(head, "SeriesInstanceUID") or (number(head, "NumberOfFrames") or 1) > 1:
        return None
    place, instance = place_of(head), number(head, "InstanceNumber")
    location = number(head, "SliceLocation")
    modality = text(head, "Modality").upper()
    along = location if location is not None else instance
    if place is not None:
        along = float(np.dot(place.position, place.normal))
    elif modality not in _CUTTING or along is None:
        return None
    words = [str(word).upper() for word in head.get("ImageType") or ()]
    is_scout = "LOCALIZER" in words
    is_located = place is not None or location is not None
    assert along is not None
    return Slice(
        file=file,
        series=(*_series(head), is_scout, is_located, place.plane if place else None),
        series_uid=_name(head, "SeriesInstanceUID"),
        place=place,
        along=along,
        is_located=is_located,
        is_scout=is_scout,
        in_turns=modality == _IN_TURNS,
        uid=_name(head, "SOPInstanceUID"),
        instance=instance or 0.0,
        moments=tuple(number(head, keyword) for keyword in MOMENTS),
        marks=tuple(number(head, keyword) for keyword in MARKS),
    )


def _series(head: Dataset) -> tuple[Any, ...]:
    """Return what all slices of a volume share, its size first.

    The series alone would not do: anonymisers may give all of them one number.
    """
    size = (number(head, "Rows"), number(head, "Columns"), number(head, "SamplesPerPixel"))
    spacing = tuple(round(mm, _SPACING_DIGITS) for mm in numbers(head.get("PixelSpacing")))
    named = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
    names = (_name(head, keyword) for keyword in named)
    return (size, spacing, text(head, "PhotometricInterpretation"), *names)


def _name(head: Dataset, keyword: str) -> str:
    return str(head.get(keyword) or "")[:_LONGEST_NAME]


def _volumes(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Return the slices of each volume in their order, the biggest volume first."""
    found: dict[tuple[Any, ...], list[Slice]] = defaultdict(list)
    for one in slices:
        found[one.series].append(one)
    ordered = [sorted(same, key=lambda s: (s.along, s.instance, s.file)) for same in found.values()]
    volumes = [one for same in ordered for one in ([same] if same[0].in_turns else acquisitions(same))]
    volumes = [volume for volume in volumes if not _is_one_place(volume) or in_time(volume)]
    return sorted(volumes, key=len, reverse=True)


def _is_one_place(slices: Sequence[Slice]) -> bool:
    return slices[-1].along - slices[0].along <= SAME_MM


def _rest_in_words(uploads: Sequence[Upload], chosen: Sequence[Slice]) -> Iterator[str]:
    used = {one.file for one in chosen}
    rest = [one for one in _slices(uploads) if one.file not in used]
    scouts = sum(one.is_scout for one in rest)
    others = len(uploads) - len(used) - scouts
    if scouts:
        yield f"{scouts} of the {len(uploads)} files show an overview (localizer); they are left out."
    if others:
        yield (
            f"{others} of the {len(uploads)} files are of another series, acquisition, plane, size or "
            "spacing, or no slices; the biggest volume is used."
        )


def _read_slices(
    uploads: Sequence[Upload], slices: Sequence[Slice], odd: list[str], part: int
) -> VolumeSample:
    kept, doubled, parts = _placed(slices, part)
    kept, thinned, step = _thinned(kept)
    stacked = _stacked(uploads, kept)
    whole = stacked.slices
    places = [one.place for one in whole if one.place is not None]
    along = np.array([one.along for one in whole])
    words = list(distances_in_words(along)) if whole[0].is_located else [_BY_NUMBER]
    stack = stacked.stack
    sample = volume_sample(
        stack, stacked.middle, uploads[whole[0].file].name, stacked.form,
        (*odd, *doubled, *words, *thinned, *stacked.words),
        stored=Stored((len(whole), *stacked.shape), stack.dtype, stack.low, stack.high),
        places=places, is_volume=True, positions=along if whole[0].is_located else None, step=step,
    )  # fmt: skip
    return replace(sample, parts=parts, part=min(part, parts - 1))


def _read_cine(uploads: Sequence[Upload], slices: Sequence[Slice], odd: list[str]) -> VolumeSample:
    """Read pictures of one place in the order in which they were taken."""
    found = in_time(slices)
    assert found is not None
    ordered, keyword = found
    kept, thinned, step = _thinned(ordered)
    stacked = _stacked(uploads, kept)
    stack, first = stacked.stack, stacked.slices[0]
    sample = volume_sample(
        stack, stacked.middle, uploads[first.file].name, stacked.form, (*odd, *thinned, *stacked.words),
        stored=Stored((len(stacked.slices), *stacked.shape), stack.dtype, stack.low, stack.high),
        places=[first.place] if first.place else [], is_volume=False, step=step,
    )  # fmt: skip
    which = MOMENTS.index(keyword)
    steps = np.diff([one.moments[which] or 0.0 for one in stacked.slices])
    interval = float(np.median(steps)) if keyword == "TriggerTime" else sample.frame_time_ms
    return replace(sample, is_time=True, frame_time_ms=interval)


def _placed(slices: Sequence[Slice], part: int) -> tuple[list[Slice], tuple[str, ...], int]:
    """Return one slice of each place, in words what there was besides, and how many volumes there are."""
    along = np.array([one.along for one in slices])
    firsts = np.flatnonzero(np.concatenate([[True], np.diff(along) > SAME_MM]))
    at_place = [without_copies(slices[a:b]) for a, b in pairwise([*firsts.tolist(), len(slices)])]
    copies = len(slices) - sum(map(len, at_place))
    volumes = volumes_of(at_place)
    parts, part = len(volumes), min(part, len(volumes) - 1)
    kept = volumes[part]
    if parts == 1:
        return kept, doubled_in_words(len(slices) - len(kept)), 1
    used = {one.file for one in kept}
    lacking = [found[0].along for found in at_place if used.isdisjoint(one.file for one in found)]
    unit = "mm" if kept[0].is_located else "in their numbers"
    words = lacking_in_words(lacking, len(at_place), unit)
    return kept, (*doubled_in_words(copies), parts_in_words(parts, part), *words), parts


def _thinned(slices: list[Slice]) -> tuple[list[Slice], tuple[str, ...], int]:
    """Leave out slices where all would not fit in memory; return also of how many one is kept."""
    rows, columns, samples = slices[0].series[0]
    size = len(slices) * int(rows or 0) * int(columns or 0) * (3 if samples == 3 else 2)
    step = max(1, -(-size // MOST_KEPT_BYTES))
    if step == 1:
        return slices, (), 1
    words = f"The series holds {len(slices)} slices; every {step}th is kept, as more would not fit."
    return slices[::step], (words,), step


@dataclass(frozen=True, slots=True)
class _Stacked:
    """Decoded slices: those that could be, and the header of the one in the middle."""

    stack: Stack
    slices: list[Slice]
    middle: Dataset
    form: str
    shape: tuple[int, ...]
    words: tuple[str, ...]


def _stacked(uploads: Sequence[Upload], slices: Sequence[Slice]) -> _Stacked:
    """Decode slices one after the other; a damaged one is left out and said."""
    stack, words, whole = Stack(len(slices)), list[str](), list[Slice]()
    middle: Dataset | None = None
    problem: InputError | None = None
    form, shape = "", ()
    for one in slices:
        try:
            dataset, notices, array = _decoded(uploads[one.file].data)
            stack.put(len(whole), dataset, array)
        except InputError as error:
            problem = error
            continue
        whole.append(one)
        words += [notice for notice in notices if notice not in words]
        if middle is None or len(whole) <= len(slices) // 2 + 1:
            middle, shape = dataset, array.shape
            form = f"DICOM series, {dicom.encoding(uploads[one.file].data, dataset)}"
    if middle is None or len(whole) < 2:
        raise problem or UnreadableUpload("expected the slices of a series", hint="Export them again.")
    if problem is not None:
        words.append(f"{len(slices) - len(whole)} of {len(slices)} files are damaged and left out.")
    words += [notice for notice in header_notices(middle) if notice not in words]
    stack.cut(len(whole))
    return _Stacked(stack, whole, middle, form, shape, tuple(words))


def _decoded(data: bytes) -> tuple[Dataset, list[str], NDArray[Any]]:
    dataset, notices = dicom.opened(data)
    with dicom.guarded():
        array = next(iter(decoded_frames(dataset, 1)))
    for keyword in PIXELS:  # the header stays, its pixels need not
        if keyword in dataset:
            del dataset[keyword]
    return dataset, notices, array
