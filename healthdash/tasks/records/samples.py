"""Synthetic tables for a first click: rows drawn by hand and from stated distributions.

No row is taken from a patient: single rows are invented, the tables of 20 are drawn from a
private generator around round numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from healthdash.fields import CategoryField, Field, NumberField
from healthdash.task import Example, Upload
from healthdash.training import TrainSettings

__all__ = [
    "as_upload",
    "heart_examples",
    "heart_training_set",
    "readmission_examples",
    "readmission_training_set",
]

_ROWS = 20
_TRAINING_ROWS, _TRAINING_PATIENTS = 240, 400
Row = Mapping[str, str]
_USUAL_STAY = {
    "payer_code": "MC",
    "medical_specialty": "InternalMedicine",
    "diag_1": "428",
    "diag_2": "250.02",
    "diag_3": "401",
}


def as_upload(fields: Sequence[Field], rows: Sequence[Row], name: str) -> Upload:
    """Write rows as CSV, so that a form and a sample go the way of any other file.

    Parameters
    ----------
    rows : sequence of dict
        Field name to text; a field that is left out is a gap.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields])
    writer.writerows([[row.get(field.name, "?") or "?" for field in fields] for row in rows])
    return Upload(name=name, data=text.getvalue().encode("utf-8"))


def heart_examples(fields: Sequence[Field]) -> tuple[Example, ...]:
    """Return the samples of the task heart-disease."""

    def patient(text: str) -> dict[str, str]:
        return dict(zip((field.name for field in fields), text.split(), strict=True))

    low = patient("42 0 3 118 205 0 0 172 0 0.0 1 0 3")
    high = patient("64 1 4 148 290 0 2 118 1 2.4 2 2 7")
    gaps = patient("64 1 4 148 290 0 2 118 1 2.4 ? ? ?")
    return (
        _single(fields, "heart-low", "A woman of 42", low),
        _single(fields, "heart-high", "A man of 64", high),
        _single(fields, "heart-gaps", "The man of 64 without slope, vessels and scan", gaps),
        _table(fields, "heart-table", lambda rng: _heart_row(rng, ill=bool(rng.random() < 0.5))),
    )


def readmission_examples(fields: Sequence[Field]) -> tuple[Example, ...]:
    """Return the samples of the task readmission."""
    usual = {field.name: _default(field) for field in fields} | _USUAL_STAY
    short = usual | {
        "age": "[50-60)",
        "time_in_hospital": 2,
        "number_inpatient": 0,
        "num_medications": 9,
        "diag_1": "786",
    }
    often = usual | {
        "age": "[70-80)",
        "time_in_hospital": 9,
        "number_inpatient": 5,
        "number_emergency": 2,
        "diag_1": "428",
    }
    return (
        _single(fields, "stay-short", "A first, short stay", short),
        _single(
            fields, "stay-often", "The sixth stay within a year", often | {"discharge_disposition_id": 3}
        ),
        _table(fields, "stay-table", lambda rng: usual | _stay_row(rng)),
    )


def heart_training_set(fields: Sequence[Field], target: str) -> Example:
    """Return a labelled table of drawn rows; half of them are drawn as ill."""

    def draw(rng: np.random.Generator) -> Iterator[Mapping[str, object]]:
        for _ in range(_TRAINING_ROWS):
            ill = bool(rng.random() < 0.5)
            yield _heart_row(rng, ill=ill) | {target: int(ill)}

    short = TrainSettings(epochs=10, members=2, folds=2)
    return _training_set([*fields, _named(target)], f"{_TRAINING_ROWS} rows", draw, short)


def readmission_training_set(fields: Sequence[Field], target: str, group: str) -> Example:
    """Return a labelled table of drawn stays; those with more stays before come back more often."""
    usual = {field.name: _default(field) for field in fields} | _USUAL_STAY

    def draw(rng: np.random.Generator) -> Iterator[Mapping[str, object]]:
        for patient in range(_TRAINING_PATIENTS):
            for _ in range(int(rng.integers(1, 4))):
                row = usual | _stay_row(rng)
                chance = 0.15 + 0.15 * min(int(str(row["number_inpatient"])), 4)
                outcome = "<30" if rng.random() < chance else str(rng.choice([">30", "NO"]))
                yield row | {group: f"synthetic-{patient + 1:04d}", target: outcome}

    columns = [*fields, _named(group), _named(target)]
    content = f"stays of {_TRAINING_PATIENTS} made-up patients"
    return _training_set(columns, content, draw, TrainSettings(epochs=5, members=2))


