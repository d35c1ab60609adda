"""The `.keras` archive of a bundle: its files, its configuration and its weights, before Keras opens it."""

from __future__ import annotations

from pathlib import Path

from healthdash.errors import RefusedModel

from . import configuration, container, weights

__all__ = ["check", "check_configuration"]

_MIB = 1 << 20
_FILES = {"metadata.json": _MIB, "config.json": 16 * _MIB, "model.weights.h5": 256 * _MIB}
#: Bytes of the smallest number that weights are stored in (float16).
_SMALLEST = 2
_WHOLE = "the network"


def check_configuration(content: bytes) -> bytes:
    """Check the archive and the configuration, and return the weights unread.

    Nothing here is done by the HDF5 library, which is written in C and has had its holes.

    Raises
    ------
    RefusedModel
        By the name of the reason: see `container.members` and `configuration.check`.
    """
    files = container.members(content, _FILES, _WHOLE)
    stored = files["model.weights.h5"]
    if stored[:8] != b"\x89HDF\r\n\x1a\n":
        raise RefusedModel("damaged weights", "the weights are no HDF5 file")
    configuration.check(files["config.json"], len(stored) // _SMALLEST)
    return stored


def check(path: Path, *, values: bool = False) -> int:
    """Check a `.keras` file wholly, and return how many numbers its weights are.

    Parameters
    ----------
    values : bool
        Also read every number and refuse those that are not finite.

    Raises
    ------
    RefusedModel
        Something in it is not what Keras writes of the layers that are allowed.
    """
    return weights.check(check_configuration(path.read_bytes()), values=values)
