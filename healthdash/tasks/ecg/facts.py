"""What the card says about the data and the use of a model of this task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from .sample import EcgSample

__all__ = ["INTENDED_USE", "data_of", "limits_of"]

INTENDED_USE = (
    "Research and education: labelling the beats of adult surface ECGs (one or two leads are used) as "
    "normal, supraventricular, ventricular, fusion or unknown, as ANSI/AAMI EC57 groups them. Not for "
    "clinical use."
)
_ANY_LIMITS = (
    "Beats are found by a detector first; a beat that it misses has no label, and a wave that it takes "
    "for a beat gets one.",
    "Ventricular flutter and fibrillation have no beats to label; the output there means nothing.",
    "The first beats and recordings below half a minute have too little rhythm around them.",
)
_DS1_LIMITS = (
    "Fusion and unknown beats are too rare in the training recordings to be recognised: expect them "
    "among N and V.",
    "Supraventricular beats are hardly told from normal ones where the rhythm is irregular throughout "
    "(atrial fibrillation), and beats with aberrant conduction look ventricular.",
    "Paced rhythms and children were not in the training recordings.",
    "The inputs and settings of the network were chosen while looking at these same left-out recordings, "
    "which flatters the figures; with only 22 people their intervals are wide.",
    "The figures are of the networks that did not see a recording; the shipped network is the mean of all of "
    "them, which was itself not measured on unseen recordings.",
)
_OWN_LIMITS = (
    "Trained on recordings that this project has never seen: whose they are is known to the person who "
    "brought them alone.",
)
# Beats that come out of the training records of Moody & Mark; see the record names of de Chazal's DS1.
_DS1_RECORDS, _DS1_RATE_HZ = 22, 360.0


def limits_of(samples: Sequence[EcgSample], silent: int = 0) -> tuple[str, ...]:
    """Return what a model of these recordings cannot do.

    Parameters
    ----------
    silent : int
        Recordings beside them in which no beat was found.
    """
    known = (*_ANY_LIMITS, *(_DS1_LIMITS if _is_ds1(samples) else _OWN_LIMITS))
    told = f"Recordings without a found beat, not trained on, whose beats all count as missed: {silent}."
    return (*known, told) if silent else known


def _is_ds1(samples: Sequence[EcgSample]) -> bool:
    return len(samples) == _DS1_RECORDS and all(s.rate_hz == _DS1_RATE_HZ for s in samples)


def data_of(samples: Sequence[EcgSample]) -> dict[str, str]:
    """Return name, source, licence and citation of the training data."""
    if all(PurePath(sample.source).name.startswith("synthetic-") for sample in samples):
        return {
            "name": "Synthetic recordings of a dynamical model; a model trained on them is worth nothing",
            "source": "given for training",
            "licence": "not stated",
        }
    if not _is_ds1(samples):
        return {"name": "Own recordings", "source": "uploaded by the user", "licence": "unknown"}
    return {
        "name": "MIT-BIH Arrhythmia Database 1.0.0, the 22 training records (DS1) of de Chazal et al. 2004",
        "source": "PhysioNet, doi 10.13026/C2F305",
        "licence": "ODC-By 1.0",
        "citation": (
            "Moody GB, Mark RG, IEEE Eng Med Biol 20(3):45-50 (2001); Goldberger et al., "
            "Circulation 101:e215 (2000); split: de Chazal P et al., IEEE Trans Biomed Eng 51:1196 (2004)"
        ),
    }
