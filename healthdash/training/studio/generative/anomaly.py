"""How unlike the usual items is this one: an autoencoder that has only seen usual ones, as a model bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash import bundles
from healthdash.bundles import Bundle, BundleInfo, OperatingPoint
from healthdash.errors import InvalidInput, TooLittleData
from healthdash.training import TrainSettings
from healthdash.training.evaluation import (
    Evaluation,
    MetricRow,
    confusion,
    curve_points,
    metric_row,
    rate_row,
)
from healthdash.training.history import EpochRow, recorded
from healthdash.training.ranking import auc
from healthdash.training.studio.generative.form import Form, fitted_form
from healthdash.training.studio.items import Labelled, Prepared, Rows
from healthdash.training.studio.wholes import by_whole, counted

if TYPE_CHECKING:
    import keras

__all__ = ["LABELS", "Parts", "parts_of", "train"]

LABELS = ("usual", "unusual")
#: Of usual items, the share that is still called usual.
USUAL_SHARE = 0.95
_PARTS = 7
_FEWEST_GROUPS = 14
_AT_ONCE = 256
_SPLIT_RULE = (
    "The usual items were split at random by group into train, validation and test (5:1:1); no group is in "
    "two parts. The validation items stop the training and set which error is how unusual; the test items, "
    "and all items with another label of groups that were not learnt from, have no part in that."
)
_LIMITS = (
    "It says how unlike the learnt items an input is, not what is wrong with it: a bad recording is as "
    "unusual as a disease, and a disease that looks usual is not found.",
    "The number is the share of usual items with a smaller error, not a probability of a disease.",
)


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows of usual items to learn, to stop and scale by, and to test on; and of all others to test on."""

    train: Rows
    validation: Rows
    test: Rows
    others: Rows


def parts_of(is_usual: NDArray[np.bool_], groups: NDArray[np.str_], *, seed: int) -> Parts:
    """Split usual items by group; others are those whose group was neither learnt nor stopped by.

    Raises
    ------
    TooLittleData
        The usual items come from too few groups.
    """
    names = np.unique(groups[is_usual])
    if len(names) < _FEWEST_GROUPS:
        raise TooLittleData(
            f"expected usual items of at least {_FEWEST_GROUPS} patients or groups, got {len(names)}",
            hint="Add items of this label, or choose another one as the usual.",
        )
    part = np.arange(len(names)) % _PARTS
    named = dict(zip(np.random.default_rng(seed).permutation(names).tolist(), part.tolist(), strict=True))
    # A group without usual items was never learnt from: it is tested, like part 0.
    dealt = np.array([named.get(str(group), 0) for group in groups])
    at = np.arange(len(groups))
    return Parts(
        train=at[is_usual & (dealt > 1)],
        validation=at[is_usual & (dealt == 1)],
        test=at[is_usual & (dealt == 0)],
        others=at[~is_usual & (dealt == 0)],
    )


def train(
    labelled: Labelled,
    settings: TrainSettings,
    out: Path,
    on_epoch: Callable[[EpochRow], None],
    *,
    command: str = "",
) -> Bundle:
    """Train, scale, measure and save it.

    Parameters
    ----------
    settings : TrainSettings
        `normal` is the label of the usual items; None takes the commonest label, or all items where they
        have one label only.
    out : Path
        Folder of the bundle.
    on_epoch : function of a row
        May raise `TrainingStopped`.

    Raises
    ------
    InvalidInput
        There is no such label.
    TooLittleData
        The usual items come from too few groups.
    """
    from healthdash.training.studio.generative.autoencoder import fit_autoencoder
    from healthdash.training.studio.generative.scoring import error_network, scored

    history, report = recorded(on_epoch)
    usual = _usual_label(labelled, settings.normal)
    parts = parts_of(labelled.truth == usual, labelled.groups, seed=settings.seed)
    prepared = labelled.fitted(parts.train)
    form = fitted_form(labelled.kind, prepared, parts.train, seed=settings.seed)
    autoencoder = fit_autoencoder(form, prepared, parts.train, parts.validation, settings, report)
    errors = error_network(form, autoencoder, prepared.name)
    network = scored(errors, _outputs(errors, prepared, parts.validation)[:, 0])
    info = _info(labelled, prepared, form, settings, out.name, labelled.labels[usual], autoencoder)
    shares = info.calibration.apply(_outputs(network, prepared, parts.validation))
    info = info.model_copy(update={"operating_points": (_point(labelled, parts.validation, shares),)})
    info = info.model_copy(update={"gate": dict(prepared.gate(parts.train))})
    measured = _measured(labelled, _outputs(network, prepared, _tested(parts)), parts, info)
    background = dict(prepared.background(parts.train, settings.seed))
    evaluation = measured.model_copy(update={"command": command})
    return bundles.save(out, network, info, history=history, evaluation=evaluation, arrays=background)


def _usual_label(labelled: Labelled, wanted: str | None) -> int:
    if wanted is None:
        return int(np.bincount(labelled.truth).argmax())
    if wanted not in labelled.labels:
        raise InvalidInput(
            f"expected the label of the usual items, one of {', '.join(labelled.labels)}",
            hint="Choose one of these labels.",
        )
    return labelled.labels.index(wanted)


def _tested(parts: Parts) -> Rows:
    return np.concatenate([parts.test, parts.others])


