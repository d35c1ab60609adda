"""Files of one DICOM series, put together to volumes.

Files belong together where they are of one series (PS3.3 C.7.3.1) and of one size, plane and kind; an
overview (localizer) or a second plane in the series is an input of its own. Slices are sorted by
their position across the plane, never by the number that the scanner gave them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from healthdash.errors import InputError, InvalidInput, UnreadableUpload
from healthdash.task import Upload

from . import dicom
from .dicom_elements import number, text
from .dicom_pixels import PIXELS, decoded_frames
from .dicom_volume import MOST_KEPT_BYTES, Stack, place_of, volume_sample
from .geometry import Place, distances_in_words, doubled_in_words, laid_out
from .sample import Stored
from .volume import VolumeSample

__all__ = ["Slice", "grouped", "read"]

#: Modalities that cut the body into slices: these belong together even where positions are missing.
_CUTTING = ("CT", "MR", "PT", "ST")
_SAME_MM = 0.01
_BY_NUMBER = "The files do not say where their slices lie: they follow each other by number."


@dataclass(frozen=True, slots=True)
class Slice:
    """What the header of a file says about its place in a series.

    Attributes
    ----------
    file : int
        Number of the file.
    series : tuple
        Files that agree in it are slices of one volume.
    series_uid : str
    place : Place or None
    along : float
        Position across the plane in mm; without a place the SliceLocation, or the InstanceNumber.
    is_located : bool
        Whether `along` is in mm.
    is_scout : bool
    """

    file: int
    series: tuple[Any, ...]
    series_uid: str
    place: Place | None
    along: float
    is_located: bool
    is_scout: bool
    instance: float


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


def read(uploads: Sequence[Upload]) -> VolumeSample:
    """Read the biggest volume among the files of a series; what else there is, is said.

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
    return _read_slices(uploads, chosen, rest)


def _slices(uploads: Sequence[Upload]) -> list[Slice]:
    found = (_slice(file, dicom.head(upload.data)) for file, upload in enumerate(uploads))
    return [one for one in found if one is not None]


def _slice(file: int, head: Dataset | None) -> Slice | None:
    """Return what a header says about its place, None where it is no slice of a series."""
    if head is None or not text(head, "SeriesInstanceUID") or (number(head, "NumberOfFrames") or 1) > 1:
        return None
    place, instance = place_of(head), number(head, "InstanceNumber")
    location = number(head, "SliceLocation")
    is_cut = text(head, "Modality").upper() in _CUTTING
    along = location if location is not None else instance
    if place is not None:
        along = float(np.dot(place.position, place.normal))
    elif not is_cut or along is None:
        return None
    words = [str(word).upper() for word in head.get("ImageType") or ()]
    is_scout = "LOCALIZER" in words
    series_uid = str(head.get("SeriesInstanceUID"))[:64]
    size = (number(head, "Rows"), number(head, "Columns"), number(head, "SamplesPerPixel"))
    kind = (text(head, "PhotometricInterpretation"), is_scout, place is None and location is None)
    assert along is not None
    return Slice(
        file=file,
        series=(series_uid, size, kind, place.plane if place else None),
        series_uid=series_uid,
        place=place,
        along=along,
        is_located=place is not None or location is not None,
        is_scout=is_scout,
        instance=instance or 0.0,
    )


def _volumes(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Return the slices of each volume in their order, the biggest volume first."""
    found: dict[tuple[Any, ...], list[Slice]] = defaultdict(list)
    for one in slices:
        found[one.series].append(one)
    volumes = [sorted(same, key=lambda s: (s.along, s.instance, s.file)) for same in found.values()]
    volumes = [volume for volume in volumes if volume[-1].along - volume[0].along > _SAME_MM]
    return sorted(volumes, key=len, reverse=True)


def _rest_in_words(uploads: Sequence[Upload], chosen: Sequence[Slice]) -> Iterator[str]:
    used = {one.file for one in chosen}
    rest = [one for one in _slices(uploads) if one.file not in used]
    scouts = sum(one.is_scout for one in rest)
    others = len(uploads) - len(used) - scouts
    if scouts:
        yield f"{scouts} of the {len(uploads)} files show an overview (localizer); they are left out."
    if others:
        yield (
            f"{others} of the {len(uploads)} files are of another series, plane or size, or no slices; "
            "the biggest volume is used."
        )


def _read_slices(uploads: Sequence[Upload], slices: Sequence[Slice], odd: list[str]) -> VolumeSample:
    kept, doubled = _placed(slices)
    kept, thinned = _thinned(kept)
    stacked = _stacked(uploads, kept)
    whole = stacked.slices
    places = [one.place for one in whole if one.place is not None]
    along = np.array([one.along for one in whole])
    words = list(distances_in_words(along)) if whole[0].is_located else [_BY_NUMBER]
    stack = stacked.stack
    return volume_sample(
        stack, stacked.middle, uploads[whole[0].file].name, stacked.form,
        (*odd, *doubled, *words, *thinned, *stacked.words),
        stored=Stored((len(whole), *stacked.shape), stack.dtype, stack.low, stack.high),
        places=places, is_volume=True, positions=along if whole[0].is_located else None,
    )  # fmt: skip


def _placed(slices: Sequence[Slice]) -> tuple[list[Slice], tuple[str, ...]]:
    """Leave out doubled slices; these have one place, and are sorted already."""
    places = [one.place for one in slices if one.place is not None]
    if places:
        layout = laid_out(places)
        assert layout is not None
        return [slices[n] for n in layout.order], layout.doubled
    along = np.array([one.along for one in slices])
    is_new = np.concatenate([[True], np.diff(along) > _SAME_MM])
    kept = [one for one, new in zip(slices, is_new, strict=True) if new]
    return kept, doubled_in_words(len(slices) - len(kept), len(kept))


def _thinned(slices: list[Slice]) -> tuple[list[Slice], tuple[str, ...]]:
    """Leave out slices where all would not fit in memory."""
    rows, columns, samples = slices[0].series[1]
    size = len(slices) * int(rows or 0) * int(columns or 0) * (3 if samples == 3 else 2)
    step = max(1, -(-size // MOST_KEPT_BYTES))
    if step == 1:
        return slices, ()
    words = f"The series holds {len(slices)} slices; every {step}th is kept, as more would not fit."
    return slices[::step], (words,)


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
