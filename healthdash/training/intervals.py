"""95 % intervals of shares: how often something is so among rows that come in groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_shares", "share_interval", "wilson"]

_ENDS = (0.025, 0.975)
#: Draws of fewer groups than these tell too little of how much others differ: intervals come out too narrow.
_FEW_GROUPS = 20


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return the interval of a share of n rows that have nothing to do with one another.

    References
    ----------
    Wilson 1927, JASA 22:209.
    """
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def drawn_shares(
    hits: NDArray[Any], counts: NDArray[Any], *, seed: int = 0, draws: int = 1000
) -> NDArray[np.float64]:
    """Draw whole groups with replacement, and return the share in each draw.

    Parameters
    ----------
    hits, counts : (groups, k)
        Rows of each group in which it is so, and all its rows, for k shares that are drawn together.

    Returns
    -------
    float64 (draws, k)
        NaN where a draw has no rows.

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13; groups as the units: Davison &
    Hinkley 1997, Bootstrap Methods and their Application, section 3.8.
    """
    rng, groups = np.random.default_rng(seed), len(counts)
    both = np.concatenate([hits, counts], axis=1).astype(np.float64)
    sums = np.empty((draws, both.shape[1]))
    for draw in range(draws):
        sums[draw] = np.bincount(rng.integers(groups, size=groups), minlength=groups) @ both
    right, whole = np.split(sums, 2, axis=1)
    return np.where(whole > 0, right / np.maximum(whole, 1), np.nan)


def share_interval(drawn: NDArray[np.float64], share: float, groups: int) -> tuple[float, float]:
    """Return the percentile interval of a share from draws of its groups.

    Where every draw gives the share itself (all groups are right, none is, or there is one alone), draws
    say nothing of how sure it is: then it is the exact interval, groups taken as the trials. Of fewer than
    20 groups it reaches to the outer ends of both, so that a share with one error is never surer than one
    without.

    Parameters
    ----------
    drawn : float64 (draws,)
        NaN in draws without any rows.
    groups : int
        How many of them have rows.

    References
    ----------
    Clopper & Pearson 1934, Biometrika 26:404; of a share that is no whole number of trials: Korn & Graubard
    1998, Survey Methodology 24:193.
    """
    known = drawn[np.isfinite(drawn)]
    if np.ptp(known) <= 1e-12:
        return _exact(share, groups)
    low, high = (float(end) for end in np.quantile(known, _ENDS))
    if groups >= _FEW_GROUPS:
        return low, high
    exact_low, exact_high = _exact(share, groups)
    return min(low, exact_low), max(high, exact_high)


def _exact(share: float, n: int) -> tuple[float, float]:
    from scipy.stats import beta  # the first page must not wait for it

    hits = share * n
    low = float(beta.ppf(_ENDS[0], hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(_ENDS[1], hits + 1, n - hits)) if hits < n else 1.0
    return low, high
