"""The task readmission: a hospital stay of a person with diabetes, back within 30 days or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput
from healthdash.fhir import looks_like_fhir, read_stays
from healthdash.fields import CategoryField, Field, NumberField
from healthdash.tables.layout import TextTable
from healthdash.task import Example
from healthdash.training import TrainSettings
from healthdash.training.history import EpochRow

from .samples import readmission_examples, readmission_training_set
from .task import RecordsTask

if TYPE_CHECKING:
    from healthdash.training.evaluation import Evaluation

    from .dataset import Dataset
    from .recipe import Recipe

__all__ = ["Readmission"]

TARGET = "readmitted"
GROUP = "patient_nbr"
LABELS = {
    "not-within-30-days": "Not admitted again, or only after more than 30 days.",
    "within-30-days": "Admitted again within 30 days of discharge.",
}

_BANDS = {f"[{low}-{low + 10})": f"{low} to {low + 9}" for low in range(0, 100, 10)}
_WEIGHTS = {f"[{low}-{low + 25})": f"{low} to {low + 24} kg" for low in range(0, 200, 25)} | {
    ">200": "over 200 kg"
}
_DOSES = {"No": "not prescribed", "Steady": "same dose", "Up": "dose raised", "Down": "dose lowered"}

#: Meanings of the three numbered columns: IDs_mapping.csv of the data set, UCI doi:10.24432/C5230J.
_ADMISSION_TYPES = {
    "1": "emergency",
    "2": "urgent",
    "3": "elective",
    "4": "newborn",
    "5": "not available",
    "6": "not recorded",
    "7": "trauma center",
    "8": "not mapped",
}
_DISCHARGES = {
    "1": "home",
    "2": "another short-term hospital",
    "3": "skilled nursing facility",
    "4": "intermediate care facility",
    "5": "another inpatient institution",
    "6": "home with home health service",
    "7": "left against medical advice",
    "8": "home with intravenous therapy provider",
    "9": "admitted as inpatient to this hospital",
    "10": "neonate to another hospital",
    "11": "died",
    "12": "still a patient, or outpatient services expected",
    "13": "hospice, at home",
    "14": "hospice, medical facility",
    "15": "swing bed in this institution",
    "16": "another institution for outpatient services",
    "17": "this institution for outpatient services",
    "18": "not recorded",
    "19": "died at home (hospice)",
    "20": "died in a medical facility (hospice)",
    "21": "died, place unknown (hospice)",
    "22": "rehabilitation facility",
    "23": "long-term care hospital",
    "24": "nursing facility (Medicaid)",
    "25": "not mapped",
    "26": "unknown",
    "27": "federal health care facility",
    "28": "psychiatric hospital",
    "29": "critical access hospital",
    "30": "another health care institution",
}
#: Deaths, hospices and gaps: an answer to "what would be enough" that nobody should read.
_NO_WAY_HOME = ("11", "13", "14", "18", "19", "20", "21", "25", "26")
_SOURCES = {
    "1": "physician referral",
    "2": "clinic referral",
    "3": "HMO referral",
    "4": "another hospital",
    "5": "skilled nursing facility",
    "6": "another health care facility",
    "7": "emergency room",
    "8": "court or police",
    "9": "not available",
    "10": "critical access hospital",
    "11": "normal delivery",
    "12": "premature delivery",
    "13": "sick baby",
    "14": "born elsewhere",
    "15": "not available (15)",
    "17": "not recorded",
    "18": "another home health agency",
    "19": "readmitted to the same home health agency",
    "20": "not mapped",
    "21": "unknown",
    "22": "another unit of the same hospital",
    "23": "born in this hospital",
    "24": "born outside this hospital",
    "25": "ambulatory surgery center",
    "26": "hospice",
}


def _count(name: str, label: str, high: float, default: float, description: str = "") -> NumberField:
    return NumberField(name=name, label=label, low=0, high=high, default=default, description=description)


def _text(name: str, label: str, description: str) -> Field:
    return Field(name=name, label=label, description=description)


def _choice(
    name: str, label: str, choices: dict[str, str], default: str | None, description: str = ""
) -> CategoryField:
    return CategoryField(name=name, label=label, choices=choices, default=default, description=description)


def _drug(name: str, default: str = "No") -> CategoryField:
    return _choice(name, name.capitalize(), _DOSES, default, "Change of the dose during the stay.")


def _diagnosis(number: int, rank: str) -> Field:
    text = "ICD-9-CM code, such as 428 or 250.83; grouped by category and chapter."
    return _text(f"diag_{number}", f"{rank} diagnosis", text)


_DRUGS = (
    *(_drug(name) for name in ("metformin", "repaglinide", "nateglinide", "glimepiride", "glipizide")),
    *(_drug(name) for name in ("glyburide", "pioglitazone", "rosiglitazone", "acarbose")),
    _drug("insulin", "Steady"),
    _drug("glyburide-metformin"),
)

# What was so before the stay: no decision during it can change these.
_GIVEN = {
    "gender", "age", "admission_type_id", "admission_source_id", "payer_code", "medical_specialty",
    "number_outpatient", "number_emergency", "number_inpatient", "number_diagnoses", "diag_1", "diag_2",
    "diag_3",
}  # fmt: skip
_FIELDS: tuple[Field, ...] = (
    _choice("gender", "Gender", {"Female": "female", "Male": "male"}, "Female"),
    _choice("age", "Age", _BANDS, "[70-80)", "In bands of ten years, as published."),
    _choice("weight", "Weight", _WEIGHTS, None, "In bands of 25 kg as published; missing in 97 % of stays."),
    _choice("admission_type_id", "Kind of admission", _ADMISSION_TYPES, "1"),
    CategoryField(
        name="discharge_disposition_id",
        label="Discharged to",
        choices=_DISCHARGES,
        default="1",
        not_proposed=_NO_WAY_HOME,
    ),
    _choice("admission_source_id", "Admitted from", _SOURCES, "7"),
    NumberField(name="time_in_hospital", label="Stay", unit="days", low=0, high=400, default=4),
    _text("payer_code", "Payer", "Code of the data set, such as MC (Medicare) or BC (Blue Cross)."),
    _text("medical_specialty", "Specialty", "Of the admitting physician, such as InternalMedicine."),
    _count("num_lab_procedures", "Laboratory tests", 1000, 44, "During the stay."),
    _count("num_procedures", "Other procedures", 100, 1, "During the stay, other than laboratory tests."),
    _count("num_medications", "Medications", 500, 15, "Distinct generic names given during the stay."),
    _count("number_outpatient", "Outpatient visits", 1000, 0, "In the year before the stay."),
    _count("number_emergency", "Emergency visits", 1000, 0, "In the year before the stay."),
    _count("number_inpatient", "Hospital stays", 1000, 1, "In the year before this stay."),
    _diagnosis(1, "First"),
    _diagnosis(2, "Second"),
    _diagnosis(3, "Third"),
    _count("number_diagnoses", "Diagnoses", 100, 8, "Entered for the stay."),
    _choice(
        "max_glu_serum",
        "Glucose in serum",
        {"None": "not measured", "Norm": "normal", ">200": "above 200 mg/dl", ">300": "above 300 mg/dl"},
        "None",
    ),
    _choice(
        "A1Cresult",
        "HbA1c",
        {"None": "not measured", "Norm": "below 7 %", ">7": "above 7 %", ">8": "above 8 %"},
        "None",
    ),
    *_DRUGS,
    _choice("change", "Diabetes drugs changed", {"No": "no", "Ch": "yes"}, "No"),
    _choice("diabetesMed", "Diabetes drugs given", {"No": "no", "Yes": "yes"}, "Yes"),
)

#: Twelve drug columns of the published 23 are left out: fewer than 1 stay in 1,000 has another value than
#: "No". `race` may be there, but is no input: it is only used to measure subgroups.
FIELDS = tuple(replace(field, is_mutable=field.name not in _GIVEN) for field in _FIELDS)

SUBGROUP_FIELDS: tuple[Field, ...] = (
    Field(name="race", label="Race", required=False, description="No input; for subgroups only."),
)

#: Visit counts are long-tailed: most are 0, the largest above 60.
_LONG_TAILED = ("number_outpatient", "number_emergency", "number_inpatient")


def _column(field: Field) -> dict[str, object]:
    if isinstance(field, NumberField):
        return {"name": field.name, "kind": "number", "log": field.name in _LONG_TAILED}
    if field.name == "age":
        return {"name": field.name, "kind": "number", "bands": True}
    return {"name": field.name, "kind": "category", "icd9": field.name.startswith("diag_")}


COLUMNS = tuple(_column(field) for field in FIELDS)


#: Columns that say much the same, which share one another's part when each plays alone.
COLUMN_GROUPS = {
    "stays and visits of the year before": _LONG_TAILED,
    "diagnoses": ("diag_1", "diag_2", "diag_3", "number_diagnoses"),
    "admission": ("admission_type_id", "admission_source_id", "medical_specialty", "payer_code"),
    "procedures and tests": ("num_lab_procedures", "num_procedures", "num_medications"),
    "glucose and HbA1c": ("max_glu_serum", "A1Cresult"),
    "diabetes drugs": (*(field.name for field in _DRUGS), "change", "diabetesMed"),
}


class Readmission(RecordsTask):
    """Hospital readmission within 30 days of people with diabetes."""

    slug = "readmission"
    title = "Readmission"
    summary = "A table of hospital stays with diabetes in, the chance of readmission within 30 days out."
    labels = LABELS
    fields = FIELDS
    columns = COLUMNS
    column_groups = COLUMN_GROUPS
    target = TARGET
    group_column = GROUP
    subgroup_fields = SUBGROUP_FIELDS
    #: The network learnt from rows with nearly all values. Of 2,000 published stays (11 % came back) it gave
    #: 0.11 on average as they are, 0.21 without diagnoses, drugs, payer and specialty (17 of 34 fields; AUC
    #: 0.74 and 0.64): what a record of FHIR cannot tell. Published rows are without 3 to 6.
    most_gaps = 0.25

    def parsed(self, data: bytes, before: str = "") -> TextTable:
        """Parse a table, or of a record of FHIR every finished hospital stay as a row."""
        return read_stays(data, before) if looks_like_fhir(data) else self.raw_text(data)

    def truth(self, target: pd.Series) -> NDArray[np.int64]:
        """Return 1 where readmitted within 30 days ("<30")."""
        text = target.str.strip().str.upper()
        if not text.isin(["<30", ">30", "NO"]).all():
            raise InvalidInput(
                "column readmitted: expected <30, >30 or NO in every row", hint="As published."
            )
        return np.asarray(text == "<30", np.int64)

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that the recipe takes: validation rows end the training."""
        return super().heeded(settings) | {"patience"}

    def train(
        self, dataset: Dataset, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        """Train, stop, calibrate and test on different patients."""
        from .recipe import train_by_split

        return train_by_split(self, dataset, settings, out, on_epoch, _recipe(settings))

    def measured_again(self, bundle: Bundle, dataset: Dataset) -> Evaluation:
        """Measure the test stays again."""
        from .recipe import measured_again

        return measured_again(self, dataset, bundle)

    def examples(self) -> tuple[Example, ...]:
        """Return two invented stays and a table of 20 drawn ones."""
        return readmission_examples(self.fields)

    def training_examples(self) -> tuple[Example, ...]:
        """Return a table of drawn stays with the outcome."""
        return (readmission_training_set(self.fields, self.target, GROUP),)


def _recipe(settings: TrainSettings) -> Recipe:
    from .facts import readmission_facts
    from .fit import Plan
    from .network import Shape
    from .recipe import Recipe

    return Recipe(
        shape=Shape(members=settings.members or 8, hidden=(32,), embedding=8, dropout=0.3),
        plan=Plan(epochs=8, batch_size=256, learning_rate=0.006, weight_decay=0.05),
        rarest=100,
        background=80,
        facts=readmission_facts,
    )
