"""Which patients a delineator learns from, which are watched, and which nothing is chosen on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import TooLittleData
from healthdash.training.splits import Split, split_by_group

from .limits import Annotated

__all__ = ["parted"]

#: Parts of the patients: seven tenths to train, one to watch, two to test.
_PARTS, _VALIDATION, _TEST = 10, 1, 2


def parted(recordings: Sequence[Annotated], seed: int) -> Split:
    """Split by patient; those without any P wave are dealt out evenly where there are ten or more.

    Raises
    ------
    TooLittleData
        There are fewer than ten patients.
    """
    patients = [one.patient for one in recordings]
    if len(set(patients)) < _PARTS:
        raise TooLittleData(
            f"expected recordings of at least {_PARTS} patients, got {len(set(patients))}",
            hint="Add recordings of other patients.",
        )
    without_p = np.array([not one.has_p_waves for one in recordings], np.int64)
    if min(without_p.sum(), len(without_p) - without_p.sum()) < _PARTS:
        return _dealt(np.asarray(patients), seed)
    return split_by_group(without_p, patients, seed=seed, validation=_VALIDATION, test=_TEST, parts=_PARTS)


def _dealt(patients: NDArray[np.str_], seed: int) -> Split:
    """Return a split without regard to P waves: patients in random order, cut by their number."""
    names = np.random.default_rng(seed).permutation(np.unique(patients))
    ends = np.rint(np.array([_TEST, _TEST + _VALIDATION]) * len(names) / _PARTS).astype(int)
    test, validation, train = (
        np.flatnonzero(np.isin(patients, part)).astype(np.int64) for part in np.split(names, ends)
    )
    return Split(train=train, validation=validation, test=test)
