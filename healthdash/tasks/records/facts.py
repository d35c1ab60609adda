"""What the cards of the shipped table models say of their data, use and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from healthdash.bundles import DataSource

if TYPE_CHECKING:
    from .dataset import Dataset
    from .own_data import OwnData

__all__ = ["heart_facts", "own_table_facts", "readmission_facts"]

#: Findings that stay in the card when they were not remedied.
_KEPT = {
    "gives-the-answer", "nearly-gives-the-answer", "named-like-the-outcome", "follow-up-time",
    "missing-by-label", "groups-torn", "near-duplicates", "duplicates", "few-rows", "imbalance",
}  # fmt: skip


def heart_facts(data: Dataset) -> dict[str, Any]:
    """Return title, data, intended use and limits of the task heart-disease."""
    if data.site != "Cleveland":
        return _own_facts(data, "Heart disease from 13 findings (own data)")
    return {
        "title": "Heart disease from 13 findings (UCI Heart Disease)",
        "data": DataSource(
            name=f"UCI Heart Disease, {data.site}",
            source="doi:10.24432/C52P4X",
            licence="CC BY 4.0",
            citation="Janosi, Steinbrunn, Pfisterer, Detrano (1988); "
            "Detrano et al., Am J Cardiol 64:304 (1989)",
            rows=len(data),
            groups=len(np.unique(data.groups)),
        ),
        "intended_use": "Teaching and research on tables of patients: how a small network uses 13 findings "
        "of people who were sent to coronary angiography.",
        "limits": (
            "Patients of one clinic of the 1980s, all referred for angiography: disease is far more "
            "frequent among them than in general practice, and so are high estimates.",
            "Other hospitals differ: where the rows of another site were at hand, its figures stand beside "
            "the first site's.",
            "Copies of the files circulate in which gaps are written as 0. Impossible zeros are taken as "
            "missing, and so is ca = 0 beside an impossible slope or thal; other such zeros cannot be told "
            "apart.",
            "Some hospitals hardly ever record slope, ca and thal. Half of all values were hidden while "
            "training, so that the network can do without; the estimates are less certain then.",
            "There are few women in the data: figures for them are less certain.",
            "The settings were chosen by cross-validation on Cleveland, so its figures are a little "
            "flattering. The Hungarian figures were seen while settings were compared, but nothing was "
            "chosen by them.",
            "Logistic regression ranks the Cleveland rows at least as well: both figures are in the card.",
        ),
    }


def readmission_facts(data: Dataset) -> dict[str, Any]:
    """Return title, data, intended use and limits of the task readmission."""
    if data.site != "Diabetic data":
        return _own_facts(data, "Readmission within 30 days (own data)")
    return {
        "title": "Readmission within 30 days (Diabetes 130-US hospitals)",
        "data": DataSource(
            name=f"Diabetes 130-US hospitals 1999-2008, {len(data):,} of its 101,766 stays",
            source="doi:10.24432/C5230J",
            licence="CC BY 4.0",
            citation="Strack et al., BioMed Research International 2014, 781670",
            rows=len(data),
            groups=len(np.unique(data.groups)),
        ),
        "intended_use": "Teaching and research on tables of hospital stays: what administrative data can, "
        "and cannot, say about readmission.",
        "limits": (
            "The ranking is weak by nature: these columns hold little of why people come back. A far higher "
            "AUC on these data is a sign of a leak, such as one patient's rows on both sides of the split.",
            "Stays of 1999 to 2008 in the United States; drugs, codes and practice have changed since.",
            "Stays that ended in death or hospice are kept. They can hardly be followed by another; the "
            "model sees that in discharge_disposition_id, and the figures are a little better for it.",
            "encounter_id, patient_nbr and race are never an input; race is used to measure subgroups. "
            "Twelve drug columns that hardly anybody has are not used.",
            "The settings were compared beforehand on a random fifth of all patients, some of whom are among "
            "the test patients; leaving these out did not lower the test AUC.",
            "Earlier stays of a patient count only through number_inpatient, number_emergency and "
            "number_outpatient of the same row.",
        ),
    }


def own_table_facts(own: OwnData, data: Dataset) -> dict[str, Any]:
    """Return title, data, intended use and limits of a model of a user's own table."""
    question = own.question
    told = _own_facts(data, f"{question.target} from {len(question.fields)} columns (own data)")
    left = tuple(one.words for one in own.left if one.code in _KEPT)
    return told | {"limits": (*told["limits"], *left)}


def _own_facts(data: Dataset, title: str) -> dict[str, Any]:
    """Return what can be said of a table that a user brought."""
    is_synthetic = data.site.startswith("Synthetic")
    return {
        "title": title,
        "data": DataSource(
            name="synthetic rows from a random generator; a model trained on them is worth nothing"
            if is_synthetic
            else "a table of the user's",
            source="given for training",
            licence="not stated",
            rows=len(data),
            groups=len(np.unique(data.groups)),
        ),
        "intended_use": "Research and teaching by the person who brought the data.",
        "limits": (
            "Measured on parts of the same table only: other places and times may differ.",
            "Nobody but the person who brought the data knows how they were collected.",
        ),
    }
