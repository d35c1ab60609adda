"""What stands in for a value that is left out: always stated, never drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.types import Arrays

__all__ = ["TITLES", "rows"]

#: Name of a baseline to what it is, for people.
TITLES: dict[str, str] = {
    "background": "typical inputs that are stored with the model",
    "mean": "the mean of the typical inputs",
    "blur": "the same input, blurred",
    "zero": "zero: black in a picture, the isoelectric line of a signal",
}
# Of the blur, as a share of each axis: wide enough to take out every finding.
_BLUR = 0.1


def rows(name: str, inputs: Arrays, background: Arrays) -> Arrays:
    """Return the rows of a baseline, (m, ...) for each input.

    Parameters
    ----------
    name : str
        A key of `TITLES`. Inputs of one axis have neither a blur nor a meaningful zero: beside
        pictures and signals their mean is taken.
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)

    Raises
    ------
    ExplainerNotApplicable
        There is no such baseline, or it makes no sense for a table: the mean of category codes is no
        category.
    """
    if name not in TITLES:
        raise ExplainerNotApplicable(f"no such baseline; there are {', '.join(TITLES)}")
    if name == "background":
        return {key: background[key] for key in inputs}
    if all(values.ndim == 2 for values in inputs.values()):
        raise ExplainerNotApplicable(f"a table has no {name} baseline", hint="Take the background.")
    return {key: _row(name, values, background[key]) for key, values in inputs.items()}


def _row(name: str, values: NDArray[np.float32], background: NDArray[np.float32]) -> NDArray[np.float32]:
    if name == "mean" or values.ndim == 2:
        return np.asarray(background.mean(axis=0, keepdims=True, dtype=np.float64), np.float32)
    if name == "zero":
        return np.zeros_like(values)
    return _blurred(values)


def _blurred(values: NDArray[Any]) -> NDArray[np.float32]:
    spatial = values.shape[1:-1]
    sigma = (0.0, *(_BLUR * length for length in spatial), 0.0)
    return np.asarray(ndimage.gaussian_filter(values, sigma), np.float32)
