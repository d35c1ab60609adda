"""One picture as a file holds it, and the grey values that its readers and a model see.

Order of the DICOM grey-scale pipeline: modality LUT or rescale (done by the reader), then the
VOI LUT or window, then one inversion at the very end (PS3.3 C.7.6.3.1.2 and C.11.6.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Sample
from healthdash.views import Distances, HeaderEntry, Window

__all__ = ["Document", "ImageSample", "Stored", "VoiLut", "model_view", "stretched", "windowed"]

# Share of the darkest and of the brightest values that a stretch lets saturate, in percent:
# lead markers and the collimator's edge are the extremes of most X-rays, and carry no anatomy.
_CLIPPED_PERCENT = 0.5
_SMALLEST_WIDTH = 1e-6


@dataclass(frozen=True, slots=True)
class Stored:
    """The values of all frames as the file holds them, before any rescale or window."""

    shape: tuple[int, ...]
    dtype: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class VoiLut:
    """A table from values to display grey.

    Attributes
    ----------
    first : float
        The value that the first entry is for; values below take it too.
    levels : float32 (n,)
        Display grey from 0 (black) to 1.
    """

    first: float
    levels: NDArray[np.float32]

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Look up each value; values outside take the nearest entry (PS3.3 C.11.2.1.1)."""
        positions = np.clip(np.rint(pixels - self.first), 0, len(self.levels) - 1)
        looked_up: NDArray[np.float32] = self.levels[positions.astype(np.int64)]
        return looked_up


@dataclass(frozen=True, kw_only=True)
class ImageSample(Sample):
    """One picture: a frame in its own values, and what the file says about it.

    Attributes
    ----------
    pixels : float32 (height, width) in `unit`
        After the modality LUT or rescale and before any window; luminance of a colour picture.
    stored : Stored
        Of all frames.
    colours : uint8 (height, width, 3) or None
        What is shown of a picture in colour.
    padding : bool (height, width) or None
        True where the scanner filled in a value that measures nothing.
    full_scale : (float, float) or None
        The values of black and white where the file fixes them (8-bit pictures: 0 and 255).
    windows : tuple of Window
        Of the file, in the exact form: center -+ width / 2 are black and white.
    function : str
        How the windows bend: LINEAR or SIGMOID (PS3.3 C.11.2.1.3).
    voi_lut : VoiLut or None
        The table that the file wants instead of a window.
    invert : bool
        Low values are bright (MONOCHROME1, or presentation LUT shape INVERSE; both: once).
    spacing_mm : (float, float) or None
        Between rows, between columns.
    distances : str
        What millimetres are; empty: lengths in the patient.
    aspect : float
        Height of a pixel over its width, where the spacing is unknown.
    modality, body_part : str
        In capitals as in DICOM; empty where the file is silent.
    is_scout : bool
        A localizer: an overview made by a CT scanner.
    age_years : float or None
        Of the patient.
    is_animal : bool
        The header names a species or breed other than man.
    frames, frame : int
        How many the file holds, and which of them this is.
    facts : tuple of (str, str)
        Header entries that identify nobody, for people.
    header : tuple of HeaderEntry
        All of the header as text, for a reader who asks for it; never logged.
    """

    pixels: NDArray[np.float32]
    stored: Stored
    colours: NDArray[np.uint8] | None = None
    unit: str = "grey value"
    padding: NDArray[np.bool_] | None = None
    full_scale: tuple[float, float] | None = None
    windows: tuple[Window, ...] = ()
    function: Literal["LINEAR", "SIGMOID"] = "LINEAR"
    voi_lut: VoiLut | None = None
    invert: bool = False
    spacing_mm: tuple[float, float] | None = None
    distances: Distances = ""
    aspect: float = 1.0
    modality: str = ""
    body_part: str = ""
    is_scout: bool = False
    age_years: float | None = field(default=None, repr=False)
    is_animal: bool = False
    frames: int = 1
    frame: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    header: tuple[HeaderEntry, ...] = field(default=(), repr=False)

    @cached_property
    def squares(self) -> dict[tuple[int, Window | None], NDArray[np.float32]]:
        """What networks see of it, by size and window; each is computed once."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Document(Sample):
    """A DICOM file that holds no picture: a report, a plan, a waveform.

    Attributes
    ----------
    content : str
        What it is, by the name of its class.
    text : str
        Of a report, without names and identifiers.
    """

    content: str
    text: str = ""


def model_view(sample: ImageSample, window: Window | None = None) -> NDArray[np.float32]:
    """Return the grey picture that a model sees.

    Parameters
    ----------
    sample : ImageSample
    window : Window or None
        Applied to values in HU; the window in which the model's training pictures were shown.

    Returns
    -------
    float32 (height, width), 0 (black) to 1
        HU through `window`; else the file's VOI LUT, else its first window, else its fixed full
        scale, else a stretch of the values between the 0.5 and the 99.5 percentile. Inverted
        once, at the end, where the file says so.
    """
    if sample.unit == "HU" and window is not None:
        return _without_padding(sample, windowed(sample.pixels, window))
    if sample.voi_lut is not None:
        grey = sample.voi_lut(sample.pixels)
    elif sample.windows:
        grey = windowed(sample.pixels, sample.windows[0], sample.function)
    elif sample.full_scale is not None:
        grey = windowed(sample.pixels, _between(*sample.full_scale))
    else:
        grey = windowed(sample.pixels, stretched(sample))
    if sample.invert:
        grey = np.float32(1) - grey
    return _without_padding(sample, grey)


def _without_padding(sample: ImageSample, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return grey if sample.padding is None else np.where(sample.padding, np.float32(0), grey)


def windowed(
    pixels: NDArray[np.float32], window: Window, function: Literal["LINEAR", "SIGMOID"] = "LINEAR"
) -> NDArray[np.float32]:
    """Return display grey, 0 to 1, of values in a window in its exact form.

    References
    ----------
    DICOM PS3.3 C.11.2.1.3.1 (sigmoid) and C.11.2.1.3.2 (linear exact).
    """
    width = max(window.width, _SMALLEST_WIDTH)
    # In place from here on: new arrays of a picture's size take longer than the arithmetic.
    position = pixels - np.float32(window.center)
    position /= np.float32(width)
    if function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * position, -80, 80))), np.float32)
    position += np.float32(0.5)
    return np.asarray(np.clip(position, 0, 1, out=position), np.float32)


def stretched(sample: ImageSample) -> Window:
    """Return the window from the 0.5 to the 99.5 percentile of the values that measure something."""
    pixels = sample.pixels if sample.padding is None else sample.pixels[~sample.padding]
    if pixels.size == 0:
        pixels = sample.pixels
    low, high = np.percentile(pixels, [_CLIPPED_PERCENT, 100 - _CLIPPED_PERCENT])
    if high <= low:
        low, high = float(pixels.min()), float(pixels.max())
    return _between(float(low), float(high), "percentiles 0.5 to 99.5")


def _between(low: float, high: float, name: str = "full scale") -> Window:
    return Window(name=name, center=(low + high) / 2, width=max(high - low, _SMALLEST_WIDTH))
