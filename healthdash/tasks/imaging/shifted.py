"""Choices and figures that look beyond the pictures as they are: towards another hospital's.

No picture of another hospital is at hand. Three stand-ins are: pictures whose statistics
contradict their label weigh more, pictures are changed as cameras and exports change them, and
acquisition series are looked at apart.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from sklearn.metrics import roc_auc_score

from healthdash.bundles import BundleInfo, OperatingPoint
from healthdash.training.calibration import Calibration
from healthdash.training.evaluation import MetricRow, metric_row, rate_row
from healthdash.training.ranking import auc

from .augment import Augmentation, changed
from .dataset import LabelledPictures
from .fitting import predict_logits
from .measuring import TRIVIAL, balanced_threshold
from .plans import Recipe
from .prepare import from_bytes
from .shortcuts import giveaway, overlap_weights

__all__ = ["CHANGES", "choose_threshold", "rows_against_shortcuts", "rows_under_shift", "training_weights"]

Grey = NDArray[np.uint8]
Rows = NDArray[np.int64]
Floats = NDArray[np.float32]

_FOLDS = 4
# Milder than in training: what another X-ray room might do.
_ROOM = Augmentation(
    rotation_degrees=5, shear=0.03, shift=0.05, zoom=1.2, aspect=1.3, tone=0.15, field=0.1, noise=0.02,
    smallest_scale=0.7, patches=0.0, mirror=False, mixup=0.0,
)  # fmt: skip
_COPIES = 3
_FEWEST_IN_SERIES = 10


def training_weights(recipe: Recipe, dataset: LabelledPictures, rows: Rows, seed: int) -> Floats | None:
    """Return how often each training picture is drawn, or None for all alike."""
    groups = recipe.grouped(dataset.names)
    if recipe.draw_against_shortcuts == 0 or not groups:
        return None
    weights = _weights(next(iter(groups.values())), dataset, rows, seed)
    return None if weights is None else np.asarray(weights**recipe.draw_against_shortcuts, np.float32)


def choose_threshold(
    name: str,
    members: Sequence[str],
    network: keras.Model,
    calibration: Calibration,
    dataset: LabelledPictures,
    rows: Rows,
    seed: int,
) -> OperatingPoint:
    """Choose from which probability a group of labels is decided.

    Validation pictures as they are and changed as in another X-ray room, weighted against
    shortcuts; sensitivity and specificity count alike.
    """
    rng = np.random.default_rng(seed)
    own = dataset.pictures[rows]
    copies = [np.stack([changed(picture, _ROOM, rng) for picture in own]) for _ in range(_COPIES)]
    pictures = np.concatenate([from_bytes(own), *copies])[..., None]
    numbers = [dataset.names.index(member) for member in members]
    score = calibration.apply(predict_logits(network, pictures))[:, numbers].sum(axis=1)
    truth = np.isin(dataset.labels[rows], numbers)
    weights = _weights(members, dataset, rows, seed)
    weights = np.ones(len(rows), np.float32) if weights is None else weights
    again = _COPIES + 1
    threshold = balanced_threshold(np.tile(truth, again), score, np.tile(weights, again))
    return OperatingPoint(
        label=name,
        threshold=round(threshold, 4),
        rule="highest mean of sensitivity and specificity on validation pictures, as they are and changed "
        "as in another X-ray room, pictures that contradict trivial statistics weighing more",
    )


def rows_under_shift(
    info: BundleInfo, network: keras.Model, calibrated: Floats, dataset: LabelledPictures, rows: Rows
) -> list[MetricRow]:
    """Return figures of the test part by series, against shortcuts and after changes not trained on."""
    if not info.label_groups:
        return []
    name, members = next(iter(info.label_groups.items()))
    numbers = info.members(name)
    truth, groups = np.isin(dataset.labels[rows], numbers), dataset.groups[rows]
    score = calibrated[:, numbers].sum(axis=1)
    found = _by_series(info, name, calibrated, truth, dataset.series[rows], groups)
    own = _given_away(members, dataset, rows, seed=info.seed)
    if own is not None:
        found += rows_against_shortcuts(f"{name} AUC", truth, score, own, groups)
    for note, change in CHANGES.items():
        pictures = np.stack([change(picture) for picture in dataset.pictures[rows]])
        logits = predict_logits(network, from_bytes(pictures[..., None]))
        score = info.calibration.apply(logits)[:, numbers].sum(axis=1)
        found.append(metric_row(f"{name} AUC", auc, truth, score, groups, part="test", note=note))
    return found


def rows_against_shortcuts(
    name: str, truth: NDArray[np.bool_], score: Floats, own: Floats, groups: NDArray[np.str_]
) -> list[MetricRow]:
    """Return the weighted AUC of a network, and what is left to the statistics under the same weights.

    Parameters
    ----------
    truth, score : (n,)
    own : float32 (n,)
        How probable the own label is by brightness, sharpness and aspect, see `giveaway`.

    References
    ----------
    Kish 1965, Survey Sampling, for the effective number of pictures (sum w)^2 / sum w^2.
    """
    weights = overlap_weights(own)
    effective = weights.sum() ** 2 / (weights**2).sum()
    note = (
        "weighted so that brightness, sharpness and aspect say less of the label; worth "
        f"{effective:.0f} unweighted pictures"
    )
    told = np.where(truth, own, 1 - own)
    judged = {note: score, f"{TRIVIAL}, under the same weights": told}
    return [
        metric_row(
            name, _weighted_auc, truth, np.stack([given, weights], axis=1), groups, part="test", note=said
        )
        for said, given in judged.items()
    ]


def _equalised(picture: Grey) -> Grey:
    return np.asarray(ImageOps.equalize(Image.fromarray(picture)))


def _median(picture: Grey) -> Grey:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.MedianFilter(3)))


def _compressed(picture: Grey) -> Grey:
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "JPEG", quality=20)
    return np.asarray(Image.open(stored))


def _specks(picture: Grey) -> Grey:
    drawn = np.random.default_rng(0).random(picture.shape)
    return np.where(drawn < 0.01, 0, np.where(drawn > 0.99, 255, picture)).astype(np.uint8)


#: Changes that no training picture goes through, by what the card calls them.
CHANGES: Mapping[str, Callable[[Grey], Grey]] = {
    "histogram equalised": _equalised,
    "median filter": _median,
    "JPEG of quality 20": _compressed,
    "2 % of the pixels black or white": _specks,
}


def _weights(members: Sequence[str], dataset: LabelledPictures, rows: Rows, seed: int) -> Floats | None:
    """Return overlap weights of rows, or None where a label has too few groups to judge."""
    own = _given_away(members, dataset, rows, seed)
    return None if own is None else overlap_weights(own)


def _given_away(members: Sequence[str], dataset: LabelledPictures, rows: Rows, seed: int) -> Floats | None:
    """Return how probable each row's side is by statistics, or None of too few groups."""
    numbers = [dataset.names.index(member) for member in members]
    is_member = np.isin(dataset.labels[rows], numbers).astype(np.int64)
    groups = dataset.groups[rows]
    if min(len(np.unique(groups[is_member == side])) for side in (0, 1)) < 2 * _FOLDS:
        return None
    return giveaway(dataset.pictures[rows], is_member, groups, seed=seed, folds=_FOLDS)


def _by_series(
    info: BundleInfo,
    name: str,
    calibrated: Floats,
    truth: NDArray[np.bool_],
    series: NDArray[np.str_],
    groups: NDArray[np.str_],
) -> list[MetricRow]:
    """Return the share of right decisions on `name` in each series of at least ten pictures."""
    right = np.isin(info.decide(calibrated), info.members(name)) == truth
    found = []
    for one in np.unique(series):
        rows = series == one
        if rows.sum() >= _FEWEST_IN_SERIES:
            named = f"{name} decided rightly"
            found.append(rate_row(named, right[rows], groups[rows], part="test", note=str(one)))
    return found


def _weighted_auc(truth: NDArray[np.bool_], pairs: Floats) -> float:
    return float(roc_auc_score(truth, pairs[:, 0], sample_weight=pairs[:, 1]))
