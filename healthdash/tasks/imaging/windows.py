"""The windows in which a picture is offered: of the file, usual ones of CT, and over its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from healthdash.views import Window

from .sample import ImageSample, VoiLut, stretched

__all__ = ["of_file", "windows_of"]

#: Usual settings of CT viewers, in HU: lungs and mediastinum of a chest, bone of a spine, brain, and soft
#: tissues of an abdomen (Murphy, Bell et al., Windowing (CT), radiopaedia.org/articles/windowing-ct).
_CT_WINDOWS = (
    Window(name="lung", center=-600, width=1500),
    Window(name="mediastinum", center=50, width=350),
    Window(name="bone", center=400, width=1800),
    Window(name="brain", center=40, width=80),
    Window(name="soft tissue", center=50, width=400),
)


def windows_of(sample: ImageSample, trained_window: Window | None) -> Sequence[Window]:
    """Return the windows to choose from, each name once; the first is shown."""
    low, high = float(sample.pixels.min()), float(sample.pixels.max())
    full = Window(name="all values", center=(low + high) / 2, width=max(high - low, 1e-6))
    own = (*_of_table(sample.voi_lut), *of_file(sample.windows, sample.function))
    if sample.unit == "HU":
        trained = () if trained_window is None else (trained_window,)
        found = (*trained, *_CT_WINDOWS, *own, full)
    else:
        fixed = sample.full_scale
        scale = () if fixed is None else (Window(name="full scale", center=sum(fixed) / 2, width=fixed[1]),)
        found = (*own, *scale, stretched(sample), full)
    return list({window.name: window for window in reversed(found)}.values())[::-1]


def _of_table(voi_lut: VoiLut | None) -> tuple[Window, ...]:
    """Return the file's table as a choice; a window of its reach begins where it is left."""
    if voi_lut is None:
        return ()
    reach = float(len(voi_lut.levels))
    return (
        Window(name="table of the file", center=voi_lut.first + reach / 2, width=reach, function="TABLE"),
    )


def of_file(windows: Sequence[Window], function: Literal["LINEAR", "SIGMOID"]) -> tuple[Window, ...]:
    """Return windows of a file bent as the file says."""
    return tuple(replace(window, function=function) for window in windows)
