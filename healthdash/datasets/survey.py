"""What every file of a set holds: one pass over the files, one in memory at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .steps import Fault

__all__ = ["OnProgress", "Survey"]

#: Told the share of the files that were looked at, 0 to 1.
OnProgress = Callable[[float], object]


@dataclass(frozen=True, eq=False)
class Survey:
    """What the files of a listing hold, in the order of `Listing.files`.

    Attributes
    ----------
    unit : str
        What a file is, for people: "picture", "recording".
    reasons : str (n,)
        Why a file cannot be used; "" where it can.
    contents : str (n,)
        Equal for files that hold the same values, whatever their format; "" where unreadable.
    signatures : float32 (n, d)
        Of mean 0 and length 1, so that their products are correlations; zeros where there is none.
    alike : float
        Correlation of signatures from which two files are nearly the same.
    traits : DataFrame of str (n rows)
        How a file was made and what can be said of it without looking: size, format, brightness, rate.
    statistics : float32 (n, m)
        Simple figures that together may tell labels apart.
    faults : dict of bool (n,)
        Files with other faults.
    identifying : dict of int
        Header entries that name a person, with the number of files that have them.
    leads : tuple of tuples of str, n or none
        Of each recording.
    hints : dict of str
        What to do about a reason, where its reader knows.
    """

    unit: str
    reasons: NDArray[np.str_]
    contents: NDArray[np.str_]
    signatures: NDArray[np.float32]
    alike: float
    traits: pd.DataFrame
    statistics: NDArray[np.float32]
    faults: Mapping[Fault, NDArray[np.bool_]] = field(default_factory=dict)
    identifying: Mapping[str, int] = field(default_factory=dict)
    leads: tuple[tuple[str, ...], ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)

    @property
    def usual_reason(self) -> str:
        """The commonest reason where no file can be used; "" where one can."""
        counted = Counter(map(str, self.reasons))
        return "" if "" in counted or not counted else counted.most_common(1)[0][0]

    @property
    def is_readable(self) -> NDArray[np.bool_]:
        """Which files can be used, (n,)."""
        return np.asarray(self.reasons == "", bool)
