"""Where each lead of a trace lies on its sheet: lanes, one below the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.ui.scales import ticked
from healthdash.views import Trace

__all__ = ["Lanes"]

_MV_PER = {"mV": 1.0, "uV": 0.001, "µV": 0.001, "V": 1000.0}
#: Part of a lane that has ticks: those of two lanes never touch.
_TICKED = 0.9
_MOST_TICKS = 4


class Lanes:
    """Where each lead lies: lanes from top to bottom, as high as the signal in them."""

    def __init__(self, view: Trace, stretch: NDArray[np.float32]) -> None:
        self.is_paper = view.paper and view.unit in _MV_PER
        self.factor = _MV_PER[view.unit] if self.is_paper else 1.0
        # In float32 a lane around 300 mV that is 2 nV high has no height at all.
        scaled = np.nan_to_num(stretch).astype(np.float64) * self.factor
        self.center = np.median(scaled, axis=0) if len(scaled) else np.zeros(len(view.leads))
        spread = np.abs(scaled - self.center).max() if scaled.size else 1.0
        least, most = (0.75, 2.5) if self.is_paper else (1e-6, np.inf)
        half = float(np.clip(spread * 1.15, least, most))
        self.half = np.ceil(half * 2) / 2 if self.is_paper else half
        self.count = len(view.leads)

    def place(self, lead: int, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the values of a lead (in the view's unit) at their height on the sheet."""
        return np.asarray(values * self.factor - self.center[lead] + self.base(lead), np.float64)

    def base(self, lead: int) -> float:
        """Return the height of a lead's middle."""
        return float(2 * self.half * (self.count - 1 - lead))

    @property
    def range(self) -> tuple[float, float]:
        """Return the lowest and highest height of the sheet."""
        return -self.half, self.base(0) + self.half

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return heights on the sheet, and the value (in the view's unit) that the lead there has at each."""
        heights, words = [], []
        for lead in range(self.count):
            middle, reach = self.center[lead] / self.factor, _TICKED * self.half / self.factor
            values = ticked(middle - reach, middle + reach, _MOST_TICKS)
            heights += self.place(lead, values).tolist()
            words += [f"{value:g}" for value in values]
        return heights, words
