"""A view as the data that the viewer in the browser takes: numbers, names, and addresses of slabs."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.ui.scales import full_color
from healthdash.ui.viewer import slabs
from healthdash.views import GreyTable, Picture, Profile, Volume, Window

__all__ = ["compact", "of"]

#: Types that the browser windows through a table; others are windowed value by value.
_TABLED = ("uint8", "int8", "uint16", "int16")
#: What a viewer takes when it is built, besides its voxels; the rest is taken at each run of the page.
_TAKEN_ONCE = ("unit", "presets", "table", "invert", "frameTime")


def of(view: Picture | Volume, key: str) -> dict[str, Any]:
    """Return a picture or a volume as JSON, its voxels published for the browser."""
    told = _volume(view) if isinstance(view, Volume) else _picture(view)
    told["voxels"]["id"] = _name(told)
    return told | {"key": key, "choose": told["profile"] is not None, "label": view.title or "Picture"}


def compact(values: NDArray[Any]) -> NDArray[Any]:
    """Return the same values in the smallest type that the browser knows and that holds them exactly.

    float32 where they are no whole numbers, or reach too far.
    """
    if values.dtype.name in (*_TABLED, "int32"):
        return values
    low, high = values.min(), values.max()
    is_whole = values.dtype.kind in "iub" or bool(np.isfinite([low, high]).all())
    if is_whole and (values.dtype.kind in "iub" or np.array_equal(values, np.rint(values))):
        for name in (*_TABLED, "int32"):
            limits = np.iinfo(name)
            if limits.min <= low and high <= limits.max:
                return values.astype(name)
    return values.astype(np.float32)


def _name(told: dict[str, Any]) -> str:
    """Return the name of all that a viewer takes when it is built: under another name it is built anew.

    The same stored numbers may come with another rescale, spacing or orientation. An explanation, the model's
    input, a profile and the slice to start at are left out, so that what is drawn stays when these come.
    """
    voxels = {part: value for part, value in told["voxels"].items() if part != "slabs"}
    text = json.dumps([voxels, [told[part] for part in _TAKEN_ONCE]])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _picture(view: Picture) -> dict[str, Any]:
    is_colour = view.pixels.ndim == 3
    stored = slabs.memo().of(view.pixels, "stored", lambda: _stored(view.pixels))
    spacing = None if view.spacing_mm is None else [None, *view.spacing_mm]
    voxels = _voxels(stored, [1.0], [0.0])
    voxels |= {"aspect": view.aspect, "spacing": spacing, "distances": view.distances}
    if view.padding is not None and not is_colour:
        mask = np.asarray(view.padding, np.uint8)[None]
        # First of all, so that no padding flashes up.
        voxels["slabs"] = [slab | {"mask": True} for slab in slabs.published(mask)] + voxels["slabs"]
        voxels["id"] += slabs.identity(mask)
    model = None
    if view.model_input is not None:
        model = {"voxels": _voxels(view.model_input[None], [1.0], [0.0]), "slices": [0]}
    return {
        "voxels": voxels,
        "unit": view.unit,
        "presets": [] if is_colour else _presets(view.windows, _ends(stored)),
        "table": _table(view.table),
        "invert": view.invert,
        "start": 0,
        "frameTime": None,
        "heat": _heat(view.heat, view.heat_scale, view.heat_label, 0),
        "model": model,
        "profile": None,
    }


def _stored(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return a picture as one slice."""
    return pixels[None, ..., :3] if pixels.ndim == 3 else compact(pixels)[None]


