"""Other models on the same rows, so that the network's figures can be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from healthdash.training.evaluation import MetricRow, metric_row
from healthdash.training.ranking import separation

from .measure import Scored

__all__ = ["BOOSTING", "LOGISTIC", "MODELS", "Rows", "model_scores", "other_models"]

Rows = tuple[NDArray[np.float32], NDArray[np.int64]]
Columns = Sequence[Mapping[str, Any]]

BOOSTING = "gradient boosting"
LOGISTIC = "logistic regression"
MODELS = (BOOSTING, LOGISTIC)
#: With more values, splitting on the order of the codes was better than on sets of them.
_MOST_SET_VALUES = 20


def other_models(
    columns: Columns, train: Rows, tested: NDArray[np.float32], scored: Scored
) -> Iterator[MetricRow]:
    """Yield the AUC of each other model, and its difference to the network with an interval."""
    for name in MODELS:
        scores = model_scores(name, columns, train, tested)
        yield from compared(name, scores, scored)


def compared(name: str, scores: NDArray[np.float64], scored: Scored) -> Iterator[MetricRow]:
    """Yield a model's AUC, and the network's AUC less the model's, on the same rows."""
    truth, groups = scored.data.truth, scored.data.groups
    yield metric_row(f"AUC, {name}", separation, truth, scores, groups, part=scored.part)
    both = np.stack([scored.ranking, scores], axis=1)

    def difference(y: NDArray[np.int64], p: NDArray[np.float64]) -> float:
        return float(separation(y, p[:, 0]) - separation(y, p[:, 1]))

    note = "above 0 the network is better"
    yield metric_row(
        f"AUC, network less {name}", difference, truth, both, groups, part=scored.part, note=note
    )


def model_scores(
    name: str, columns: Columns, train: Rows, tested: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Fit a model of that name and return its probability of the second label (n,); of many labels (n, k)."""
    if name == LOGISTIC:
        model: Any = LogisticRegression(C=0.1, max_iter=300)
        model.fit(_one_hot(columns, train[0]), train[1])
        found = np.asarray(model.predict_proba(_one_hot(columns, tested)), np.float64)
    else:
        model = _boosting(columns, len(train[1])).fit(*train)
        found = np.asarray(model.predict_proba(tested), np.float64)
    return found[:, 1] if found.shape[1] == 2 else found


def _boosting(columns: Columns, rows: int) -> HistGradientBoostingClassifier:
    """Return gradient boosting with settings that suit the number of rows."""
    sets = [c["kind"] == "category" and len(c["values"]) < _MOST_SET_VALUES for c in columns]
    size: dict[str, Any] = (
        {"max_iter": 400, "learning_rate": 0.03, "max_leaf_nodes": 15, "min_samples_leaf": 100}
        if rows > 5000
        else {"max_iter": 60, "learning_rate": 0.05, "max_leaf_nodes": 6, "min_samples_leaf": 10}
    )
    return HistGradientBoostingClassifier(
        categorical_features=sets,
        l2_regularization=20,
        max_features=0.3,
        early_stopping=False,
        random_state=0,
        **size,
    )


def _one_hot(columns: Columns, values: NDArray[np.float32]) -> Any:
    """Return standardised numbers, gaps marked, beside a column for each value; sparse."""
    from scipy import sparse

    parts = []
    for place, column in enumerate(columns):
        cells = values[:, place]
        if column["kind"] == "number":
            cells = np.log1p(np.maximum(cells, 0)) if column.get("log") else cells
            gap = np.isnan(cells)
            standard = np.where(gap, 0, (cells - column["center"]) / column["scale"])
            parts.append(sparse.csr_matrix(np.stack([standard, gap], axis=1)))
        else:
            shape = (len(cells), len(column["values"]) + 1)
            ones = (np.ones(len(cells)), (np.arange(len(cells)), cells.astype(int)))
            parts.append(sparse.csr_matrix(ones, shape=shape))
    return sparse.hstack(parts).tocsr()