def _training_set(
    fields: Sequence[Field],
    content: str,
    draw: Callable[[np.random.Generator], Iterator[Mapping[str, object]]],
    settings: TrainSettings,
) -> Example:
    def make() -> list[Upload]:
        rows = [{n: str(v) for n, v in row.items()} for row in draw(np.random.default_rng(2020))]
        return [as_upload(fields, rows, "synthetic_training_set.csv")]

    return Example(
        slug="synthetic",
        title="Synthetic table",
        description=f"Synthetic: {content} from a random generator, with the outcome in a column.",
        make=make,
        settings=settings,
    )


def _named(column: str) -> Field:
    return Field(name=column, label=column)


def _single(fields: Sequence[Field], slug: str, title: str, row: Mapping[str, object]) -> Example:
    text = {name: str(value) for name, value in row.items()}
    return Example(
        slug=slug,
        title=title,
        description="Synthetic: one row, invented.",
        make=lambda: [as_upload(fields, [text], f"synthetic-{slug}.csv")],
    )


def _table(
    fields: Sequence[Field], slug: str, draw: Callable[[np.random.Generator], Mapping[str, object]]
) -> Example:
    def make() -> list[Upload]:
        rng = np.random.default_rng(20)
        rows = [{name: str(value) for name, value in draw(rng).items()} for _ in range(_ROWS)]
        return [as_upload(fields, rows, f"synthetic-{slug}.csv")]

    return Example(
        slug=slug,
        title=f"A table of {_ROWS} rows",
        description=f"Synthetic: {_ROWS} rows from a random generator, some values missing.",
        make=make,
    )


def _default(field: Field) -> str:
    if isinstance(field, NumberField):
        return "?" if field.default is None else f"{field.default:g}"
    return (field.default if isinstance(field, CategoryField) else None) or "?"


def _heart_row(rng: np.random.Generator, *, ill: bool) -> dict[str, object]:
    """Draw a row in which age and exercise findings go together, as readers expect."""
    row: dict[str, object] = {
        "age": int(np.clip(rng.normal(57 if ill else 51, 8), 30, 76)),
        "sex": int(rng.random() < (0.8 if ill else 0.55)),
        "cp": int(rng.choice([1, 2, 3, 4], p=[0.05, 0.05, 0.15, 0.75] if ill else [0.1, 0.25, 0.4, 0.25])),
        "trestbps": int(np.clip(rng.normal(134 if ill else 129, 15), 95, 190)),
        "chol": int(np.clip(rng.normal(250, 45), 140, 400)),
        "fbs": int(rng.random() < 0.15),
        "restecg": int(rng.choice([0, 2])),
        "thalach": int(np.clip(rng.normal(138 if ill else 160, 18), 90, 195)),
        "exang": int(rng.random() < (0.55 if ill else 0.15)),
        "oldpeak": round(float(abs(rng.normal(1.5 if ill else 0.4, 0.8))), 1),
        "slope": int(rng.choice([1, 2, 3], p=[0.25, 0.65, 0.1] if ill else [0.65, 0.3, 0.05])),
        "ca": int(rng.choice([0, 1, 2, 3], p=[0.35, 0.3, 0.2, 0.15] if ill else [0.8, 0.13, 0.05, 0.02])),
        "thal": int(rng.choice([3, 6, 7], p=[0.28, 0.08, 0.64] if ill else [0.8, 0.04, 0.16])),
    }
    return {name: "?" if rng.random() < 0.03 else value for name, value in row.items()}


def _stay_row(rng: np.random.Generator) -> dict[str, object]:
    decade = int(rng.choice([4, 5, 6, 7, 8], p=[0.1, 0.2, 0.25, 0.28, 0.17])) * 10
    return {
        "gender": str(rng.choice(["Female", "Male"])),
        "age": f"[{decade}-{decade + 10})",
        "admission_type_id": int(rng.choice([1, 2, 3])),
        "discharge_disposition_id": int(rng.choice([1, 3, 6], p=[0.65, 0.2, 0.15])),
        "time_in_hospital": int(rng.integers(1, 13)),
        "num_lab_procedures": int(np.clip(rng.normal(44, 18), 1, 100)),
        "num_procedures": int(rng.integers(0, 5)),
        "num_medications": int(np.clip(rng.normal(16, 7), 1, 50)),
        "number_inpatient": int(rng.poisson(0.8)),
        "number_emergency": int(rng.poisson(0.2)),
        "diag_1": str(rng.choice(["428", "414", "786", "486", "250.13", "996", "682"])),
        "diag_2": str(rng.choice(["276", "250", "427", "401", "585", "?"])),
        "number_diagnoses": int(rng.integers(4, 10)),
        "A1Cresult": str(rng.choice(["None", "Norm", ">7", ">8"], p=[0.8, 0.05, 0.05, 0.1])),
        "insulin": str(rng.choice(["No", "Steady", "Up", "Down"])),
        "metformin": str(rng.choice(["No", "Steady"])),
    }
