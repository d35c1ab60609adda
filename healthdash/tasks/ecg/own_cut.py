"""What a window of labelled signals is, where it begins, and the store of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from healthdash.apart import blocks
from healthdash.datasets.items import Items
from healthdash.datasets.steps import ItemStep
from healthdash.errors import HealthdashError, InvalidInput
from healthdash.training import TrainSettings

from . import read
from .own_leads import chosen_leads
from .own_listing import AT, END, Form, OwnListing, uploads_of
from .own_windows import SignalStore, starts_of, taken

__all__ = ["MOST_WINDOWS", "Shape", "shape_of", "starts", "stored"]

#: Every wave of an ECG is below 40 Hz; more samples only cost time.
_USUAL_HZ = 125.0
_BEAT_S, _RHYTHM_S, _LONGEST_S = 2.0, 10.0, 30.0
#: Values and recordings that one child answers with: 64 MB.
_AT_ONCE, _MOST_FILES = 16_000_000, 32
#: Of one recording, evenly apart.
MOST_WINDOWS = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """What a window is.

    Attributes
    ----------
    form : Form
    leads : tuple of str
        In the order of the network's channels.
    rate_hz : float
    samples : int
        At this rate.
    """

    form: Form
    leads: tuple[str, ...]
    rate_hz: float
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What a model takes of a recording, float32 (n_samples, n_leads) at its rate; the file.s rate."""

    signal_mv: NDArray[np.float32]
    rate_hz: float


def shape_of(own: OwnListing, items: Items, steps: tuple[ItemStep, ...], settings: TrainSettings) -> Shape:
    """Return what a window is: leads that all recordings have, the rate, and the length.

    Raises
    ------
    InvalidInput
        The recordings share no lead.
    """
    leads = chosen_leads(items, steps)
    if not leads:
        raise InvalidInput("expected a lead that all recordings have", hint="Leave recordings out.")
    traits = items.survey.traits.iloc[np.unique(items.files)]
    rate_hz = settings.rate_hz or min(_USUAL_HZ, float(traits["rate (Hz)"].astype(float).min()))
    usual = {"beats": _BEAT_S, "rhythms": _RHYTHM_S}
    whole = min(float(traits["duration (s)"].astype(float).median()), _LONGEST_S)
    seconds = settings.seconds or usual.get(own.form, whole)
    return Shape(own.form, leads, rate_hz, max(16, round(seconds * rate_hz)))


def stored(own: OwnListing, items: Items, shape: Shape) -> tuple[SignalStore, dict[int, tuple[int, float]]]:
    """Keep the signals of all items; return where each file's is, and its own rate."""
    store, places = SignalStore(len(shape.leads)), {}
    folder, paths = own.listing.folder, own.listing.files
    for some in _together(items, shape):
        named = [tuple(n for n in own.files[paths[file]] if not n.endswith(".atr")) for file in some]
        found = blocks.looked_at(cut_all, folder, named, shape.leads, shape.rate_hz, failed=_refused)
        for file, one in zip(some, found, strict=True):
            places[file] = (store.add(one.signal_mv), one.rate_hz)
    store.close()
    return store, places


def cut_all(
    folder: str, recordings: tuple[tuple[str, ...], ...], leads: tuple[str, ...], rate_hz: float
) -> tuple[Cut, ...]:
    """Return some leads of some recordings at a rate; called apart, as files are strangers here too."""
    found = []
    for names in recordings:
        sample = read.read(uploads_of(Path(folder), names))
        found.append(Cut(taken(sample, leads, rate_hz), sample.rate_hz))
    return tuple(found)


def _refused(error: HealthdashError) -> Cut:
    raise error


def _together(items: Items, shape: Shape) -> Iterator[list[int]]:
    """Yield files that are read by one child: so many that a day of one is read alone."""
    files = np.unique(items.files)
    seconds = items.survey.traits["duration (s)"].iloc[files].astype(float)
    some: list[int] = []
    values = 0.0
    for file, lasts_s in zip(files.tolist(), seconds, strict=True):
        more = lasts_s * shape.rate_hz * len(shape.leads)
        if some and (values + more > _AT_ONCE or len(some) == _MOST_FILES):
            yield some
            some, values = [], 0.0
        some.append(file)
        values += more
    if some:
        yield some


def starts(
    items: Items, row: int, shape: Shape, store: SignalStore, places: Mapping[int, tuple[int, float]]
) -> NDArray[np.int64]:
    """Return where the windows of an item begin, at the model's rate."""
    signal, rate_hz = places[int(items.files[row])]
    if shape.form == "recordings":
        return starts_of(store.length(signal), shape.samples, MOST_WINDOWS)
    at, end = (_place(float(items.frame[column].iloc[row]), rate_hz, shape) for column in (AT, END))
    if shape.form == "beats":
        return np.array([at - shape.samples // 2], np.int64)
    return at + starts_of(end - at, shape.samples, MOST_WINDOWS)


def _place(at_s: float, rate_hz: float, shape: Shape) -> int:
    """Return where a time is at the model's rate: that of its sample, as for beats that are found."""
    return round(round(at_s * rate_hz) * (shape.rate_hz / rate_hz))