def _volume(view: Volume) -> dict[str, Any]:
    stored = view.voxels
    if stored.ndim == 3:
        stored = slabs.memo().of(view.voxels, "stored", lambda: compact(view.voxels))
    slopes, intercepts = _scales(view.slopes), _scales(view.intercepts)
    count = max(len(slopes), len(intercepts))
    voxels = _voxels(stored, slopes * (count // len(slopes)), intercepts * (count // len(intercepts)))
    voxels |= {
        "spacing": None if view.spacing_mm is None else list(view.spacing_mm),
        "steps": None if view.steps_mm is None else view.steps_mm.tolist(),
        "aspect": view.aspect,
        "distances": view.distances,
        "directions": list(view.directions),
        "isTime": view.is_time,
        "padding": None if view.padding is None else list(view.padding),
    }
    presets = [] if stored.ndim == 4 else _presets(view.windows, _values_of(view, stored))
    if view.slice_windows and presets:
        pairs = [[window.center, window.width] for window in view.slice_windows]
        # The first one's own numbers are never shown: with those of `start` the name would follow the slice.
        own = _preset(view.slice_windows[0]) | {"name": "file: slice by slice", "slices": pairs}
        presets = [*presets, own]
    model = None
    if view.model_inputs is not None and view.model_slices is not None:
        seen = _voxels(view.model_inputs, [1.0], [0.0])
        model = {"voxels": seen, "slices": view.model_slices.tolist()}
    return {
        "voxels": voxels,
        "unit": view.unit,
        "presets": presets,
        "table": _table(view.table),
        "invert": view.invert,
        "start": view.start,
        "frameTime": view.frame_time_ms,
        "heat": _heat(view.heat, view.heat_scale, view.heat_label, view.start),
        "model": model,
        "profile": _profile(view.profile),
    }


def _voxels(stored: NDArray[Any], slopes: Sequence[float], intercepts: Sequence[float]) -> dict[str, Any]:
    """Return what the browser needs of an array (slices, rows, columns) or (slices, rows, columns, 3)."""
    ends = _ends(stored)
    values = ends * np.reshape(slopes, (-1, 1)) + np.reshape(intercepts, (-1, 1))
    low, high = float(values.min()), float(values.max())
    return {
        "id": slabs.identity(stored),
        "shape": list(stored.shape[:3]),
        "channels": 3 if stored.ndim == 4 else 1,
        "type": stored.dtype.name,
        "slopes": list(slopes),
        "intercepts": list(intercepts),
        "range": [ends[:, 0].min().item(), ends[:, 1].max().item()],
        "reach": [low, high],
        "padding": None,
        "spacing": None,
        "steps": None,
        "distances": "",
        "aspect": 1.0,
        "directions": ["", "", ""],
        "isTime": False,
        "slabs": slabs.published(stored),
    }


def _scales(values: NDArray[np.float64]) -> list[float]:
    """Return one number where all are the same."""
    found: list[float] = (values[:1] if (values == values[0]).all() else values).tolist()
    return found


def _ends(stored: NDArray[Any]) -> NDArray[Any]:
    """Return the lowest and the highest finite number of each slice, (slices, 2)."""
    return slabs.memo().of(stored, "ends", lambda: _measured(stored))


def _measured(stored: NDArray[Any]) -> NDArray[Any]:
    within = tuple(range(1, stored.ndim))
    if stored.dtype.kind != "f":
        return np.stack([stored.min(axis=within), stored.max(axis=within)], axis=1)
    finite = np.isfinite(stored)
    low = np.min(stored, axis=within, where=finite, initial=np.inf)
    high = np.max(stored, axis=within, where=finite, initial=-np.inf)
    ends = np.stack([low, high], axis=1)
    return np.where(np.isfinite(ends), ends, 0)


def _values_of(view: Volume, stored: NDArray[Any]) -> NDArray[np.float64]:
    """Return the lowest and the highest value of each slice, in the unit."""
    return np.asarray(_ends(stored) * view.slopes[:, None] + view.intercepts[:, None], np.float64)


def _presets(windows: Sequence[Window], values: NDArray[Any]) -> list[dict[str, Any]]:
    """Return the choices of a window, the first for the start; one over all values where there is none."""
    found = [_preset(window) for window in windows]
    if not found:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        width = max(high - low, 1e-6)
        found = [{"name": "all values", "center": (low + high) / 2, "width": width, "curve": "LINEAR"}]
    return found


def _preset(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "center": float(window.center),
        "width": float(window.width),
        "curve": window.function,
        "stated": window.stated,
    }


def _table(table: GreyTable | None) -> dict[str, Any] | None:
    if table is None:
        return None
    levels = base64.b64encode(np.asarray(table.levels, "<f4").tobytes()).decode()
    return {"first": float(table.first), "levels": levels}


def _heat(
    heat: NDArray[np.float32] | None, scale: float | None, label: str, number: int
) -> dict[str, Any] | None:
    if heat is None:
        return None
    values = np.asarray(heat, np.float32)[None]
    return {
        "voxels": _voxels(values, [1.0], [0.0]),
        "full": float(scale or full_color(heat)),
        "label": label,
        "slice": number,
    }


def _profile(profile: Profile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    return {
        "label": profile.label,
        "slices": profile.slices.tolist(),
        "values": [round(float(p), 5) for p in profile.values],
        "threshold": profile.threshold,
        "refused": [] if profile.refused is None else np.flatnonzero(profile.refused).tolist(),
    }
