"""Pictures to bytes that a screen shows: window, invert, heat; plain numpy, nothing drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from healthdash.ui.scales import full_color
from healthdash.views import Picture, Window

__all__ = ["Look", "default_window", "rendered", "resized", "shown", "suited", "value_range", "with_heat"]

#: A larger picture only costs time to send: no screen of a page shows more.
_LONGEST_SIDE_PX = 1400
#: Smaller ones are enlarged smoothly, for a browser would show blocks.
_SHORTEST_SIDE_PX = 560
_FOR = np.array([213, 94, 0], np.float32)
_AGAINST = np.array([0, 114, 178], np.float32)


@dataclass(frozen=True, slots=True)
class Look:
    """How a reader wants to see a picture.

    Attributes
    ----------
    opacity : float
        Of the strongest places of an explanation, 0 to 1.
    threshold : float
        Places weaker than this share of full colour, 0 to 1, stay clear.
    """

    window: Window
    invert: bool = False
    opacity: float = 0.6
    threshold: float = 0.0


def suited(look: Look, view: Picture) -> Look:
    """Return a look for one of several pictures: its window by the name that was chosen, its own inversion.

    The pictures may have other units: a window in HU leaves nothing of a picture in shares.
    """
    named = next((window for window in view.windows if window.name == look.window.name), None)
    return replace(look, window=named or default_window(view), invert=view.invert)


def rendered(view: Picture, look: Look) -> NDArray[np.uint8]:
    """Return a picture as a reader wants to see it, with its explanation, as uint8 (height, width, 3)."""
    pixels = shown(view, look.window, invert=look.invert)
    if view.heat is not None and look.opacity > 0:
        full = view.heat_scale or full_color(view.heat)
        pixels = with_heat(pixels, view.heat, look.opacity, full=full, threshold=look.threshold)
    return resized(pixels, view.aspect)


def value_range(view: Picture) -> tuple[float, float]:
    """Return the lowest and highest finite grey value, never equal."""
    finite = view.pixels[np.isfinite(view.pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1.0


def default_window(view: Picture) -> Window:
    """Return the view's first window, or one over all its values."""
    if view.windows:
        return view.windows[0]
    low, high = value_range(view)
    return Window(name="all values", center=(low + high) / 2, width=high - low)


def shown(view: Picture, window: Window, *, invert: bool) -> NDArray[np.uint8]:
    """Return the picture in a window as uint8 (height, width, 3); colours stay as they are."""
    if view.pixels.ndim == 3:
        colors = np.asarray(view.pixels[..., :3], np.uint8)
        return np.asarray(255 - colors if invert else colors, np.uint8)
    grey = (255 * _scaled(view, window)).astype(np.uint8)
    grey = 255 - grey if invert else grey
    if view.padding is not None:
        grey = np.where(view.padding, np.uint8(0), grey)
    return np.repeat(grey[..., None], 3, axis=2)


def _scaled(view: Picture, window: Window) -> NDArray[np.float32]:
    """Return grey from 0 to 1, before any inversion (DICOM PS3.3 C.11.2.1)."""
    low = window.center - window.width / 2
    pixels = np.nan_to_num(view.pixels.astype(np.float32), nan=low)
    if window.function == "TABLE" and view.table is not None:
        places = np.clip(np.rint(pixels - view.table.first), 0, len(view.table.levels) - 1)
        return np.asarray(view.table.levels[places.astype(np.int64)], np.float32)
    if window.function == "SIGMOID":
        bend = np.clip(-4 * (pixels - window.center) / max(window.width, 1e-6), -80, 80)
        return np.asarray(1 / (1 + np.exp(bend)), np.float32)
    return np.asarray(np.clip((pixels - low) / max(window.width, 1e-6), 0, 1), np.float32)


def with_heat(
    picture: NDArray[np.uint8],
    heat: NDArray[np.float32],
    opacity: float,
    *,
    full: float | None = None,
    threshold: float = 0.0,
) -> NDArray[np.uint8]:
    """Lay an attribution over a picture: orange speaks for the class, blue against it.

    Parameters
    ----------
    picture : uint8 (height, width, 3)
    heat : float32, any height and width
        Stretched over the picture.
    opacity : float
        Of the strongest places; weak ones stay clear.
    full : float or None
        Attribution in full colour; None takes the 99.5th percentile of its size.
    threshold : float
        Places weaker than this share of full colour stay clear.
    """
    height, width = picture.shape[:2]
    fitted = np.asarray(
        Image.fromarray(heat.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    )
    strength = np.clip(np.abs(fitted) / (full or full_color(heat)), 0, 1)[..., None]
    color = np.where(fitted[..., None] > 0, _FOR, _AGAINST)
    alpha = opacity * np.where(strength < threshold, 0, strength)
    return np.asarray((1 - alpha) * picture + alpha * color, np.uint8)


def resized(picture: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """Make pixels square and the picture as large as a page shows it.

    Parameters
    ----------
    aspect : float
        Height of a pixel over its width.
    """
    height, width = picture.shape[0] * aspect, float(picture.shape[1])
    longest = max(height, width)
    scale = min(_LONGEST_SIDE_PX / longest, max(1.0, _SHORTEST_SIDE_PX / longest))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
