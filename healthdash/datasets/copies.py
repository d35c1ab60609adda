"""Files that are the same, or nearly so."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_of", "joined", "near_pairs"]

Numbers = NDArray[np.int64]
_CHUNK = 1024
#: Comparing all pairs costs the square of this; of more files a part is compared, and that is told.
MOST_COMPARED = 20_000


def first_of(contents: NDArray[np.str_]) -> Numbers:
    """Return the number of the first file with the same content as each, (n,); "" is like nothing."""
    first: dict[str, int] = {}
    numbers = [
        number if not one else first.setdefault(str(one), number) for number, one in enumerate(contents)
    ]
    return np.asarray(numbers, np.int64)


def near_pairs(signatures: NDArray[np.float32], least: float) -> NDArray[np.int64]:
    """Return pairs of files that are nearly the same, int64 (k, 2), the smaller number first.

    Parameters
    ----------
    signatures : float32 (n, d)
        Of mean 0 and length 1; zeros are like nothing. Of more than 20,000 the first are compared.
    least : float
        Correlation from which two are nearly the same.
    """
    some = signatures[:MOST_COMPARED]
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(some), _CHUNK):
        # Each pair is met once: a block is compared with itself and with those after it.
        rows, columns = np.nonzero(some[start : start + _CHUNK] @ some[start:].T >= least)
        pairs = np.stack([rows + start, columns + start], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def joined(groups: NDArray[np.str_], pairs: Iterable[tuple[int, int]]) -> NDArray[np.str_]:
    """Return the groups (n,) after those of each pair became one."""
    names, codes = np.unique(groups, return_inverse=True)
    root = np.arange(len(names))

    def top(code: int) -> int:
        while root[code] != code:
            root[code] = root[root[code]]
            code = int(root[code])
        return code

    for one, other in pairs:
        a, b = sorted((top(int(codes[one])), top(int(codes[other]))))
        root[b] = a
    tops = np.asarray([top(code) for code in range(len(names))])
    return np.asarray(names[tops[codes]], np.str_)
