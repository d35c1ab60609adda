"""An own table as labelled items, for the networks of the studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.training.evaluation import Evaluation, MetricRow
from healthdash.training.studio.items import ItemKind, Rows

from .fit import background_rows
from .prepare import features, fitted_columns

if TYPE_CHECKING:
    import keras

    from healthdash.training.studio.figures import Judged
    from healthdash.training.studio.fitting import Part

    from .own_data import OwnData

__all__ = ["LabelledRows", "PreparedRows", "amended"]

_BACKGROUND_ROWS = 60
#: With fewer rows each is seen more often, and more of it is hidden; see `own.py`, which has the same.
_FEW_ROWS, _HIDDEN_OF_FEW, _HIDDEN_OF_MANY = 3000, 0.2, 0.05
_RAREST_OF_FEW, _RAREST_OF_MANY = 3, 10


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The rows of an own table with their labels; see `healthdash.training.studio.items.Labelled`."""

    own: OwnData
    task: str = "table"
    kind: ItemKind = "row"
    unit: str = "row"

    def __len__(self) -> int:
        return len(self.own.data)

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the network's outputs."""
        return self.own.question.labels

    @property
    def truth(self) -> NDArray[np.int64]:
        """Number of each row's label, (n,)."""
        return self.own.data.truth

    @cached_property
    def groups(self) -> NDArray[np.str_]:
        """The patient of each row, (n,)."""
        return np.asarray(self.own.data.groups).astype(str)

    @property
    def notes(self) -> Mapping[str, str]:
        """What was done to the table, for the card."""
        steps = "; ".join(step.words for step in self.own.question.steps)
        unused = {"columns not used": ", ".join(self.own.unused)} if self.own.unused else {}
        return {"outcome": self.own.question.target, "cleaning": steps or "none", **unused}

    def fitted(self, train: Rows) -> PreparedRows:
        """Return the rows as features, with medians, spreads and known codes of these rows."""
        question, data = self.own.question, self.own.data
        rarest = _RAREST_OF_FEW if len(self) <= _FEW_ROWS else _RAREST_OF_MANY
        columns = fitted_columns(data.frame.iloc[train], question.columns, rarest=rarest)
        hidden = _HIDDEN_OF_FEW if len(self) <= _FEW_ROWS else _HIDDEN_OF_MANY
        values = features(data.frame, {"columns": columns})
        return PreparedRows(self.own, columns, values, hidden)

    def facts(self) -> Mapping[str, Any]:
        """Return title, data, intended use and limits for the card."""
        from .facts import own_table_facts

        return own_table_facts(self.own, self.own.data)


@dataclass(frozen=True, eq=False)
class PreparedRows:
    """Rows as features (n, columns), with the constants that were fitted on training rows."""

    own: OwnData
    columns: Sequence[Mapping[str, Any]]
    values: NDArray[np.float32]
    hidden: float
    name: str = "features"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row: (columns,)."""
        return (len(self.columns),)

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """The fitted columns, and the question that the table poses."""
        return {"columns": list(self.columns), **self.own.question.stored()}

    def inputs(self, rows: Rows, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """Return features (m, columns); with `rng` changed at random."""
        found: NDArray[np.float32] = self.values[rows]
        return found if rng is None else self.changed(found, rng)

    def changed(self, values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return features of which some are hidden, each taken as missing.

        So a network learns to do without any one column.
        """
        gaps = np.array([np.nan if c["kind"] == "number" else 0.0 for c in self.columns], np.float32)
        return np.where(rng.random(values.shape) < self.hidden, gaps, values)

    def inputs_of(self, path: Path) -> NDArray[np.float32]:
        """Return the features of another table of the same columns, with or without labels."""
        from healthdash.task import Upload

        from .own import PosedTable

        sample = PosedTable(self.own.question).read([Upload.from_path(path)])
        return features(sample.frame, {"columns": self.columns})

    def entry(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the network's input, and a token for each column."""
        from .tokens import entry

        return entry(self.columns)

    def background(self, rows: Rows, seed: int) -> Mapping[str, NDArray[np.float32]]:
        """Return centroids of rows; none is the row of a few patients."""
        truth = self.own.data.truth[rows]
        return {
            self.name: background_rows(self.values[rows], truth, self.columns, _BACKGROUND_ROWS, seed=seed)
        }

    def gate(self, rows: Rows) -> Mapping[str, Any]:
        """Return nothing: ranges and known codes stand in the preprocessing."""
        return {}


def amended(
    labelled: LabelledRows, evaluation: Evaluation, judged: Judged, parts: Sequence[Part]
) -> Evaluation:
    """Add the figures of subgroups, and other models on the same rows."""
    from .compare import MODELS, compared
    from .measure import Scored, subgroup_rows

    scored = Scored(labelled.own.data.rows(judged.rows), judged.probabilities, judged.part)
    others: list[MetricRow] = []
    for name in MODELS:
        others += compared(name, _scores(name, labelled, judged, parts), scored)
    return evaluation.model_copy(
        update={"subgroups": tuple(subgroup_rows(scored)), "comparisons": tuple(others)}
    )


def _scores(name: str, labelled: LabelledRows, judged: Judged, parts: Sequence[Part]) -> NDArray[np.float64]:
    """Return another model's scores of the judged rows, each from a fit without its part."""
    from .compare import model_scores

    shape = (len(labelled),) if len(labelled.labels) == 2 else (len(labelled), len(labelled.labels))
    found = np.zeros(shape)
    for part in {part.judged.tobytes(): part for part in parts}.values():
        rows = np.intersect1d(part.judged, judged.rows)
        # What ends the network's training is nothing that these models need: they learn from it too.
        train = np.setdiff1d(np.union1d(part.train, part.validation), rows)
        prepared = labelled.fitted(train)
        known = (prepared.values[train], labelled.truth[train])
        found[rows] = model_scores(name, prepared.columns, known, prepared.values[rows])
    return found[judged.rows]
