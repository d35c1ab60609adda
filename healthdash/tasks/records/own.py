"""The task table: any labelled table of a user's; its columns and labels come from the bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput
from healthdash.fields import Field
from healthdash.tables.read import TextTable, read_path, read_text_table
from healthdash.tables.report import column_named
from healthdash.tables.steps import events_of, replay
from healthdash.task import Example, Report
from healthdash.training import TrainSettings
from healthdash.training.history import EpochRow
from healthdash.views import Sections

from . import views
from .own_samples import drawn_rows, own_training_set, usual_row
from .question import Question, named_alike
from .task import RecordsTask

if TYPE_CHECKING:
    from .dataset import Dataset
    from .own_data import OwnData
    from .recipe import Recipe

__all__ = ["OwnTable", "PosedTable"]

#: With more rows, a part that is set aside tells enough; with fewer each row is needed twice.
_MOST_CROSSED = 3000
#: The network of the task's own recipe, as it is called among those of the studio.
_ENSEMBLE = "ensemble"


class OwnTable(RecordsTask):
    """Whatever a labelled table of a user's asks."""

    slug = "table"
    title = "Own table"
    summary = "A table of your own in, the chance of each value of the column that you chose out."
    labels = {}  # noqa: RUF012  (those of the bundle)
    is_generic = True
    accepts = (*RecordsTask.accepts, "zip")
    usual_network = _ENSEMBLE

    def bound(self, bundle: Bundle) -> PosedTable:
        """Return the task as a bundle poses it."""
        return PosedTable(Question.of(bundle.info.preprocessing, bundle.info.labels))

    def raw_text(self, data: bytes) -> TextTable:
        """Parse a table as text; without a bundle nothing is known of its columns."""
        return read_text_table(data)

    def check(self, path: Path, settings: TrainSettings) -> Mapping[str, Any]:
        """Return the data report of a labelled table as plain data."""
        from healthdash.tables import checked

        if settings.target is None:
            raise InvalidInput("expected the column of the outcome", hint="Say --target COLUMN.")
        return checked.file(path, settings.target, settings.group, settings.cleaning)

    def load_dataset(self, path: Path, settings: TrainSettings) -> Any:
        """Read a labelled table, mend it, and find what it asks."""
        from .own_data import load_own

        return load_own(path, settings)

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that the ensemble, or the network of the studio that was chosen, takes."""
        if settings.network in (None, _ENSEMBLE):
            return super().heeded(settings) | {"network", "folds", "patience", "cleaning"}
        from healthdash.training.studio.plans import heeded

        return heeded("row", settings)

    def train(
        self, dataset: Any, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        """Train the ensemble, or the network of the studio that was chosen; the data are `OwnData`."""
        if settings.network not in (None, _ENSEMBLE):
            return self._by_studio(dataset, settings, out, on_epoch)
        return self._ensemble(dataset, settings, out, on_epoch)

    def _by_studio(
        self, dataset: OwnData, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        from healthdash.training.command import command_line
        from healthdash.training.studio.training import train

        from .labelled import LabelledRows, amended

        labelled = LabelledRows(dataset)
        amend = partial(amended, labelled)
        return train(labelled, settings, out, on_epoch, amend=amend, command=command_line())

    def _ensemble(
        self, dataset: OwnData, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        """Cross-validate a small table, or set parts of a large one aside."""
        from .crossing import train_by_folds
        from .recipe import train_by_split

        is_small = len(dataset) <= _MOST_CROSSED
        is_crossed = is_small if settings.folds is None else settings.folds > 1
        if is_crossed and settings.patience is not None:
            raise InvalidInput(
                "patience means nothing where rows are cross-validated: each fold learns for all its epochs",
                hint="Leave it empty, choose 0 folds, or another network.",
            )
        train = train_by_folds if is_crossed else train_by_split
        recipe = _recipe(dataset, settings, is_small=is_small)
        return train(PosedTable(dataset.question), dataset.data, settings, out, on_epoch, recipe)

    def examples(self) -> tuple[Example, ...]:
        """Return nothing: only a bundle knows the columns."""
        return ()

    def training_examples(self) -> tuple[Example, ...]:
        """Return a table of drawn patients with some of the oddities of real ones."""
        return (own_training_set(),)


class PosedTable(OwnTable):
    """The task as one bundle, or one table to learn from, poses it.

    Parameters
    ----------
    question : Question
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.labels = {label: f"{question.target} is {label}." for label in question.labels}
        self.fields, self.columns = question.fields, question.columns
        self.target, self.group_column = question.target, question.group

    def said(self, label: str) -> str:
        """Name a label that is a bare number with its column."""
        is_number = label.lstrip("-").replace(".", "", 1).isdecimal()
        return f"{self.target} = {label}" if is_number else label

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return table, probabilities and waterfall of one row, with its labels named for people."""
        found = super().render(report, bundle, item)
        result, explanation = (
            tuple(views.named(view, self.said) for view in part) for part in (found.result, found.explanation)
        )
        return replace(found, result=result, explanation=explanation)

    def stored(self) -> dict[str, Any]:
        """Return what the bundle keeps of the question."""
        return self.question.stored()

    @property
    def item(self) -> str:
        """What a split keeps whole, in a word."""
        return self.group_column or "row"

    def kept_together(self, data: Dataset) -> str:
        """Say for the card what the rows of one group are."""
        return f"rows of one {self.group_column} kept together" if self.group_column else "each row by itself"

    @property
    def asked(self) -> tuple[Field, ...]:
        """The fields, and the columns that the steps speak of, as the table to learn from spelled them."""
        known = {field.name: field for field in self.fields}
        others = (name for name in self.question.names if name != self.target)
        return tuple(known.get(name) or Field(name=name, label=name, required=False) for name in others)

    def raw_text(self, data: bytes) -> TextTable:
        """Parse a table as text, with what training knew of its columns."""
        return read_text_table(data, self.question.names)

    def mended(self, text: TextTable) -> TextTable:
        """Name the columns as training did, and mend the cells by the steps."""
        frame = named_alike(text.frame, self.question.names)
        made = events_of(self.question.steps)
        notices = made.notices(frame) if made else ()
        return replace(text, frame=replay(frame, self.question.steps), notices=(*text.notices, *notices))

    def truth(self, target: pd.Series) -> NDArray[np.int64]:
        """Return the number of each row's label, -1 for others."""
        from .own_data import labelled

        return labelled(target, self.question.labels)

    def load_dataset(self, path: Path, settings: TrainSettings) -> Dataset:
        """Read labelled rows to measure a bundle on; rows with another label are left out."""
        from .own_data import rows_of

        text = read_path(path)
        frame = replay(named_alike(text.frame, self.question.names), self.question.steps)
        target = column_named(frame, settings.target or self.target)
        frame = frame.rename(columns={target: self.target}) if target != self.target else frame
        missing = [one.name for one in self.fields if one.name not in frame]
        if missing:
            raise InvalidInput(
                f"missing columns: {', '.join(missing)}", hint="Measure on a table with all columns."
            )
        group = column_named(frame, settings.group) if settings.group else None
        found = rows_of(frame, self.question, group, site="")
        if len(np.unique(found.truth)) < 2:
            labels = " or ".join(self.question.labels)
            raise InvalidInput(
                f"expected rows of two labels or more: {self.target} is {labels}",
                hint="Measure on a labelled table whose outcome is written as it was in training.",
            )
        return found

    def examples(self) -> tuple[Example, ...]:
        """Return the usual row and a table of drawn ones; none is a row of a patient."""
        return (usual_row(self.fields), drawn_rows(self.fields, self.columns))


def _recipe(dataset: OwnData, settings: TrainSettings, *, is_small: bool) -> Recipe:
    from .facts import own_table_facts
    from .fit import Plan
    from .labelled import LabelledRows
    from .network import Shape
    from .recipe import Recipe

    hidden, masking = ((16,), 0.2) if is_small else ((32,), 0.05)
    plan = (
        Plan(epochs=60, batch_size=32, learning_rate=0.01, weight_decay=0.7)
        if is_small
        else Plan(epochs=30, batch_size=256, learning_rate=0.005, weight_decay=0.05, patience=4)
    )
    return Recipe(
        shape=Shape(members=settings.members or 8, hidden=hidden, embedding=4, dropout=0.2, masking=masking),
        plan=plan,
        rarest=3 if is_small else 10,
        background=60,
        folds=5,
        smooth=True,
        facts=lambda data: own_table_facts(dataset, data),
        notes=LabelledRows(dataset).notes,
    )
