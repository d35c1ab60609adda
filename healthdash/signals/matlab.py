"""Arrays of MATLAB as the PhysioNet challenges hand them out: one matrix `val`, a row a lead.

Only a matrix of numbers is loaded, by its name; objects and cells are never. A file beside its WFDB header is
read through the header, which knows rate, gain and leads; alone, it says neither rate nor unit.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.task import Upload

from .entered import rate_taken, unit_taken
from .leads import tidy_unit
from .limits import checked_rate, checked_size
from .recording import Recording, channels_of

__all__ = ["is_matlab", "read_matlab"]

_VERSION_5 = b"MATLAB 5.0 MAT-file"
_VERSION_7_3 = b"MATLAB 7.3 MAT-file"
_NUMBERS = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
_USUAL = ("val", "ecg", "data", "signal")
# Of a matrix of version 4: type, rows, columns, imaginary part, length of the name.
_VERSION_4 = struct.Struct("<5i")
_BYTES_4 = (8, 4, 4, 2, 2, 1)


def is_matlab(data: bytes) -> bool:
    """Say whether bytes begin like a file of MATLAB 5 to 7.3, or one matrix of MATLAB 4."""
    return data.startswith((_VERSION_5, _VERSION_7_3)) or _is_version_4(data)


def _is_version_4(data: bytes) -> bool:
    """Look whether the first matrix fits the file, as version 4 has no mark."""
    if len(data) < _VERSION_4.size:
        return False
    kind, rows, columns, imaginary, name = _VERSION_4.unpack_from(data)
    if kind % 10 or kind // 10 >= len(_BYTES_4) or kind < 0 or imaginary not in (0, 1) or not 1 < name < 64:
        return False
    if rows < 1 or columns < 1 or data[_VERSION_4.size + name - 1 : _VERSION_4.size + name] != b"\0":
        return False
    return bool(_VERSION_4.size + name + rows * columns * _BYTES_4[kind // 10] <= len(data))


def read_matlab(uploads: Sequence[Upload]) -> Recording:
    """Read the matrix of a file; `hints` must say its rate and its unit.

    Raises
    ------
    UnreadableUpload
        It is damaged, or of version 7.3.
    InvalidInput
        There is no matrix of numbers, or nobody says its rate and its unit.
    """
    upload = uploads[0]
    if upload.data.startswith(_VERSION_7_3):
        raise UnreadableUpload(
            "expected an array of MATLAB 4 to 7, got version 7.3", hint="Save it with the option -v7."
        )
    matrix = _matrix(upload.data)
    hinted_rate, hinted_unit = upload.hints.get("rate_hz"), upload.hints.get("unit")
    problems = []
    if hinted_rate is None:
        problems.append("the MATLAB array does not say its sampling rate")
    if hinted_unit is None:
        problems.append("the MATLAB array does not say its unit")
    if hinted_rate is None or hinted_unit is None:
        raise InvalidInput(
            problems, hint="Upload the header (.hea) that came with it, or enter the rate and the unit."
        )
    rows = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    names = [f"lead {n + 1}" for n in range(len(rows))]
    rate_hz, unit = checked_rate(float(hinted_rate)), tidy_unit(str(hinted_unit))
    return Recording(
        format="MATLAB array",
        channels=channels_of(names, [unit] * len(rows), rate_hz, list(rows.astype(np.float32))),
        stored_dtype=str(matrix.dtype),
        calibration="the values are in the unit that was entered",
        notices=(rate_taken(rate_hz), unit_taken(unit)),
        unit_stated=True,
    )


def _matrix(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Return the matrix named as usual, else the only one of numbers (2 dimensions)."""
    from scipy.io import loadmat, whosmat

    try:
        listed = whosmat(io.BytesIO(data))
        usable = {n: s for n, s, kind in listed if kind in _NUMBERS and len(s) == 2 and max(s, default=0) > 1}
        name = next(
            (n for n in _USUAL if n in usable), next(iter(usable), None) if len(usable) == 1 else None
        )
        if name is None:
            raise InvalidInput(
                "expected one matrix of numbers (val) in the MATLAB file, got none or several",
                hint="Save one matrix, a row a lead.",
            )
        checked_size(max(usable[name]), min(usable[name]))
        found = np.asarray(loadmat(io.BytesIO(data), variable_names=[name])[name])
    except InvalidInput:
        raise
    except Exception as error:  # scipy raises nearly every built-in error on damaged files
        raise UnreadableUpload("the MATLAB file is damaged or cut off", hint="Save it again.") from error
    if found.dtype.kind not in "iuf" or found.ndim != 2:
        raise UnreadableUpload(
            "expected real numbers in the MATLAB file, got something else",
            hint="Save one matrix of real numbers, a row a lead.",
        )
    return found
