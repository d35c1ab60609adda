"""One fit: a network from some of the items, ready to be averaged, refitted or judged elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from healthdash import runtime
from healthdash.training import devices, resumable
from healthdash.training.history import EpochRow
from healthdash.training.settings import TrainSettings
from healthdash.training.studio import batches, optimisers
from healthdash.training.studio.items import Labelled, Prepared, Rows
from healthdash.training.studio.losses import loss_of
from healthdash.training.studio.plans import Plan

__all__ = ["Fitted", "OnEpoch", "Part", "fit_fold", "logits_of", "rebuilt"]

OnEpoch = Callable[[EpochRow], None]
Floats = NDArray[np.float32]
_AT_ONCE = 256
#: A network that begins from a file: first its new end alone, for a part of the epochs; then all of it,
#: more slowly, so that what it brought is not lost.
_NEW_END_EPOCHS, _WHOLE_RATE = 0.25, 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One fit of a training: plain data, to be sent anywhere.

    Attributes
    ----------
    run : str
        Its name in the history and among the checkpoints.
    train, validation : int64 (m,)
        Items that it learns from; items that end it and choose its weights, perhaps none.
    judged : int64 (j,)
        Items whose logits are wanted.
    epochs : int or None
        Exactly so many, along the plan's schedule; None: until the validation loss is no longer better.
    """

    run: str
    seed: int
    train: Rows
    validation: Rows
    judged: Rows
    epochs: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What comes out of a fit: plain data.

    Attributes
    ----------
    weights : list of arrays
        Of the network that the same plan builds; see `rebuilt`.
    logits : float32 (j, k)
        Of the judged items.
    best_epoch : int
        From 1; the one whose weights were kept.
    preprocessing : dict
        The constants by which the items were prepared.
    history : tuple of rows
        Its epochs, also those before and beside the network's own.
    told : dict of str to str
        What else the card says of it.
    """

    weights: list[NDArray[Any]]
    logits: Floats
    best_epoch: int
    preprocessing: Mapping[str, Any]
    history: tuple[EpochRow, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)


def fit_fold(labelled: Labelled, settings: TrainSettings, part: Part, on_epoch: OnEpoch) -> Fitted:
    """Fit one network; the same arguments give the same weights, in this process or another.

    Parameters
    ----------
    on_epoch : function of a row
        May raise `TrainingStopped`.

    Raises
    ------
    TrainingDiverged
        The loss is no longer a number.
    """
    from healthdash.training.studio.generative import pretraining, synthetic

    plan = Plan.of(settings, labelled)
    prepared, labels = labelled.fitted(part.train), len(labelled.labels)
    history: list[EpochRow] = []
    rows: list[EpochRow] = []

    def report(row: EpochRow) -> None:
        history.append(dict(row))
        if row.get("run") == part.run:
            rows.append(dict(row))
        on_epoch(row)

    filled = synthetic.filled(labelled, prepared, part.train, settings, report, seed=part.seed, run=part.run)
    items = batches.Items(filled.prepared, filled.truth, filled.train, labels)
    runtime.ready_to_train()
    keras.utils.set_random_seed(part.seed)
    with _precision(plan), devices.scope():
        network = plan.entry.build(prepared, labels, plan)
        told = pretraining.pretrain(
            network, labelled.kind, prepared, part.train, settings, report,
            count=len(labelled), seed=part.seed, run=part.run,
        )  # fmt: skip
        _phases(network, plan, items, part, report, rows)
    plain = _plain(network, prepared, plan, labels)
    return Fitted(
        weights=plain.get_weights(),
        logits=logits_of(plain, prepared, part.judged),
        best_epoch=_best(rows),
        preprocessing=dict(prepared.preprocessing),
        history=tuple(history),
        told={**filled.told, **told},
    )


def rebuilt(
    labelled: Labelled, settings: TrainSettings, part: Part, fitted: Fitted
) -> tuple[keras.Model, Prepared]:
    """Return the network of a fit that was done anywhere, and the items as it takes them."""
    # Where the fit was done elsewhere this is TensorFlow's first work here, after which it takes no settings.
    runtime.tensorflow()
    prepared = labelled.fitted(part.train)
    network = _bare(prepared, Plan.of(settings, labelled), len(labelled.labels))
    network.set_weights(fitted.weights)
    return network, prepared


def logits_of(network: keras.Model, prepared: Prepared, rows: Rows) -> Floats:
    """Return the network's output for some items, float32 (m, labels); read a batch at a time."""
    parts = [
        np.asarray(network.predict_on_batch(prepared.inputs(rows[start : start + _AT_ONCE])), np.float32)
        for start in range(0, len(rows), _AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, network.output_shape[-1]), np.float32)


