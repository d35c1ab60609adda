"""A folder of annotated WFDB records as a labelled data set."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from healthdash.errors import InputError, TooLittleData
from healthdash.task import Upload

from . import read
from .sample import EcgSample

__all__ = ["check_enough", "load", "parted"]

_log = logging.getLogger(__name__)
_FEWEST_RECORDS = 4
_ENDINGS = {".hea", ".dat", ".atr", ".mat"}


def load(folder: Path) -> list[EcgSample]:
    """Read every annotated record below a folder, in order of its name.

    Raises
    ------
    TooLittleData
        No record has an annotation file (.atr) with beats.
    """
    if not folder.is_dir():
        raise InputError("expected a folder of WFDB records", hint="Name the folder, or upload it as a zip.")
    found = []
    for header in sorted(folder.rglob("*.hea")):
        files = [p for p in sorted(header.parent.glob(f"{header.stem}.*")) if p.suffix in _ENDINGS]
        if not any(p.suffix == ".atr" for p in files):
            continue
        uploads = [Upload.from_path(p) for p in [header, *(p for p in files if p != header)]]
        sample = read.read(uploads)
        if sample.annotation is not None and len(sample.annotation.samples):
            found.append(sample)
    if not found:
        raise TooLittleData(
            "expected WFDB records with beat annotations (.hea, .dat and .atr), found none",
            hint="Put the three files of each record in one folder.",
        )
    return found


def parted(samples: Sequence[EcgSample]) -> tuple[dict[int, EcgSample], dict[int, EcgSample]]:
    """Part recordings by their number: those in which the detector finds beats, and the others."""
    heard = {number: sample for number, sample in enumerate(samples) if len(sample.beats)}
    silent = {number: sample for number, sample in enumerate(samples) if number not in heard}
    if silent:
        _log.warning("recordings left out of the training, as no beat is found in them: %d", len(silent))
    return heard, silent


def check_enough(samples: list[EcgSample]) -> None:
    """Raise `TooLittleData` when the records are too few to train on some and test on others."""
    if len(samples) < _FEWEST_RECORDS:
        raise TooLittleData(
            f"expected at least {_FEWEST_RECORDS} annotated records with beats to find, got {len(samples)}",
            hint="Add records of other patients.",
        )
