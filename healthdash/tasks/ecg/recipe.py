"""Training: cross-validation that leaves whole recordings out; its networks, averaged, are what ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash import bundles
from healthdash.bundles import Bundle, BundleInfo, DataSource
from healthdash.training import TrainSettings, resumable
from healthdash.training.command import command_line
from healthdash.training.history import EpochRow, recorded
from healthdash.training.stopping import NOT_BY_FOLDS

from . import facts
from .batches import Batches
from .crossed import CrossValidation, measured
from .dataset import check_enough, parted
from .decide import Decision, fit_decision
from .examples import LABELS, Part, real_part, simulated_parts
from .gate import GATE
from .network import averaged, build
from .prepare import CONFIG, sample_inputs
from .sample import EcgSample

__all__ = ["RECIPE", "CrossValidation", "train"]

#: What the settings leave open.
RECIPE: dict[str, Any] = {
    "folds": 7,
    "seeds": 4,
    "epochs": 9,
    "batch_size": 256,
    "learning_rate": 2e-3,
    "weight_decay": 0.02,
    "label_smoothing": 0.05,
    "dropout": 0.4,
    "most_beats": [300, 160, 200, 120, 60],
    "class_weights": [1.0, 1.5, 1.0, 1.0, 1.0],
    "simulated_share": 0.35,
}
_VALIDATION_BEATS = 2000
_SEEDS_APART = 100
_CENTROIDS = 24
_FEWEST_IN_CENTROID = 10
OnEpoch = Callable[[EpochRow], None]


def train(samples: Sequence[EcgSample], settings: TrainSettings, out: Path, on_epoch: OnEpoch) -> Bundle:
    """Train some networks a fold, measure their mean on recordings that they never saw, save the mean."""
    heard, silent = parted(samples)
    samples = list(heard.values())
    check_enough(samples)
    recipe = recipe_of(settings, len(samples))
    parts = [real_part(sample, number, CONFIG) for number, sample in heard.items()]
    done = CrossValidation(parts, folds_of(parts, recipe["folds"]), silent)
    done.history, report = recorded(on_epoch)
    for seed in range(recipe["seeds"]):
        # Drawn anew, so that the mean of the networks depends less on what was drawn.
        made = _simulated(samples, parts, settings, seed)
        for number, fold in enumerate(done.folds, 1):
            inside = [p for i, p in enumerate(parts) if i not in fold]
            inside += [p for i, some in enumerate(made) if i not in fold for p in some]
            outside = [parts[i] for i in fold]
            done.members.append(fit(inside, outside, recipe, settings, report, (number, seed)))
    for number, fold in enumerate(done.folds):
        members = done.members[number :: len(done.folds)]
        for i in fold:
            done.logits[i] = logits_of(members, parts[i].inputs)
            done.logits_at_reference[i] = logits_of(members, reference_inputs(samples[i]))
    return save(samples, done, recipe, settings, out)


def _simulated(
    samples: Sequence[EcgSample], parts: Sequence[Part], settings: TrainSettings, number: int
) -> list[list[Part]]:
    """Return the simulated copies of each recording for one network a fold; none without augmentation."""
    if not settings.augment:
        return [[] for _ in samples]
    rng = np.random.default_rng(settings.seed + _SEEDS_APART * number)
    return [list(simulated_parts(s, p, CONFIG, rng)) for s, p in zip(samples, parts, strict=True)]


def save(
    samples: Sequence[EcgSample],
    done: CrossValidation,
    recipe: Mapping[str, Any],
    settings: TrainSettings,
    out: Path,
) -> Bundle:
    """Measure a finished cross-validation and save the mean of its networks as a bundle."""
    decision = fit_decision(done.all_logits, done.labels)
    return bundles.save(
        out,
        averaged(done.members, dropout=recipe["dropout"]),
        _info(samples, done, recipe, settings, decision, out.name),
        history=done.history,
        evaluation=measured(samples, done, command_line()),
        arrays=_background(done.parts, settings.seed),
    )


def recipe_of(settings: TrainSettings, records: int) -> dict[str, Any]:
    chosen = {n: getattr(settings, n) for n in ("epochs", "batch_size", "learning_rate", "folds")}
    chosen["seeds"] = settings.members
    recipe = RECIPE | {name: value for name, value in chosen.items() if value is not None}
    return recipe | {"folds": max(2, min(recipe["folds"], records))}


def folds_of(parts: Sequence[Part], n_folds: int) -> list[list[int]]:
    """Deal recordings out to folds, those with most S and V beats first, to the fold that has least."""
    beats = np.array([np.bincount(p.labels[p.labels >= 0], minlength=len(LABELS)) for p in parts])
    share = beats / np.maximum(beats.sum(axis=0), 1)
    weight = 3 * share[:, 1] + 2 * share[:, 2] + share[:, 0]
    load = np.zeros(n_folds)
    folds: list[list[int]] = [[] for _ in range(n_folds)]
    for record in np.argsort(-weight, kind="stable").tolist():
        lightest = int(load.argmin())
        folds[lightest].append(record)
        load[lightest] += weight[record]
    return [sorted(fold) for fold in folds if fold]


def fit(
    train_parts: Sequence[Part],
    test_parts: Sequence[Part],
    recipe: Mapping[str, Any],
    settings: TrainSettings,
    on_epoch: OnEpoch,
    fold_and_seed: tuple[int, int],
) -> Any:
    """Fit one network for a fixed number of epochs: to stop early would choose on the tested recordings."""
    fold, number = fold_and_seed
    seed = settings.seed + _SEEDS_APART * number
    run = f"fold {fold}" if number == 0 else f"fold {fold}, seed {number + 1}"
    keras.utils.set_random_seed(seed + fold)
    batches = Batches(
        train_parts,
        most=recipe["most_beats"],
        simulated_share=recipe["simulated_share"],
        batch_size=recipe["batch_size"],
        augment=settings.augment,
        seed=seed,
    )
    shapes = {n: v.shape[1:] for n, v in train_parts[0].inputs.items()}
    network = build(shapes, len(LABELS), dropout=recipe["dropout"], name=f"fold_{fold}_seed_{number}")
    steps = len(batches) * recipe["epochs"]
    warm = max(1, steps // 8)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, max(1, steps - warm), warmup_target=recipe["learning_rate"], warmup_steps=warm, alpha=0.005
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=recipe["weight_decay"]),
        loss=_smoothed_loss(recipe["label_smoothing"], recipe["class_weights"]),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    resumable.fit(
        network,
        batches,
        epochs=recipe["epochs"],
        on_epoch=on_epoch,
        run=run,
        validation_data=_validation(test_parts, settings.seed),
        validation_batch_size=512,
    )
    # Without loss and optimizer, which a bundle must not hold: it is loaded without this module.
    bare = build(shapes, len(LABELS), dropout=recipe["dropout"], name=network.name)
    bare.set_weights(network.get_weights())
    return bare


def _smoothed_loss(smoothing: float, weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Return cross-entropy with smoothed labels, weighted by class."""
    k = len(weights)

    def loss(truth: Any, logits: Any) -> Any:
        hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(truth, (-1,)), "int32"), k)
        weight = keras.ops.sum(hot * keras.ops.convert_to_tensor(weights, dtype="float32"), axis=-1)
        target = hot * (1 - smoothing) + smoothing / k
        return -weight * keras.ops.sum(target * keras.ops.log_softmax(logits), axis=-1)

    return loss


