"""Look-up tables of a DICOM header (PS3.3 C.11.1.1.1 and C.11.2.1.1), of any number of bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from healthdash.errors import UnreadableUpload

from .dicom_elements import numbers

__all__ = ["Table", "table_of"]

_MOST_ENTRIES = 1 << 16


@dataclass(frozen=True, slots=True)
class Table:
    """A table from values to entries.

    Attributes
    ----------
    first : int
        The value that the first entry is for; values below take it too, those beyond the last the last.
    entries : uint16 (n,)
    bits : int
        Of each entry: 2^bits - 1 is the largest.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """Look up each value."""
        places = np.clip(values.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        looked_up: NDArray[np.uint16] = self.entries[places]
        return looked_up


def table_of(item: Dataset, *, is_signed: bool) -> Table:
    """Return the table of a sequence item.

    Parameters
    ----------
    is_signed : bool
        Whether the values that go in may be negative (Pixel Representation 1).

    Raises
    ------
    UnreadableUpload
        The table is malformed.
    """
    described = [int(n) for n in numbers(item.get("LUTDescriptor"))]
    if len(described) != 3:
        raise _malformed()
    entries, first, bits = described[0] % _MOST_ENTRIES or _MOST_ENTRIES, described[1], described[2]
    if is_signed and first >= 1 << 15:  # written as unsigned
        first -= 1 << 16
    data = item.get("LUTData")
    if isinstance(data, bytes | bytearray):
        is_bytes = bits <= 8 and len(data) in (entries, entries + 1)
        held = np.frombuffer(bytes(data), np.uint8 if is_bytes else "<u2")[:entries]
    else:
        held = np.atleast_1d(np.asarray(data if data is not None else [], np.int64))[:entries] & 0xFFFF
    if len(held) < entries or not 1 <= bits <= 16:
        raise _malformed()
    # Some writers state 8 bits and use more, or the other way round (DICOM CP-467): the entries decide.
    largest = int(held.max())
    bits = max(bits, largest.bit_length())
    return Table(first, held.astype(np.uint16), bits)


def _malformed() -> UnreadableUpload:
    return UnreadableUpload(
        "expected a whole look-up table in the header, got a malformed one",
        hint="The file is damaged; export it again.",
    )
