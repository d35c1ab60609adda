"""The task heart-disease: the 13 UCI columns, coronary disease present or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput
from healthdash.fields import CategoryField, Field, NumberField
from healthdash.tables.coding import CodingQuestion
from healthdash.tables.mapped import Mapped
from healthdash.task import Example
from healthdash.training import TrainSettings
from healthdash.training.history import EpochRow

from .columns import to_numbers
from .foreign_samples import chinese_table, fhir_record
from .heart_codings import question
from .samples import heart_examples, heart_training_set
from .task import RecordsTask, TextColumns

if TYPE_CHECKING:
    from .dataset import Dataset
    from .recipe import Recipe

__all__ = ["HeartDisease"]

TARGET = "num"
LABELS = {
    "absent": "No coronary artery narrowed by 50 % or more at angiography (num = 0).",
    "present": "At least one coronary artery narrowed by 50 % or more at angiography (num > 0).",
}
_YES_NO = {"0": "no", "1": "yes"}

#: Meanings and codes: `heart-disease.names`, UCI, doi:10.24432/C52P4X. The limits are wide bounds of
#: what can be measured in a living adult; they only catch typing errors and other units.
FIELDS: tuple[Field, ...] = (
    NumberField(name="age", label="Age", unit="years", low=1, high=120, default=54, direction="up"),
    CategoryField(
        name="sex", label="Sex", choices={"0": "female", "1": "male"}, default="1", is_mutable=False
    ),
    CategoryField(
        name="cp",
        label="Chest pain",
        choices={
            "1": "typical angina",
            "2": "atypical angina",
            "3": "non-anginal pain",
            "4": "asymptomatic",
        },
        default="3",
    ),
    NumberField(
        name="trestbps",
        label="Resting blood pressure",
        description="Systolic, on admission.",
        unit="mmHg",
        low=40,
        high=300,
        default=130,
    ),
    NumberField(name="chol", label="Serum cholesterol", unit="mg/dl", low=40, high=1000, default=240),
    CategoryField(name="fbs", label="Fasting blood sugar above 120 mg/dl", choices=_YES_NO, default="0"),
    CategoryField(
        name="restecg",
        label="Resting ECG",
        choices={"0": "normal", "1": "ST-T wave abnormality", "2": "left ventricular hypertrophy (Estes)"},
        default="0",
    ),
    NumberField(
        name="thalach", label="Highest heart rate reached", unit="beats/min", low=30, high=250, default=150
    ),
    CategoryField(name="exang", label="Angina during exercise", choices=_YES_NO, default="0"),
    NumberField(
        name="oldpeak",
        label="ST depression by exercise",
        description="Relative to rest.",
        unit="mm",
        low=-10,
        high=15,
        default=1.0,
        step=0.1,
    ),
    CategoryField(
        name="slope",
        label="Slope of the ST segment at peak exercise",
        choices={"1": "upsloping", "2": "flat", "3": "downsloping"},
        default="2",
    ),
    NumberField(
        name="ca",
        label="Major vessels coloured by fluoroscopy",
        description="0 to 3.",
        low=0,
        high=4,
        default=0,
    ),
    CategoryField(
        name="thal",
        label="Thallium scan",
        choices={"3": "normal", "6": "fixed defect", "7": "reversible defect"},
        default="3",
    ),
)

#: The published files have no header line; with or without the target as the last column.
PUBLISHED_ORDER = tuple(field.name for field in FIELDS)

COLUMNS = tuple(
    {"name": field.name, "kind": "number" if isinstance(field, NumberField) else "category"}
    for field in FIELDS
)

#: Columns that say much the same, which share one another's part when each plays alone.
COLUMN_GROUPS = {
    "exercise test": ("thalach", "exang", "oldpeak", "slope"),
    "blood": ("chol", "fbs"),
    "age and sex": ("age", "sex"),
    "vessels and scan": ("ca", "thal"),
}

#: A living patient has none of these at 0, and the codes slope 0 and thal 0 do not exist.
_NEVER_ZERO = ("trestbps", "chol", "thalach", "slope", "thal")


def gaps_written_as_zero(columns: TextColumns) -> tuple[TextColumns, tuple[str, ...]]:
    """Take the zeros that stand for "not measured" as gaps.

    Copies of these files circulate in which every "?" was replaced by 0. A blood pressure,
    cholesterol or heart rate of 0 is impossible, and so are the codes slope 0 and thal 0;
    in a row with one of those codes a `ca` of 0 cannot be told from a gap and counts as one.

    Returns
    -------
    dict of str to Series of str, tuple of str
        The columns with "" for such zeros, and a notice where there were some.
    """
    zero = {name: text.str.fullmatch(r"0+(?:[.,]0*)?") for name, text in columns.items()}
    gaps = {name: zero[name] for name in _NEVER_ZERO if name in columns}
    codes = [zero[name] for name in ("slope", "thal") if name in columns]
    if "ca" in columns and codes:
        gaps["ca"] = zero["ca"] & (codes[0] | codes[-1])
    mended = {name: text.mask(gaps[name], "") if name in gaps else text for name, text in columns.items()}
    named = ", ".join(f"{name} ({rows.sum():,})" for name, rows in gaps.items() if rows.any())
    notice = f"Zeros that can only mean 'not measured' were taken as missing: {named}."
    return mended, (notice,) if named else ()


class HeartDisease(RecordsTask):
    """Coronary heart disease, from history, blood, ECG and exercise test."""

    slug = "heart-disease"
    title = "Heart disease"
    summary = "A table with 13 findings of each patient in, the chance of a narrowed coronary artery out."
    labels = LABELS
    fields = FIELDS
    column_groups = COLUMN_GROUPS
    columns = COLUMNS
    target = TARGET
    headerless = PUBLISHED_ORDER

    def mend(self, columns: TextColumns) -> tuple[TextColumns, tuple[str, ...]]:
        """Take the zeros that stand for "not measured" as gaps."""
        return gaps_written_as_zero(columns)

    def coding_question(self, found: Mapped) -> CodingQuestion | None:
        """Ask how a table is coded that may be one of the recoded copies."""
        return question(found)

    def truth(self, target: pd.Series) -> NDArray[np.int64]:
        """Return 1 where num > 0."""
        numbers, bad = to_numbers(target)
        if len(bad) or np.isnan(numbers).any():
            raise InvalidInput(
                "column num: expected a number from 0 to 4 in every row", hint="0 means absent."
            )
        return (numbers > 0).astype(np.int64)

    def data_files(self, path: Path) -> list[Path]:
        """Return the file to train on, and the published files of other sites that lie beside it."""
        main = path / "processed.cleveland.data" if path.is_dir() else path
        if main.name != "processed.cleveland.data":
            return [main]
        return [main, *sorted(file for file in main.parent.glob("processed.*.data") if file != main)]

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that the recipe takes: every network learns for all its epochs."""
        return super().heeded(settings) | {"folds"}

    def train(
        self, dataset: Dataset, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        """Cross-validate on the given file, train on all of it, test on the other sites beside it."""
        from .crossing import train_by_folds

        return train_by_folds(self, dataset, settings, out, on_epoch, _recipe(settings))

    def examples(self) -> tuple[Example, ...]:
        """Return three invented patients, a table of 20 drawn ones, and files as hospitals write them."""
        return (*heart_examples(self.fields), chinese_table(), fhir_record())

    def training_examples(self) -> tuple[Example, ...]:
        """Return a table of drawn patients with the outcome."""
        return (heart_training_set(self.fields, self.target),)


def _recipe(settings: TrainSettings) -> Recipe:
    from .facts import heart_facts
    from .fit import Plan
    from .network import Shape
    from .recipe import Recipe

    return Recipe(
        # Half of all values hidden while training: other hospitals leave out whole columns.
        shape=Shape(members=settings.members or 16, hidden=(16,), embedding=4, dropout=0.2, masking=0.5),
        plan=Plan(epochs=60, batch_size=32, learning_rate=0.01, weight_decay=0.7),
        rarest=3,
        background=60,
        facts=heart_facts,
    )