def _validation(parts: Sequence[Part], seed: int) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
    """Return some beats of the left-out recordings, to watch the curves only."""
    labels = np.concatenate([p.labels for p in parts])
    rows = np.flatnonzero(labels >= 0)
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_VALIDATION_BEATS])
    inputs = [np.concatenate([p.inputs[n] for p in parts])[rows] for n in parts[0].inputs]
    return inputs, labels[rows]


def logits_of(networks: Sequence[Any], inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the mean of the networks' logits, float32 (n, labels)."""
    return np.asarray(np.mean([_logits_of_one(network, inputs) for network in networks], axis=0), np.float32)


def _logits_of_one(network: Any, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    n = len(next(iter(inputs.values())))
    parts = [
        np.asarray(
            keras.ops.convert_to_numpy(network([v[i : i + 4096] for v in inputs.values()], training=False))
        )
        for i in range(0, n, 4096)
    ]
    return np.concatenate(parts).astype(np.float32)


def reference_inputs(sample: EcgSample) -> Mapping[str, NDArray[np.float32]]:
    assert sample.annotation is not None
    return sample_inputs(sample, sample.annotation.samples, CONFIG)


def _info(
    samples: Sequence[EcgSample],
    done: CrossValidation,
    recipe: Mapping[str, Any],
    settings: TrainSettings,
    decision: Decision,
    name: str,
) -> BundleInfo:
    return BundleInfo(
        task="ecg-beats",
        name=name,
        title="Beats of an ECG",
        labels=LABELS,
        preprocessing=CONFIG,
        inputs={},
        calibration=decision.calibration,
        operating_points=decision.points,
        gate=GATE,
        data=DataSource(**facts.data_of(samples), rows=int((done.labels >= 0).sum()), groups=len(samples)),
        intended_use=facts.INTENDED_USE,
        limits=facts.limits_of(samples, len(done.silent)),
        recipe=dict(recipe) | {"early stopping": NOT_BY_FOLDS, "augmentation": settings.augment},
        seed=settings.seed,
    )


def _background(parts: Sequence[Part], seed: int) -> dict[str, NDArray[np.float32]]:
    """Return centroids of at least ten beats each: typical beats, none of them a real one."""
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(seed)
    picked = [rng.permutation(np.flatnonzero(p.labels >= 0))[:150] for p in parts]
    inputs = {
        n: np.concatenate([p.inputs[n][rows] for p, rows in zip(parts, picked, strict=True)])
        for n in parts[0].inputs
    }
    flat = np.concatenate([v.reshape(len(v), -1) / np.sqrt(v[0].size) for v in inputs.values()], axis=1)
    number = max(1, min(_CENTROIDS, len(flat) // (2 * _FEWEST_IN_CENTROID)))
    groups = KMeans(number, n_init=2, random_state=seed).fit_predict(flat)
    large = [g for g in range(number) if (groups == g).sum() >= _FEWEST_IN_CENTROID]
    return {
        n: np.stack([v[groups == g].mean(axis=0) for g in large]).astype(np.float32)
        for n, v in inputs.items()
    }
