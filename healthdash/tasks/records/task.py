"""Tables with one patient a row: a task is its fields, its target and its stored columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InvalidInput, OutOfScope, UnreadableUpload
from healthdash.fhir import looks_like_fhir, read_fhir
from healthdash.fields import Field
from healthdash.tables.coding import CodingQuestion
from healthdash.tables.mapped import Mapped
from healthdash.tables.read import TextTable, canonical, looks_like_table, read_text_table
from healthdash.task import MEND_CELLS, Arrays, Attribution, Gate, Report, Sample, Task, Upload
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers
from healthdash.views import Sections, View

from . import gate as gating
from . import prepare, views
from .columns import (
    CODE_GAPS,
    by_row,
    impossible_values,
    match_columns,
    shortened,
    type_columns,
    with_row_numbers,
)
from .matching import sources
from .opening import ONLY_PERSON, opened
from .sample import TableSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.explain.choices import Column
    from healthdash.training.evaluation import Evaluation

    from .dataset import Dataset

__all__ = ["RecordsTask", "TableSample", "TextColumns"]

TextColumns = Mapping[str, pd.Series]
_LATER = "Give a record that holds these findings, or a later moment (--before on the command line)."
_HINT = (
    "The page of the task shows which column was taken for which field, to be corrected; "
    "python -m healthdash map TASK FILE writes that as a mapping."
)


class RecordsTask(Task):
    """A question about each row of a table.

    Class attributes
    ----------------
    columns : tuple of dict
        Name and kind of the network's columns, in its order; see `prepare.fitted_columns`.
    target : str
        Column to predict, in labelled tables.
    group_column : str or None
        Column that names the patient, where one patient has several rows.
    subgroup_fields : tuple of Field
        Read for evaluation only; never an input.
    headerless : tuple of str
        Published column order of files without a header line.
    most_gaps : float
        Share of the fields that a row may be without; more are refused. 1: any, for a network that learnt
        with values hidden.
    """

    kind = "records"
    unit = "row"
    accepts: tuple[str, ...] = (
        "csv", "tsv", "txt", "data", "xlsx", "xls", "ods", "parquet", "arff", "sav", "por", "dta", "xpt",
        "sas7bdat", "json", "ndjson",
    )  # fmt: skip
    methods = ("exact-shapley", "permutation-shapley", "kernel-shap")
    columns: tuple[Mapping[str, Any], ...] = ()
    target: str = ""
    group_column: str | None = None
    subgroup_fields: tuple[Field, ...] = ()
    headerless: tuple[str, ...] = ()
    most_gaps: float = 1.0

    # -- what a concrete task says -----------------------------------------------------------

    def mend(self, columns: TextColumns) -> tuple[TextColumns, tuple[str, ...]]:
        """Return the text columns with the gaps that this data set disguises as "", and a notice of them."""
        return columns, ()

    def coding_question(self, found: Mapped) -> CodingQuestion | None:
        """Return what must be asked of a file that may be coded in another way; by default nothing."""
        return None

    def truth(self, target: pd.Series) -> NDArray[np.int64]:
        """Return the label number of each row's target text."""
        raise NotImplementedError

    def data_files(self, path: Path) -> list[Path]:
        """Return the labelled file to train on, then those of other sites, for testing only."""
        return [path]

    def site_of(self, file: Path) -> str:
        """Name where a labelled file comes from."""
        return file.stem.removeprefix("processed.").replace("_", " ").capitalize()

    def stored(self) -> dict[str, Any]:
        """Return what the bundle keeps of the task beside the fitted columns; by default nothing."""
        return {}

    @property
    def item(self) -> str:
        """What a split keeps whole, in a word."""
        return "patient"

    def kept_together(self, data: Dataset) -> str:
        """Say for the card what the rows of one group are."""
        return "each row a patient"

    # -- reading -----------------------------------------------------------------------------

    def recognises(self, upload: Upload) -> bool:
        """Say whether the first bytes are those of a table, or of a record of FHIR."""
        return looks_like_fhir(upload.data) or looks_like_table(upload.data)

    def read(self, uploads: Sequence[Upload]) -> TableSample:
        """Parse one table; rows that break the fields are left out and kept with their reasons."""
        if len(uploads) != 1:
            raise UnreadableUpload("expected one table at a time", hint="Upload the tables one by one.")
        return opened(self, uploads[0])

    def parsed(self, data: bytes, before: str = "") -> TextTable:
        """Parse a table, or a record of FHIR as one, with the columns that the file has.

        Parameters
        ----------
        before : str
            Of a record: only values before this date count; empty: the last ones.
        """
        return read_fhir(data, before) if looks_like_fhir(data) else self.raw_text(data)

    @property
    def asked(self) -> tuple[Field, ...]:
        """The columns that are looked for in a file; by default the fields."""
        return self.fields

    def raw_text(self, data: bytes) -> TextTable:
        """Parse a table as text, with the task's knowledge of headers."""
        order = self.headerless
        known = [*(field.name for field in self.fields), self.target]
        return read_text_table(data, known, ((*order, self.target), order) if order else ())

    def mended(self, text: TextTable) -> TextTable:
        """Return a table whose columns have their names with its cells mended; by default as it is."""
        return text

    def read_text(self, data: bytes) -> TextTable:
        """Parse a table whose columns have their names already, and mend it: for labelled data."""
        return self.mended(self.raw_text(data))

    def sample_of(self, text: TextTable, source: str) -> tuple[TableSample, pd.DataFrame]:
        """Return the sample of a text table, its columns typed and checked; and these of all rows."""
        places, problems = match_columns(list(text.frame.columns), self.fields)
        columns, mended = self.mend({name: text.frame.iloc[:, at] for name, at in places.items()})
        typed = type_columns(columns, self.fields, len(text.frame))
        wrong = by_row([*typed.wrong, *impossible_values(typed.frame, self.fields)])
        is_of_cells = not problems
        if problems or len(wrong) == len(typed.frame):
            problems, refused = (*problems, *with_row_numbers(wrong)), {}
        else:
            refused = wrong
        sample = TableSample(
            source=source,
            kind="table",
            format=text.format,
            notices=(*text.notices, *typed.notices, *mended),
            refused=refused,
            text=text,
            frame=typed.frame.drop(index=list(refused)),
            problems=shortened(problems),
            is_of_cells=is_of_cells,
        )
        return sample, typed.frame

    def validate(self, sample: Sample) -> None:
        """Raise `InvalidInput` with every missing column; where no row can be used, with all reasons."""
        assert isinstance(sample, TableSample)
        if sample.problems:
            hint = MEND_CELLS if sample.is_of_cells else _HINT
            raise InvalidInput(sample.problems, hint=_LATER if ONLY_PERSON in sample.problems else hint)

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Warn of values outside the training range, unknown codes and many gaps."""
        assert isinstance(sample, TableSample)
        return gating.gate(sample.frame, bundle.info.preprocessing)

    def item_gates(self, report: Report, bundle: Bundle) -> Sequence[Gate]:
        """Return the gate of each row by itself."""
        assert isinstance(report.sample, TableSample)
        return gating.row_gates(report.sample.frame, bundle.info.preprocessing)

    def describe(self, sample: Sample) -> dict[str, Any]:
        """Return rows and columns of the file."""
        assert isinstance(sample, TableSample)
        rows, columns = sample.text.frame.shape
        return {"kind": "table", "format": sample.format, "rows": rows, "columns": columns}

    def provenance(self, sample: Sample, row: int) -> dict[str, Any]:
        """Return where the values of a row come from, and which of them were converted, by which rule."""
        assert isinstance(sample, TableSample)
        matching = sample.matching
        rules = {line.field: line.rule for line in matching.complete if line.rule}
        told = sources(matching.origins, row)
        return ({"converted": rules} if rules else {}) | ({"sources": told} if told else {})

    # -- predicting --------------------------------------------------------------------------

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Return {"features": float32 (n_rows, n_columns)}."""
        assert isinstance(sample, TableSample)
        missing = [column["name"] for column in config["columns"] if column["name"] not in sample.frame]
        if missing:
            raise OutOfScope(f"the model needs the columns {', '.join(missing)}", hint=_HINT)
        return {"features": prepare.features(sample.frame, config)}

    def items(self, sample: Sample, config: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the row number in the file of each row that is predicted."""
        assert isinstance(sample, TableSample)
        return sample.frame.index.to_numpy(np.int64)

    # -- explaining and showing --------------------------------------------------------------

    def choices(self, bundle: Bundle) -> tuple[Column, ...]:
        """Return what each column may be: known codes, and numbers with their training range."""
        return prepare.choices(self.fields, bundle.info.preprocessing)

    def truth_in(self, sample: Sample) -> NDArray[np.int64] | None:
        """Return the label number of each used row, -1 for a gap; None without the target's column."""
        assert isinstance(sample, TableSample)
        frame = sample.text.frame
        named = [i for i, name in enumerate(frame.columns) if canonical(str(name)) == canonical(self.target)]
        if not named:
            return None
        target = frame.iloc[:, named[0]].loc[sample.frame.index]
        known = ~target.str.strip().str.lower().isin(CODE_GAPS)
        found = np.full(len(target), -1, np.int64)
        found[known.to_numpy()] = self.truth(target[known])
        return found

    def attributions(self, report: Report) -> list[Attribution]:
        """Return one line a column, in the network's order."""
        return views.attributions(self._names, self.fields, report)

    def show(self, sample: Sample) -> tuple[View, ...]:
        """Return the table, or for one row its values in words."""
        assert isinstance(sample, TableSample)
        return views.inputs(sample, self.fields)

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return table, probabilities and waterfall of one row."""
        return views.sections(report, bundle, self.fields, self._names, item)

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(str(column["name"]) for column in self.columns)

    # -- training ----------------------------------------------------------------------------

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that every recipe of a table takes."""
        return super().heeded(settings) | {"members", "target", "group"}

    def load_dataset(self, path: Path, settings: TrainSettings) -> Dataset:
        """Read a labelled table, or a folder of them."""
        from .dataset import load

        return load(self, path, settings)

    def evaluate(self, bundle: Bundle, dataset: Dataset) -> Evaluation:
        """Measure a bundle on labelled rows that it was not trained on."""
        from .measure import evaluate

        return evaluate(bundle, dataset)

    def answers(self, bundle: Bundle, dataset: Dataset) -> Answers:
        """Return the probabilities of labelled rows."""
        inputs = {"features": prepare.features(dataset.frame, bundle.info.preprocessing)}
        given = bundle.forward.probabilities(inputs)
        return Answers(bundle.info.labels, dataset.truth, given, bundle.info.decide(given), dataset.groups)
