"""Fit the table network to prepared rows, and find the background of its explanations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import TooLittleData
from healthdash.training import TrainSettings
from healthdash.training.history import EpochRow

if TYPE_CHECKING:
    import keras

    from .network import Shape

__all__ = ["Plan", "background_rows", "fit", "logits_of"]

_BATCH = 8192
_MOST_CLUSTERED = 4000
_FEWEST_SHARING = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained.

    Attributes
    ----------
    epochs, batch_size : int
    learning_rate : float
        Falls to 0 along half a cosine.
    weight_decay : float
        Of AdamW (Loshchilov & Hutter 2019, ICLR).
    patience : int
        Epochs without a better validation loss before the run stops; the best weights return.
    positive_weight : float
        Weight of a row of the second label; calibration takes its effect on the level out.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int = 5
    positive_weight: float = 1.0

    def with_settings(self, settings: TrainSettings) -> Plan:
        """Return the plan with what the user chose instead."""
        chosen = {
            name: getattr(settings, name)
            for name in ("epochs", "batch_size", "learning_rate", "patience")
            if getattr(settings, name) is not None
        }
        return replace(self, **chosen)


def fit(
    columns: Sequence[Mapping[str, Any]],
    shape: Shape,
    plan: Plan,
    *,
    train: tuple[NDArray[np.float32], NDArray[np.int64]],
    validation: tuple[NDArray[np.float32], NDArray[np.int64]] | None,
    seed: int,
    run: str,
    labels: int = 2,
    stop_early: bool = True,
    on_epoch: Callable[[EpochRow], None],
) -> keras.Model:
    """Train the ensemble and return the averaged network.

    Parameters
    ----------
    train, validation : (float32 (n, p), int64 (n,))
        Prepared features and label numbers.
    run : str
        Name of the run in the history; one bundle may come from several.
    stop_early : bool
        Stop, and choose the weights, by the validation loss. Without it they are only watched.
    on_epoch : function of a row
        May raise `TrainingStopped`.
    """
    import keras

    from healthdash.training import resumable

    from .batches import RowBatches
    from .network import build, member_loss

    keras.utils.set_random_seed(seed)
    trained, averaged = build(columns, shape, labels=labels, seed=seed)
    weights = np.where(train[1] == 1, plan.positive_weight, 1.0).astype(np.float32)
    batches = RowBatches((*train, weights), plan.batch_size, seed=seed)
    schedule = keras.optimizers.schedules.CosineDecay(plan.learning_rate, plan.epochs * len(batches))
    trained.compile(keras.optimizers.AdamW(schedule, weight_decay=plan.weight_decay), loss=member_loss)
    stopping = None
    if validation is not None and stop_early:
        stopping = keras.callbacks.EarlyStopping(patience=plan.patience, restore_best_weights=True)
    resumable.fit(
        trained, batches, epochs=plan.epochs, on_epoch=on_epoch, run=run, stopping=stopping,
        validation_data=validation, validation_batch_size=plan.batch_size,
    )  # fmt: skip
    return averaged


def logits_of(network: keras.Model, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the averaged logits, float32 (n, labels)."""
    from keras import ops

    parts = [
        network(values[start : start + _BATCH], training=False) for start in range(0, len(values), _BATCH)
    ]
    return np.concatenate([np.asarray(ops.convert_to_numpy(part), np.float32) for part in parts])


def background_rows(
    values: NDArray[np.float32],
    truth: NDArray[np.int64],
    columns: Sequence[Mapping[str, Any]],
    count: int,
    *,
    seed: int,
) -> NDArray[np.float32]:
    """Return about `count` centroids, of each class by its frequency; none is the row of a few patients.

    Rows are clustered by k-means on standardised numbers and one-hot categories. A centroid
    takes the mean of its cluster's numbers and the commonest value of each category
    (k-prototypes, Huang 1998, Data Mining and Knowledge Discovery 2:283). Clusters of one row,
    and centroids that equal a row of fewer than five patients, are left out: of codes alone the commonest
    values of a cluster mostly are a row, of many.

    Raises
    ------
    TooLittleData
        No centroid is left.
    """
    numbers = np.array([column["kind"] == "number" for column in columns])
    centroids = np.concatenate(
        [
            _centroids(values[rows], numbers, _clusters(_for_distances(values[rows], numbers), share, seed))
            for rows, share in _strata(truth, count, seed)
        ]
    )
    shared = Counter(row.tobytes() for row in np.nan_to_num(values, nan=-1.0))
    rare = {row for row, times in shared.items() if times < _FEWEST_SHARING}
    fresh = [row.tobytes() not in rare for row in np.nan_to_num(centroids, nan=-1.0)]
    if not any(fresh):
        raise TooLittleData(
            "expected rows that differ, got too few for a background of the explanations",
            hint="Train on a table with more different rows.",
        )
    return np.asarray(centroids[np.array(fresh)], np.float32)


def _strata(truth: NDArray[np.int64], count: int, seed: int) -> Iterator[tuple[NDArray[np.int64], float]]:
    """Yield for each class its rows, thinned where they are many, and its share of the centroids."""
    rng = np.random.default_rng(seed)
    for label in np.unique(truth):
        rows = np.flatnonzero(truth == label)
        share = count * len(rows) / len(truth)
        if len(rows) > _MOST_CLUSTERED:
            rows = np.sort(rng.choice(rows, _MOST_CLUSTERED, replace=False))
        yield rows, share


def _clusters(distances: NDArray[np.float32], count: float, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    # Of few rows fewer clusters, or most would hold a single row, which may not be shown.
    most = max(len(distances) // 3, 1)
    clusters = KMeans(min(max(round(count), 1), most), random_state=seed, n_init=3).fit_predict(distances)
    return np.asarray(clusters, np.int64)


def _centroids(
    values: NDArray[np.float32], numbers: NDArray[np.bool_], clusters: NDArray[np.int64]
) -> NDArray[np.float32]:
    members = [values[clusters == k] for k in np.unique(clusters)]
    found = [_centroid(rows, numbers) for rows in members if len(rows) > 1]
    return np.stack(found) if found else values[:0]


def _for_distances(values: NDArray[np.float32], numbers: NDArray[np.bool_]) -> NDArray[np.float32]:
    parts = []
    for place, is_number in enumerate(numbers):
        column = values[:, place]
        if is_number:
            middle, spread = np.nanmedian(column), np.nanstd(column) or 1.0
            parts.append(np.nan_to_num((column - middle) / spread)[:, None])
        else:
            codes, inverse = np.unique(column, return_inverse=True)
            # A difference in a category counts like one standard deviation of a number.
            parts.append(np.eye(len(codes), dtype=np.float32)[inverse] / np.sqrt(2))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _centroid(members: NDArray[np.float32], numbers: NDArray[np.bool_]) -> NDArray[np.float32]:
    row = np.empty(members.shape[1], np.float32)
    for place, is_number in enumerate(numbers):
        column = members[:, place]
        if is_number:
            known = column[np.isfinite(column)]
            row[place] = known.mean(dtype=np.float64) if len(known) else np.nan
        else:
            codes, counts = np.unique(column, return_counts=True)
            row[place] = codes[counts.argmax()]
    return row