def _phases(
    network: keras.Model,
    plan: Plan,
    items: batches.Items,
    part: Part,
    on_epoch: OnEpoch,
    told: list[EpochRow],
) -> None:
    """Fit a network; where part of it came from a file, its new end first."""
    known = [layer for layer in network.layers if isinstance(layer, keras.Model)] if plan.weights_file else []
    whole = plan
    if known:
        end = replace(plan, epochs=max(1, round(_NEW_END_EPOCHS * plan.epochs)))
        for layer in known:
            layer.trainable = False
        _fit(network, end, items, part, on_epoch, (), epochs=end.epochs, run=f"{part.run}, new end")
        for layer in known:
            layer.trainable = True
        whole = replace(plan, learning_rate=_WHOLE_RATE * plan.learning_rate)
    _fit(network, whole, items, part, on_epoch, told, epochs=part.epochs or plan.epochs, run=part.run)


def _fit(
    network: keras.Model,
    plan: Plan,
    items: batches.Items,
    part: Part,
    on_epoch: OnEpoch,
    told: Sequence[EpochRow],
    *,
    epochs: int,
    run: str,
) -> None:
    """Compile and fit; the schedule goes over the plan's epochs, of which fewer may be taken."""
    learnt = batches.training(items, plan, seed=part.seed)
    watched = None
    if len(part.validation):
        held = batches.Items(items.prepared, items.truth, part.validation, items.labels)
        # Of the real items: with synthetic ones every label seems as frequent as any other.
        watched = batches.steady(held, plan, items.truth[part.train])
    network.compile(
        optimisers.optimiser(plan, len(learnt)),
        loss_of(plan.loss),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False,
    )
    stopping = None
    if watched is not None and part.epochs is None:
        stopping = keras.callbacks.EarlyStopping(patience=plan.patience, restore_best_weights=True)
    resumable.fit(
        network, learnt, epochs=epochs, on_epoch=on_epoch, run=run, stopping=stopping,
        first=optimisers.callbacks(plan, told), validation_data=watched,
    )  # fmt: skip


@contextmanager
def _precision(plan: Plan) -> Iterator[None]:
    """Let networks be built for the plan's precision: on a GPU float16, on a CPU bfloat16, if mixed."""
    before = keras.mixed_precision.global_policy()
    half = "mixed_float16" if runtime.device().kind == "GPU" else "mixed_bfloat16"
    keras.mixed_precision.set_global_policy(half if plan.precision == "mixed" else "float32")
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


def _plain(network: keras.Model, prepared: Prepared, plan: Plan, labels: int) -> keras.Model:
    """Return the same network in float32, on this process alone."""
    if plan.precision != "mixed" and devices.is_alone(network):
        return network
    plain = _bare(prepared, plan, labels)
    plain.set_weights(network.get_weights())
    return plain


def _bare(prepared: Prepared, plan: Plan, labels: int) -> keras.Model:
    """Return an untrained network in float32; the file that it began from is not read again."""
    return plan.entry.build(prepared, labels, replace(plan, weights_file=None))


def _best(rows: list[EpochRow]) -> int:
    """Return the epoch, from 1, with the least validation loss, or the last without any."""
    losses = [float(row["val_loss"]) for row in rows if "val_loss" in row]
    return int(np.argmin(losses)) + 1 if losses else max(1, len(rows))
