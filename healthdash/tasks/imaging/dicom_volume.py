"""Frames of DICOM, from one file or many, put together to one volume or cine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from healthdash.errors import UnreadableUpload
from healthdash.views import Window

from . import dicom_header as header
from .dicom_elements import number, numbers, vector
from .dicom_spacing import differing_in_words, spacing_of
from .geometry import Layout, Place, distances_in_words, laid_out, side, slant_in_words, steps_of
from .sample import Stored
from .volume import VolumeSample

__all__ = ["MOST_KEPT_BYTES", "Stack", "frames_sample", "place_of", "volume_sample"]

#: Voxels that are kept of one volume: 480 CT slices of 512 x 512; of more, every second and so on.
MOST_KEPT_BYTES = 240 << 20
#: Modalities whose frames follow each other in time (PS3.3 C.7.3.1.1.1).
_IN_TIME = ("US", "IVUS", "XA", "RF", "ES", "GM", "XC", "OPT")
_UNIT_TOLERANCE = 0.01


@dataclass
class Stack:
    """Frames of one shape, filled in one by one.

    Parameters
    ----------
    slices : int
    """

    slices: int
    low: float = np.inf
    high: float = -np.inf
    dtype: str = ""
    is_tinted: bool = False
    voxels: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    slopes: NDArray[np.float64] = field(init=False)
    intercepts: NDArray[np.float64] = field(init=False)
    windows: list[tuple[Window, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.slopes, self.intercepts = np.ones(self.slices), np.zeros(self.slices)
        self.windows = [()] * self.slices

    def measure(self, array: NDArray[Any]) -> None:
        """Widen the range of stored values."""
        low, high = header.extent(array)
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.dtype = self.dtype or str(array.dtype)

    def put(self, place: int, dataset: Dataset, array: NDArray[Any], frame: int = 0) -> None:
        """Keep one decoded frame as slice number `place`."""
        self.measure(array)
        plain = header.plain(dataset, array)
        if plain.dtype.kind == "f":
            plain = np.nan_to_num(plain.astype(np.float32), posinf=0, neginf=0)
        self.voxels = _with_room(self.voxels, plain, self.slices)
        self.voxels[place] = plain
        if plain.ndim == 3:
            self.is_tinted = self.is_tinted or bool((np.ptp(plain, axis=2) > 0).any())
        else:
            self.slopes[place], self.intercepts[place] = header.rescale(dataset, frame)
            self.windows[place] = header.windows(dataset, frame)

    def cut(self, slices: int) -> None:
        """Keep only the first ones, as the others could not be decoded."""
        self.voxels, self.windows = self.voxels[:slices], self.windows[:slices]
        self.slopes, self.intercepts = self.slopes[:slices], self.intercepts[:slices]

    @property
    def in_colour(self) -> bool:
        """Whether frames were put in colours, tinted or not."""
        return self.voxels.ndim == 4

    def kept(self) -> NDArray[Any]:
        """Return the voxels; of greys saved as colours one channel."""
        return self.voxels[..., 0].copy() if self.in_colour and not self.is_tinted else self.voxels


def place_of(dataset: Dataset, frame: int = 0) -> Place | None:
    """Return where a frame lies in the patient, None where the file does not say it soundly."""
    position = vector(dataset, "ImagePositionPatient", 3, frame)
    turned = vector(dataset, "ImageOrientationPatient", 6, frame)
    if position is None or turned is None:
        return None
    row, column = turned[:3], turned[3:]
    is_unit = np.abs([row @ row - 1, column @ column - 1, row @ column]).max() < _UNIT_TOLERANCE
    place = Place(position, row, column)
    if not is_unit:
        return None
    offsets = numbers(dataset.get("GridFrameOffsetVector"))
    if frame < len(offsets):  # a dose grid (PS3.3 C.8.8.3.2)
        return Place(position + (offsets[frame] - offsets[0]) * place.normal, row, column)
    return place


def frames_sample(
    dataset: Dataset, decoded: Iterable[NDArray[Any]], frames: int, source: str, encoding: str,
    odd: tuple[str, ...],
) -> VolumeSample:  # fmt: skip
    """Return the frames of one file: a volume where they lie beside each other, else a cine or stack."""
    places = [place_of(dataset, frame) for frame in range(frames)] if _says_places(dataset) else []
    layout, words = _layout(places)
    step = _step(dataset, frames)
    numbers_kept = list(layout.order if layout else range(frames))[::step]
    if step > 1:
        words = (*words, f"The file holds {frames} frames; every {step}th is kept, as more would not fit.")
    slots = {frame: slot for slot, frame in enumerate(numbers_kept)}
    stack, seen = Stack(len(slots)), 0
    for frame, array in enumerate(decoded):
        seen += 1
        if frame in slots:
            stack.put(slots[frame], dataset, array, frame)
        else:
            stack.measure(array)
        shape = array.shape
    if seen != frames:
        raise UnreadableUpload(
            f"expected {frames} frames, got {seen}", hint="The file is cut off; export it again."
        )
    stored = Stored((frames, *shape), stack.dtype, stack.low, stack.high)
    kept_places = [places[frame] for frame in numbers_kept] if layout else places[:1]
    return volume_sample(
        stack, dataset, source, f"DICOM, {encoding}",
        (*odd, *header.notices(dataset), *differing_in_words(dataset), *words),
        stored=stored, places=[place for place in kept_places if place], is_volume=layout is not None,
        middle=numbers_kept[len(numbers_kept) // 2], step=step,
    )  # fmt: skip


def volume_sample(
    stack: Stack, dataset: Dataset, source: str, form: str, notices: tuple[str, ...], *,
    stored: Stored, places: Sequence[Place], is_volume: bool, middle: int = 0,
    positions: NDArray[np.float64] | None = None, step: int = 1,
) -> VolumeSample:  # fmt: skip
    """Put together what frames and header say.

    Parameters
    ----------
    dataset : Dataset
        Of the middle slice, which speaks for the others.
    places : sequence of Place
        Of the slices in their order; where they are no volume, of one at most.
    is_volume : bool
        Whether the slices lie beside each other.
    middle : int
        Frame in `dataset` that speaks for the others.
    positions : float64 (n,) or None
        Of slices whose places are unknown otherwise, along an unknown direction.
    step : int
        Of so many frames one was kept.
    """
    voxels = stack.kept()
    told = None if is_volume else _frame_time(dataset)
    interval = None if told is None else told * step
    layout = laid_out(places) if is_volume and places else None
    if layout is not None:
        positions = layout.positions_mm
    between = _between(dataset, middle, positions, step, is_volume=is_volume)
    spacing = spacing_of(dataset, middle)
    in_plane = spacing.rows_columns_mm if spacing else None
    steps = steps_of(places, between, in_plane) if layout and in_plane else None
    agree = len(set(stack.windows)) == 1
    return VolumeSample(
        source=source,
        kind="volume",
        format=form,
        notices=notices if steps is None else (*notices, *slant_in_words(steps)),
        voxels=voxels,
        stored=stored,
        slopes=stack.slopes,
        intercepts=stack.intercepts,
        spacing_mm=(between, *in_plane) if in_plane else None,
        steps_mm=steps,
        positions_mm=np.empty(0) if positions is None else positions,
        directions=_directions(places, is_volume=layout is not None),
        affine=_affine(places, in_plane, layout),
        is_time=not is_volume and _is_time(dataset, interval, places),
        frame_time_ms=interval,
        colours=voxels.ndim == 4,
        padding=None if stack.in_colour else header.padding(dataset),
        windows=stack.windows[len(stack.windows) // 2],
        slice_windows=() if agree else tuple(stack.windows),
        **header.traits(dataset, stored, is_colour=stack.in_colour, frame=middle),
    )


def _with_room(voxels: NDArray[Any], frame: NDArray[Any], slices: int) -> NDArray[Any]:
    """Return an array that takes a frame: a fresh one, or one of a type that holds both."""
    native = frame.dtype.newbyteorder("=")
    if voxels.size == 0:
        return np.zeros((slices, *frame.shape), native)
    if voxels.shape[1:] != frame.shape:
        raise UnreadableUpload(
            "expected frames of one size, got several", hint="The file is damaged; export it again."
        )
    joint = np.promote_types(voxels.dtype, native)
    return voxels if joint == voxels.dtype else voxels.astype(np.float32 if joint.kind == "f" else joint)


def _says_places(dataset: Dataset) -> bool:
    """A position above all frames speaks for the first one only, unless offsets follow."""
    is_above = "ImagePositionPatient" in dataset and "GridFrameOffsetVector" not in dataset
    return not is_above or "PerFrameFunctionalGroupsSequence" in dataset


def _layout(places: Sequence[Place | None]) -> tuple[Layout | None, tuple[str, ...]]:
    """Return how the frames of one file lie, None where they are no volume, with the reason in words."""
    known = [place for place in places if place is not None]
    if not known or len(known) < len(places):
        return None, ()
    if len({place.plane for place in known}) > 1:
        return None, ("The frames lie in several planes; they follow each other as in the file.",)
    layout = laid_out(known)
    if layout is not None and len(layout.order) < len(known):
        words = "Several frames lie in one place (times, echoes or segments); they follow as in the file."
        return None, (words,)
    return layout, tuple(distances_in_words(layout.positions_mm)) if layout else ()


def _step(dataset: Dataset, frames: int) -> int:
    samples = 3 if dataset.get("PhotometricInterpretation") == "PALETTE COLOR" else 0
    samples = samples or int(dataset.get("SamplesPerPixel") or 1)
    depth = max(1, int(dataset.get("BitsAllocated") or 8) // 8) if samples == 1 else 1
    if "ModalityLUTSequence" in dataset:
        depth = 4
    size = frames * int(dataset.Rows) * int(dataset.Columns) * samples * depth
    return max(1, -(-size // MOST_KEPT_BYTES))


def _frame_time(dataset: Dataset) -> float | None:
    """Return milliseconds between frames (PS3.3 C.7.6.5)."""
    times = [step for step in numbers(dataset.get("FrameTimeVector")) if step > 0]
    if times:
        return float(np.median(times))
    interval = number(dataset, "FrameTime")
    if interval is not None and interval > 0:
        return interval
    rate = number(dataset, "CineRate") or number(dataset, "RecommendedDisplayFrameRate")
    return 1000.0 / rate if rate and rate > 0 else None


def _is_time(dataset: Dataset, interval: float | None, places: Sequence[Place]) -> bool:
    is_one_place = bool(places) and "PerFrameFunctionalGroupsSequence" in dataset
    return interval is not None or is_one_place or dataset.get("Modality") in _IN_TIME


def _between(
    dataset: Dataset, frame: int, positions: NDArray[np.float64] | None, step: int, *, is_volume: bool
) -> float:
    """Return the distance of kept slices in mm, 0 where it is unknown or they follow in time."""
    if positions is not None and len(positions) > 1:
        return float(np.median(np.diff(positions)))
    if not is_volume and (_frame_time(dataset) is not None or dataset.get("Modality") in _IN_TIME):
        return 0.0
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        stated = number(dataset, keyword, frame)
        if stated:
            return abs(stated) * step  # the file states that of neighbours
    return 0.0


def _directions(places: Sequence[Place], *, is_volume: bool) -> tuple[str, str, str]:
    if not places:
        return "", "", ""
    first = places[0]
    return side(first.normal) if is_volume else "", side(first.column), side(first.row)


def _affine(
    places: Sequence[Place], in_plane: tuple[float, float] | None, layout: Layout | None
) -> NDArray[np.float64] | None:
    """Return (column, row, slice) to mm (PS3.3 C.7.6.2.1.1), where slices lie evenly."""
    if layout is None or in_plane is None or not layout.is_even:
        return None
    first, last = places[0], places[-1]
    made = np.eye(4)
    made[:3, 0], made[:3, 1] = first.row * in_plane[1], first.column * in_plane[0]
    made[:3, 2], made[:3, 3] = (last.position - first.position) / (len(places) - 1), first.position
    return made