def _outputs(network: keras.Model, prepared: Prepared, rows: Rows) -> NDArray[np.float32]:
    """Return a network's output for some items, a batch at a time."""
    blocks = [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
    return np.concatenate(
        [np.asarray(network(prepared.inputs(block), training=False), np.float32) for block in blocks]
    )


def _info(
    labelled: Labelled,
    prepared: Prepared,
    form: Form,
    settings: TrainSettings,
    name: str,
    usual: str,
    autoencoder: keras.Model,
) -> BundleInfo:
    facts = dict(labelled.facts())
    is_named = len(labelled.labels) > 1
    learnt = f"items labelled {usual}" if is_named else "all items, which had no labels"
    facts["title"] = f"{facts['title']}: usual or unusual"
    facts["intended_use"] = (
        f"To find {labelled.unit}s that are unlike those that it learnt ({learnt}), for a person to look at."
    )
    facts["limits"] = (*_LIMITS, *facts.get("limits", ()))
    return BundleInfo(
        task=labelled.task,
        name=name,
        labels=LABELS,
        preprocessing={**prepared.preprocessing, "restored": form.stored()},
        inputs={},
        recipe=_recipe(settings, learnt, autoencoder) | dict(getattr(labelled, "notes", {})),
        seed=settings.seed,
        **facts,
    )


def _point(labelled: Labelled, rows: Rows, shares: NDArray[np.float32]) -> OperatingPoint:
    """Return from which share on an item is unusual; where items are windows, from which mean of theirs.

    Of a usual window the share is as likely low as high, so that the mean of several is nearer to a half.
    """
    kept, means = by_whole(labelled, rows, shares)
    is_window = len(kept) < len(rows)
    threshold = float(np.quantile(means[:, 1], USUAL_SHARE)) if is_window else USUAL_SHARE
    what = f"{labelled.unit}s, by the mean of their windows" if is_window else "items"
    return OperatingPoint(
        label=LABELS[1],
        threshold=threshold,
        rule=f"a larger error than {USUAL_SHARE:.0%} of the usual validation {what}",
    )


def _recipe(settings: TrainSettings, learnt: str, autoencoder: keras.Model) -> dict[str, Any]:
    from healthdash.training.studio.generative.autoencoder import AutoencoderPlan

    return {
        "network": "denoising autoencoder",
        "learnt from": learnt,
        "numbers that stand for an item": int(autoencoder.get_layer("code").units),
        "share hidden while training": AutoencoderPlan.hidden,
        "epochs": settings.epochs or AutoencoderPlan.epochs,
        "batch_size": settings.batch_size or AutoencoderPlan.batch_size,
        "learning_rate": settings.learning_rate or AutoencoderPlan.learning_rate,
        "patience": settings.patience or AutoencoderPlan.patience,
        "augment": settings.augment,
    }


def _measured(labelled: Labelled, logits: NDArray[np.float32], parts: Parts, info: BundleInfo) -> Evaluation:
    """Measure it on usual test items and on all others; without others only its false alarms are known."""
    every = _tested(parts)
    rows, shares = by_whole(labelled, every, info.calibration.apply(logits))
    truth = np.isin(rows, parts.others)
    # Shares near 1 are alike in single precision, their log odds are not.
    score = logits[:, 1] - logits[:, 0] if rows is every else shares[:, 1]
    groups = labelled.groups[rows]
    decided = info.decide(shares)
    metrics = [_called(truth, decided, groups, is_other=False)]
    curves: dict[str, Any] = {}
    if truth.any():
        metrics = [
            _auc("AUC", truth, score, groups),
            _called(truth, decided, groups, is_other=True),
            *metrics,
        ]
        roc, recall = curve_points(truth, score)
        curves = {
            "roc": {LABELS[1]: roc},
            "precision_recall": {LABELS[1]: recall},
            "confusion": confusion(LABELS, truth.astype(int), decided),
        }
    sizes = {"train": parts.train, "validation": parts.validation, "test": parts.test, "others": parts.others}
    return Evaluation(
        split_rule=_SPLIT_RULE,
        counts=counted(labelled, sizes),
        metrics=tuple(metrics),
        subgroups=tuple(_by_label(labelled, rows, truth, score)),
        **curves,
    )


def _auc(
    name: str,
    truth: NDArray[np.bool_],
    score: NDArray[np.float32],
    groups: NDArray[np.str_],
    part: str = "usual test items and all others",
) -> MetricRow:
    hot = truth.astype(np.int64)
    return metric_row(name, auc, hot, score, groups, part=part, note="0.5 is chance")


def _called(
    truth: NDArray[np.bool_], decided: NDArray[np.int64], groups: NDArray[np.str_], *, is_other: bool
) -> MetricRow:
    """Return the share of a kind of items that is called unusual."""
    at = truth == is_other
    name = "others called unusual" if is_other else "usual items called unusual"
    note = "sensitivity" if is_other else f"false alarms; {1 - USUAL_SHARE:.0%} are meant"
    part = "all others" if is_other else "usual test items"
    return rate_row(name, decided[at] == 1, groups[at], part=part, note=note)


def _by_label(
    labelled: Labelled, rows: Rows, truth: NDArray[np.bool_], score: NDArray[np.float32]
) -> list[MetricRow]:
    """Return the area under the curve of the usual items against each other label by itself."""
    found = []
    for number, label in enumerate(labelled.labels):
        own = truth & (labelled.truth[rows] == number)
        at = own | ~truth
        if own.sum() > 1 and len(labelled.labels) > 2:
            part = "usual test items and those of this label"
            found.append(_auc(f"AUC, {label}", truth[at], score[at], labelled.groups[rows][at], part))
    return found
