"""How the shipped delineation network is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash import bundles
from healthdash.bundles import Bundle, BundleInfo, DataSource, OperatingPoint
from healthdash.training import TrainSettings
from healthdash.training.command import command_line
from healthdash.training.evaluation import Evaluation
from healthdash.training.history import EpochRow, recorded
from healthdash.training.splits import Split
from healthdash.training.stopping import TO_THE_END

from ..gate import GATE
from . import facts
from .batches import leads_of
from .condition import CONFIG, INPUT, conditioned, windows
from .delineate import Delineator, compiled, delineator_of
from .fitting import RECIPE, fit
from .limits import LABELS, Annotated
from .measured import answered, evaluation
from .network import of_windows
from .parts import parted

__all__ = ["measured_again", "train"]

_SPLIT_RULE = (
    "Split by patient: seven tenths trained on, one tenth watched while training, two tenths held out; those "
    "without P waves dealt out evenly. Nothing was chosen on the held-out patients: not the network, its "
    "length of training, nor the rules by which samples become waves."
)
_CENTROIDS, _FEWEST_IN_CENTROID, _MOST_WINDOWS = 4, 10, 1500
#: Shares of two seconds that a wave of the shortest length takes: P 40 ms, QRS 30 ms, T 50 ms.
_POINTS = (
    OperatingPoint(label="P", threshold=0.02, rule="P waves of 40 ms or more in the two seconds"),
    OperatingPoint(label="QRS", threshold=0.015, rule="complexes of 30 ms or more, and no P waves"),
    OperatingPoint(label="T", threshold=0.025, rule="T waves of 50 ms or more, and no complexes"),
)
#: The gate of the beats, for shorter strips: an interval needs two complexes, a rhythm needs many.
_GATE = GATE | {"shortest_s": 2.0, "short_s": 0.0}


def train(
    recordings: Sequence[Annotated],
    settings: TrainSettings,
    out: Path,
    on_epoch: Callable[[EpochRow], None],
) -> Bundle:
    """Fit on some patients, measure on others, save."""
    split = parted(recordings, settings.seed)
    chosen = {name: getattr(settings, name) for name in ("epochs", "batch_size", "learning_rate", "dropout")}
    recipe = RECIPE | {name: value for name, value in chosen.items() if value is not None}
    training, validation = ([recordings[i] for i in rows] for rows in (split.train, split.validation))
    history, report = recorded(on_epoch)
    inner = fit(training, validation, CONFIG, recipe, settings, report)
    network = of_windows(inner, CONFIG["samples"], CONFIG["core"])
    measured = _measured_on_test(recordings, split, compiled(network), CONFIG, command_line())
    info = _info(recordings, recipe, settings, out.name)
    background = {INPUT: _centroids(training, settings.seed)}
    return bundles.save(out, network, info, history=history, evaluation=measured, arrays=background)


def measured_again(bundle: Bundle, recordings: Sequence[Annotated]) -> Evaluation:
    """Measure a bundle on the held-out patients of its data, as its training did."""
    split, info = parted(recordings, bundle.info.seed), bundle.info
    call = delineator_of(bundle)
    return _measured_on_test(recordings, split, call, info.preprocessing, bundle.evaluation.command)


def _measured_on_test(
    recordings: Sequence[Annotated], split: Split, call: Delineator, config: Mapping[str, Any], command: str
) -> Evaluation:
    return evaluation(
        answered([recordings[i] for i in split.test], call, config),
        part="held-out patients",
        split_rule=_SPLIT_RULE,
        counts=_counts(recordings, split),
        command=command,
    )


def _counts(recordings: Sequence[Annotated], split: Split) -> dict[str, int]:
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return {f"{name}, patients": len(rows) for name, rows in parts.items()} | {
        "test, patients without P waves": sum(not recordings[i].has_p_waves for i in split.test)
    }


def _info(
    recordings: Sequence[Annotated], recipe: Mapping[str, Any], settings: TrainSettings, name: str
) -> BundleInfo:
    waves = sum(len(limits.kind) for one in recordings for limits in one.limits if limits is not None)
    return BundleInfo(
        task="ecg-waves",
        name=name,
        title="Waves of an ECG",
        labels=LABELS,
        preprocessing=CONFIG,
        inputs={},
        operating_points=_POINTS,
        gate=_GATE,
        data=DataSource(**facts.data_of(recordings), rows=waves, groups=len(recordings)),
        intended_use=facts.INTENDED_USE,
        limits=facts.limits_of(recordings),
        recipe=dict(recipe) | {"early stopping": TO_THE_END, "augmentation": settings.augment},
        seed=settings.seed,
    )


def _centroids(recordings: Sequence[Annotated], seed: int) -> NDArray[np.float32]:
    """Return mean windows of at least ten leads each, a complex in their middle: none is a real one."""
    from sklearn.cluster import KMeans

    rng, cut = np.random.default_rng(seed), []
    for lead in leads_of(recordings, CONFIG["rate_hz"]):
        seen = conditioned(lead.signal[:, None].astype(np.float32), CONFIG["rate_hz"], CONFIG)[:, 0]
        starts = np.flatnonzero(np.diff((lead.label == 2).astype(np.int8)) == 1)
        if len(starts):
            middle = starts[len(starts) // 2 : len(starts) // 2 + 1] - CONFIG["samples"] // 2
            cut.append(windows(seen, middle, CONFIG)[0])
    rows = rng.permutation(len(cut))[:_MOST_WINDOWS]
    stacked = np.stack([cut[row] for row in rows])
    number = max(1, min(_CENTROIDS, len(stacked) // (2 * _FEWEST_IN_CENTROID)))
    groups = KMeans(number, n_init=2, random_state=seed).fit_predict(stacked[:, :, 0])
    large = [g for g in range(number) if (groups == g).sum() >= _FEWEST_IN_CENTROID] or [0]
    return np.stack([stacked[groups == g].mean(axis=0) for g in large]).astype(np.float32)
