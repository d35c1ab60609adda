"""What a window of labelled signals is, where it begins, and the store of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from healthdash.datasets.items import Items
from healthdash.datasets.steps import ItemStep
from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings

from . import read
from .own_leads import chosen_leads
from .own_listing import AT, END, Form, OwnListing, uploads_of
from .own_windows import SignalStore, starts_of, taken

__all__ = ["MOST_WINDOWS", "Shape", "shape_of", "starts", "stored"]

#: Every wave of an ECG is below 40 Hz; more samples only cost time.
_USUAL_HZ = 125.0
_BEAT_S, _RHYTHM_S, _LONGEST_S = 2.0, 10.0, 30.0
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
    paths = own.listing.files
    for number in np.unique(items.files):
        names = [name for name in own.files[paths[number]] if not name.endswith(".atr")]
        sample = read.read(uploads_of(own.listing.folder, names))
        places[int(number)] = (store.add(taken(sample, shape.leads, shape.rate_hz)), sample.rate_hz)
    store.close()
    return store, places


def starts(
    items: Items, row: int, shape: Shape, store: SignalStore, places: Mapping[int, tuple[int, float]]
) -> NDArray[np.int64]:
    """Return where the windows of an item begin, at the model's rate."""
    signal, rate_hz = places[int(items.files[row])]
    if shape.form == "recordings":
        return starts_of(store.length(signal), shape.samples, MOST_WINDOWS)
    scale = shape.rate_hz / rate_hz
    at = round(float(items.frame[AT].iloc[row]) * scale)
    if shape.form == "beats":
        return np.array([at - shape.samples // 2], np.int64)
    end = round(float(items.frame[END].iloc[row]) * scale)
    return at + starts_of(end - at, shape.samples, MOST_WINDOWS)
