"""What the card says about the data and the use of a delineation network."""

from __future__ import annotations

from collections.abc import Sequence

from .limits import Annotated

__all__ = ["INTENDED_USE", "data_of", "limits_of"]

INTENDED_USE = (
    "Research and education: where P waves, QRS complexes and T waves begin and end in adult surface ECGs, "
    "lead by lead, and the intervals that follow. Not for clinical use."
)
_ANY_LIMITS = (
    "The output of a window is the share of its middle two seconds that lies in each wave, not the chance of "
    "a finding; it is not calibrated.",
    "Of recordings of more than ten minutes one lead is delineated.",
    "In ventricular flutter and fibrillation there are no waves; what is found there means nothing.",
    "U waves, delta waves and pacing spikes have no label of their own.",
)
_LUDB_LIMITS = (
    "Trained on 112 people of one region and one recorder, ten seconds each; few are paced or have no P "
    "waves, and children are rare.",
    "Limits are those of one team of cardiologists; readers differ from each other, most at the end of T.",
    "Every lead was annotated by itself, so that a wave may be marked in one lead and not in another.",
)
_OWN_LIMITS = (
    "Trained on recordings that this project has never seen: whose they are is known to the person who "
    "brought them alone.",
)
_LUDB_RATE_HZ, _LUDB_LEADS, _LUDB_FEWEST = 500.0, 12, 100


def limits_of(recordings: Sequence[Annotated]) -> tuple[str, ...]:
    """Return what a model of these recordings cannot do."""
    return (*_ANY_LIMITS, *(_LUDB_LIMITS if _is_ludb(recordings) else _OWN_LIMITS))


def _is_ludb(recordings: Sequence[Annotated]) -> bool:
    return len(recordings) >= _LUDB_FEWEST and all(
        one.sample.rate_hz == _LUDB_RATE_HZ and len(one.limits) == _LUDB_LEADS for one in recordings
    )


def data_of(recordings: Sequence[Annotated]) -> dict[str, str]:
    """Return name, source, licence and citation of the training data."""
    if all(one.patient.startswith("synthetic-") for one in recordings):
        return {
            "name": "Synthetic recordings of drawn waves; a model trained on them is worth nothing",
            "source": "given for training",
            "licence": "not stated",
        }
    if not _is_ludb(recordings):
        return {"name": "Own recordings", "source": "uploaded by the user", "licence": "unknown"}
    return {
        "name": f"Lobachevsky University Database (LUDB) 1.0.1, {len(recordings)} of its 200 patients",
        "source": "PhysioNet, doi 10.13026/eegm-h675",
        "licence": "ODC-By 1.0",
        "citation": (
            "Kalyakulina AI et al., IEEE Access 8:186181 (2020); "
            "Goldberger et al., Circulation 101:e215 (2000)"
        ),
    }
