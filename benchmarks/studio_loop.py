"""Examples a second of the studio's training loop against plain `keras.Model.fit`; who waits for data."""

from __future__ import annotations

import atexit
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.trainers import data_adapters

from benchmarks import made
from benchmarks.rows import Row, alternate, missing, seconds_of
from healthdash import archive, runtime, tasks
from healthdash.training import TrainSettings, checkpoint, live, resumable
from healthdash.training.studio import batches, optimisers
from healthdash.training.studio.items import Labelled, as_labelled
from healthdash.training.studio.losses import loss_of
from healthdash.training.studio.networks import NETWORKS, Network
from healthdash.training.studio.plans import Plan

_ITEMS = {"row": 8192, "picture": 256, "signal": 256}
#: Large networks take seconds a batch, so that four batches are enough.
_FEW, _LARGE = 64, {"efficientnet-v2-b0", "densenet-121"}
#: A round is long enough that what a run does once, as its checkpoints, counts as little as in a real one.
_BUDGET_S, _ROUND_S = 12.0, 6.0
_GENERIC = ("table", "images", "signals")
_MOST_EPOCHS = 50
_TARGETS = {"table": "outcome"}


def rows() -> Iterator[Row]:
    """Yield a row a network, then one a kind of data."""
    for network in NETWORKS.values():
        if network.module:
            yield _loop(network)
    for slug in _GENERIC:
        yield _waiting(slug)


def _loop(network: Network) -> Row:
    """Compare epochs of both on the same arrays, network, loss and optimizer, in turn."""
    kind = network.kinds[-1]
    labelled = made.items(kind, _FEW if network.slug in _LARGE else _ITEMS[kind])
    plan = Plan.of(TrainSettings(network=network.slug, augment=False, folds=0), labelled)
    learnt = _batches(labelled, labelled, plan)
    model = _compiled(network, labelled, plan, len(learnt))
    targets = np.eye(2, dtype=np.float32)[labelled.truth]
    weights = np.ones(len(labelled), np.float32)

    def plain(epochs: int) -> Callable[[], Any]:
        return lambda: model.fit(
            labelled.values,
            targets,
            sample_weight=weights,
            batch_size=plan.batch_size,
            epochs=epochs,
            verbose=0,
        )

    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _studio(model, learnt, 1, Path(folder)), plain(1)
        ours(), theirs()
        epochs = max(1, round(_ROUND_S / seconds_of(theirs)[0]))
        times = alternate([_studio(model, learnt, epochs, Path(folder)), plain(epochs)], budget_s=_BUDGET_S)
    rates = [epochs * len(labelled) / seconds for seconds in times]
    return Row.compared(
        f"studio's loop, {network.title} on a {kind}, batch {plan.batch_size}",
        ours=f"{rates[0]:,.0f} examples/s, with checkpoints and live page",
        reference=f"{rates[1]:,.0f}/s keras.Model.fit on arrays",
        ratio=rates[0] / rates[1],
        at_least=0.95,
    )


def _studio(model: Any, learnt: Any, epochs: int, folder: Path) -> Callable[[], None]:
    """Return a fit as the studio does it, with all that a run on the page has."""
    turn = iter(range(10**6))

    def fit() -> None:
        # A checkpoint of a name that was there before would end the fit at once.
        with checkpoint.kept_in(folder / "kept"), live.shown_in(folder / live.LIVE, ("no", "yes")):
            resumable.fit(
                model, learnt, epochs=epochs, on_epoch=lambda row: None, run=f"{next(turn)} {epochs}"
            )

    return fit


def _batches(labelled: Labelled, prepared: Any, plan: Plan) -> Any:
    everything = np.arange(len(labelled), dtype=np.int64)
    return batches.training(batches.Items(prepared, labelled.truth, everything, 2), plan, seed=0)


def _compiled(network: Network, prepared: Any, plan: Plan, steps: int, labels: int = 2) -> Any:
    keras.utils.set_random_seed(0)
    model = network.build(prepared, labels, plan)
    model.compile(
        optimisers.optimiser(plan, steps), loss_of(plan.loss),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")], jit_compile=False,
    )  # fmt: skip
    return model


def _waiting(slug: str) -> Row:
    """Time the steps of a training, and how long each waits for its batch beyond one that is ready."""
    name = f"share of time waiting for data, {slug}, after an epoch's first batch"
    if slug not in {task.slug for task in tasks.all_tasks()}:
        return missing(name, "there is no such task")
    labelled = _synthetic(slug)
    plan = Plan.of(TrainSettings(folds=0), labelled)
    everything = np.arange(len(labelled), dtype=np.int64)
    prepared, labels = labelled.fitted(everything), len(labelled.labels)
    items = batches.Items(prepared, labelled.truth, everything, labels)
    learnt = batches.training(items, plan, seed=0)
    model = _compiled(plan.entry, prepared, plan, len(learnt), labels)
    waited, steps, handed = _measured(model, learnt)
    # What it takes to hand a batch over that is ready is no waiting; Keras does it inside the compiled step.
    hand_s = statistics.median(handed)
    share = sum(max(wait - hand_s, 0.0) for wait in waited) / (sum(waited) + sum(steps))
    return Row.compared(
        name,
        ours=f"{share:.1%} of {len(steps)} steps",
        reference=f"a step {1e3 * statistics.median(steps):.0f} ms, a ready batch {1e3 * hand_s:.1f} ms",
        ratio=share,
        at_most=0.05,
    )


def _measured(model: Any, learnt: Any) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of waiting for each batch, of each step, and of getting a batch that is ready."""
    data = learnt.stream() or data_adapters.get_data_adapter(x=learnt, shuffle=False).get_tf_dataset()
    ready = runtime.tensorflow().data.Dataset.from_tensors(next(iter(data))).repeat()
    waited, steps, handed, begun = [], [], [], 0.0
    for epoch in range(_MOST_EPOCHS):
        learnt.begin(epoch)
        times = list(_steps(model, iter(data), len(learnt)))[1:]
        floor = list(_steps(model, iter(ready), len(learnt)))[1:]
        if not epoch:
            # TensorFlow traces in the first epoch.
            begun = time.perf_counter()
            continue
        waited += [wait for wait, _ in times]
        steps += [step for _, step in times]
        handed += [wait for wait, _ in floor]
        if time.perf_counter() - begun > 2 * _BUDGET_S:
            break
    return waited, steps, handed


def _steps(model: Any, data: Iterator[Any], count: int) -> Iterator[tuple[float, float]]:
    """Yield how long each step waited for its batch, and how long it took with it."""
    for _ in range(count):
        waited, batch = seconds_of(lambda: next(data))
        taken, _ = seconds_of(lambda given=batch: model.train_on_batch(*given))
        yield waited, taken


def _synthetic(slug: str) -> Labelled:
    """Return the synthetic training set of a task for own data."""
    task = tasks.get(slug)
    example = task.training_examples()[0]
    (upload,) = example.make()
    folder = Path(tempfile.mkdtemp(prefix="healthdash-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = archive.placed(upload.name, upload.data, folder)
    return as_labelled(
        task.load_dataset(data, TrainSettings(target=example.settings.target or _TARGETS.get(slug)))
    )
