"""Typed outputs of a task: plain data with units, no drawing.

`healthdash.ui.draw` holds one drawing function for each class here; the command line and the
exports read the same data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "Beeswarm",
    "ClassBars",
    "Curve",
    "Curves",
    "Dependence",
    "Distances",
    "GreyTable",
    "Grid",
    "Header",
    "HeaderEntry",
    "Marker",
    "Matrix",
    "MeanShares",
    "Metric",
    "Metrics",
    "Moved",
    "Notice",
    "PairShares",
    "Picture",
    "Profile",
    "Responses",
    "Sections",
    "Span",
    "Trace",
    "View",
    "Volume",
    "Waterfall",
    "Way",
    "Ways",
    "Window",
]

Level = Literal["info", "warning", "error", "success"]
#: What follows "mm" at a length; nothing where it is one in the patient.
Distances = Literal[
    "", "at the detector", "on the film", "(calibrated)", "(corrected for magnification)",
    "(perhaps at the detector)",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Something that can be drawn.

    Attributes
    ----------
    title : str
        Heading, in plain words.
    caption : str
        One sentence below: what one sees, with its limits.
    folded : bool
        Shown only when the reader opens it; needs a title.
    """

    title: str = ""
    caption: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(View):
    """A sentence for the reader."""

    level: Level = "info"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure with its unit and, where there is one, its 95 % interval."""

    label: str
    value: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(View):
    """A few figures side by side."""

    items: tuple[Metric, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBars(View):
    """Probability of each class.

    Attributes
    ----------
    labels : tuple of str
    probabilities : tuple of float
        Between 0 and 1, one a label; larger means more likely.
    threshold : float or None
        Operating point of `threshold_label`, drawn as a line.
    predicted : str or None
        The label that the operating point gives.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    threshold: float | None = None
    threshold_label: str | None = None
    predicted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A grey-level window: values from center - width/2 to center + width/2 fill the scale.

    `function` says how it bends: straight, as an S (DICOM PS3.3 C.11.2.1.3.1), or as the grey
    table that comes with the picture. `stated` is center and width as a file writes them, where its
    formula is another one than this (PS3.3 C.11.2.1.2.1).
    """

    name: str
    center: float
    width: float
    function: Literal["LINEAR", "SIGMOID", "TABLE"] = "LINEAR"
    stated: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyTable:
    """A table from values to display grey, which a file may want instead of a window.

    Attributes
    ----------
    first : float
        The value that the first entry is for; values below take it too.
    levels : float32 (n,)
        Display grey from 0 (black) to 1.
    """

    first: float
    levels: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(View):
    """A picture in its own values, with the windows in which its readers look at it.

    Attributes
    ----------
    pixels : float32 (height, width) in `unit`, or uint8 (height, width, 3)
        Grey values after the modality LUT and before any window; or colours.
    unit : str
        "HU", "grey value"...
    windows : tuple of Window
        The first is the default.
    invert : bool
        True when low values are shown bright (MONOCHROME1).
    heat : float32 (height, width) or None
        Attribution for each pixel; positive speaks for the explained class.
    heat_scale : float or None
        Attribution that is drawn in full colour; None takes the 99.5th percentile of its size.
    aspect : float
        Height of a pixel over its width, in millimetres.
    spacing_mm : (float, float) or None
        Between rows, between columns; None where the file is silent.
    distances : str
        What millimetres are; empty: lengths in the patient.
    table : GreyTable or None
        Of the file; a window whose function is TABLE goes through it.
    padding : bool (height, width) or None
        True where the scanner filled in a value that measures nothing: black.
    model_input : uint8 (rows, columns) or None
        The grey picture that the network saw.
    """

    pixels: NDArray[np.float32] | NDArray[np.uint8]
    unit: str = "grey value"
    windows: tuple[Window, ...] = ()
    invert: bool = False
    heat: NDArray[np.float32] | None = None
    heat_label: str = ""
    heat_scale: float | None = None
    aspect: float = 1.0
    spacing_mm: tuple[float, float] | None = None
    distances: Distances = ""
    table: GreyTable | None = None
    padding: NDArray[np.bool_] | None = None
    model_input: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The estimated probability of a label along the slices of a volume.

    Attributes
    ----------
    slices : int64 (n,)
        Numbers of the slices that the model judged, rising.
    values : float32 (n,)
        Between 0 and 1.
    threshold : float or None
        Its operating point.
    refused : bool (n,) or None
        True where the gate says that the model may not judge.
    """

    label: str
    slices: NDArray[np.int64]
    values: NDArray[np.float32]
    threshold: float | None = None
    refused: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(View):
    """Slices of a volume, or frames of a cine, as stored, with what turns them into values.

    Attributes
    ----------
    voxels : (slices, height, width), or uint8 (slices, height, width, 3)
        Stored values, or colours.
    slopes, intercepts : float64 (slices,)
        values = stored x slope + intercept, in `unit`.
    windows : tuple of Window
        The first is the default.
    slice_windows : tuple of Window
        The file's own of each slice, where they differ; offered as one choice.
    padding : (float, float) or None
        Stored values from, to (both included) that measure nothing: black.
    spacing_mm : (float, float, float) or None
        Between slices (along their normal), rows, columns.
    steps_mm : float64 (3, 3) or None
        The steps to the next slice, row and column, one a row, where these may not be at right angles.
    aspect : float
        Height of a pixel over its width, where the spacing is unknown.
    directions : (str, str, str)
        Letter (L R A P S I) towards which slice, row and column numbers rise; empty where unknown.
    is_time : bool
        Frames follow each other in time: there are no other planes.
    frame_time_ms : float or None
    start : int
        The slice that is shown first.
    profile : Profile or None
    model_inputs : uint8 (n, rows, columns) or None
        What the network saw of each of `model_slices`.
    heat : float32 (height, width) or None
        Attribution for each pixel of slice `start`.
    distances, invert, table, heat_label, heat_scale
        As in `Picture`.
    """

    voxels: NDArray[Any]
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    unit: str = "grey value"
    windows: tuple[Window, ...] = ()
    slice_windows: tuple[Window, ...] = ()
    table: GreyTable | None = None
    invert: bool = False
    padding: tuple[float, float] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    steps_mm: NDArray[np.float64] | None = None
    aspect: float = 1.0
    distances: Distances = ""
    directions: tuple[str, str, str] = ("", "", "")
    is_time: bool = False
    frame_time_ms: float | None = None
    start: int = 0
    profile: Profile | None = None
    model_inputs: NDArray[np.uint8] | None = None
    model_slices: NDArray[np.int64] | None = None
    heat: NDArray[np.float32] | None = None
    heat_label: str = ""
    heat_scale: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Labelled moments on a trace, all of one kind."""

    label: str
    samples: NDArray[np.int64]
    color: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Stretches of one lead that are all of one kind, such as its P waves.

    Attributes
    ----------
    start_s, stop_s : float64 (m,), second
        Counted from the first sample of the view, ascending.
    lead : int
        Number of the lead.
    """

    label: str
    color: str
    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    lead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(View):
    """A recorded signal on its time axis.

    Attributes
    ----------
    signal : float32 (n_samples, n_leads) in `unit`
    rate_hz : float
    leads : tuple of str
    markers : tuple of Marker
        Beats, events.
    attribution : float32 (n_samples, n_leads) or None
        Drawn along the trace; positive speaks for the explained class.
    attribution_scale : float or None
        Attribution that is drawn in full colour; None takes the 99.5th percentile of its size.
    start_s : float
        Time of the first sample, for a cut-out of a longer recording.
    paper : bool
        True: draw on ECG paper, 25 mm/s and 10 mm/mV.
    spans : tuple of Span
        Waves, each in its lead.
    flags : tuple of str
        What is wrong with each lead, in words; "" where nothing is. Empty: nobody looked.
    """

    signal: NDArray[np.float32]
    rate_hz: float
    leads: tuple[str, ...]
    unit: str = "mV"
    markers: tuple[Marker, ...] = ()
    attribution: NDArray[np.float32] | None = None
    attribution_label: str = ""
    attribution_scale: float | None = None
    start_s: float = 0.0
    paper: bool = True
    spans: tuple[Span, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(View):
    """A table. `percent` names columns that hold probabilities."""

    frame: pd.DataFrame
    percent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall(View):
    """How the features of one input move the output from its base to its value.

    Attributes
    ----------
    features : tuple of str
        With the value that each has, as people read it.
    attributions : float32 (n_features,)
        In the unit of the output (probability). base + sum + residual = output.
    base_label : str
        What the base is, in a word or two.
    span : tuple of two floats or None
        Lowest and highest probability of the axis; None fits it to the steps.
    """

    features: tuple[str, ...]
    attributions: NDArray[np.float32]
    base: float
    output: float
    residual: float
    target: str
    base_label: str = "average"
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderEntry:
    """One element of a DICOM header, as text for people.

    `identifying` is True for all that is not known to say nothing about who the patient is.
    """

    tag: str
    name: str
    vr: str
    value: str
    identifying: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(View):
    """The header of a file, to be searched; what may identify the patient is shown on demand only."""

    entries: tuple[HeaderEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beeswarm(View):
    """Attributions of many inputs: one row of dots a feature.

    Attributes
    ----------
    values : float32 (n_inputs, n_features)
        The features' own values scaled to 0..1 for colour; NaN where missing.
    attributions : float32 (n_inputs, n_features)
    """

    features: tuple[str, ...]
    values: NDArray[np.float32]
    attributions: NDArray[np.float32]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanShares(View):
    """How much each feature counts over many inputs.

    Attributes
    ----------
    mean, low, high : float64 (n_features,)
        In `unit`, with its 95 % interval; NaN where one cannot be known.
    x_label : str
        What is measured.
    unit : str
        Of the measure; empty where it has none.
    """

    features: tuple[str, ...]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    x_label: str
    unit: str = "percentage points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence(View):
    """How the share of one feature follows its value: one dot an input.

    Attributes
    ----------
    values : tuple of float or str, length n
        As people read them.
    shares : float64 (n,)
        In probability.
    color : float64 (n,) or None
        Values of another feature, named `color_label`; NaN where missing.
    """

    feature: str
    unit: str
    values: tuple[float | str, ...]
    shares: NDArray[np.float64]
    target: str
    color: NDArray[np.float64] | None = None
    color_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(View):
    """Shares of the same features for an input as given and changed.

    Attributes
    ----------
    before, after : float64 (n_features,)
        Shares in the probability of `target`.
    """

    features: tuple[str, ...]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairShares(View):
    """What pairs of features do together beyond what each does alone.

    Attributes
    ----------
    index : float64 (n_features, n_features)
        In probability, symmetric; the diagonal is not drawn. Above 0: together they raise the output by more
        than one by one.
    shares : float64 (n_features,)
        Share of each feature, in probability.
    """

    features: tuple[str, ...]
    index: NDArray[np.float64]
    shares: NDArray[np.float64]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses(View):
    """How the output follows one feature that is set to each of several values, the others as they are.

    Attributes
    ----------
    values : tuple of float or str, length k
        As people read them; text where they have no order.
    curves : float64 (n, k)
        One line an input, in `y_label`'s unit.
    mean, low, high : float64 (k,)
        Over all inputs that were asked, with its 95 % interval.
    """

    feature: str
    unit: str
    values: tuple[float | str, ...]
    curves: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    y_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Changes that together carry the output across a threshold.

    Attributes
    ----------
    features, before, after : tuple of str, length n
        What changes, and its values as people read them, with units.
    start, end : float64 (n,)
        Where the values lie in the range of training, 0 to 1; of a code its place among the codes.
    output : float
        Estimated probability then.
    """

    features: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    output: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways(View):
    """Several ways across a threshold, the smallest first."""

    ways: tuple[Way, ...]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a plot; `low` and `high` bound its 95 % interval.

    `points` marks its points, and `joined` says whether a line goes through them.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    dashed: bool = False
    points: bool = False
    joined: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(View):
    """Lines over one pair of axes.

    Attributes
    ----------
    diagonal : bool
        Draw the line y = x as the reference (ROC, reliability).
    mark_x : float or None
        A vertical line, such as the best epoch, named `mark_label`.
    """

    curves: tuple[Curve, ...]
    x_label: str
    y_label: str
    diagonal: bool = False
    mark_x: float | None = None
    mark_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix(View):
    """A confusion matrix: rows are true, columns predicted; counts."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sections:
    """The views of one report, in the order in which people read them."""

    input: tuple[View, ...] = ()
    result: tuple[View, ...] = ()
    explanation: tuple[View, ...] = ()
