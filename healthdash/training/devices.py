"""On how many devices one network trains: a GPU each with a part of every batch, here or on several hosts.

Gradients are averaged over the devices in every step (tf.distribute). The `fit` of Keras 3 begins by
adding up the parts of a batch, to build a network from them. On one host that ends with "Inputs to
operation AddN must have the same size" where the parts are not equal, over several hosts always with
"Attempt to convert a value (PerReplica...) ... to a Tensor" (keras-team/keras#20585, open). Built
networks do not need that step, so `ready` takes it out, and lets the figures of an epoch be read from
the metrics instead of from each device's outputs. Metrics that are not there yet are made from a whole
batch before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from healthdash import runtime

__all__ = ["is_alone", "is_chief", "ready", "scope", "spread"]


@dataclass(frozen=True, slots=True)
class _Spread:
    """A strategy of several hosts, and whether this process writes for all of them."""

    strategy: Any
    is_chief: bool


_spread: ContextVar[_Spread | None] = ContextVar("strategy", default=None)


@contextmanager
def spread(strategy: Any, *, is_chief: bool) -> Iterator[None]:
    """Let the networks inside train by a strategy of several hosts, which this process is one of."""
    entered = _spread.set(_Spread(strategy, is_chief))
    try:
        yield
    finally:
        _spread.reset(entered)


def is_alone(model: Any) -> bool:
    """Say whether a network is on one device of one host; others predict for each device apart."""
    return _spread.get() is None and model.distribute_strategy.num_replicas_in_sync == 1


def is_chief() -> bool:
    """Say whether this process keeps checkpoints; of several that train one network, one does."""
    held = _spread.get()
    return held is None or held.is_chief


def scope() -> AbstractContextManager[Any]:
    """Return what a network is built and trained in, so that it is on all devices."""
    held = _spread.get()
    if held is not None:
        return held.strategy.scope()  # type: ignore[no-any-return]
    tf = runtime.tensorflow()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy().scope()  # type: ignore[no-any-return]
    return nullcontext()


def ready(model: Any, batches: Any) -> None:
    """Make a compiled network ready to be trained, on one device or on several.

    What the first step would make (moments of the optimizer, metrics) is made before it: a `tf.function`
    that makes variables is traced a second time, and tracing is most of a short training.

    Parameters
    ----------
    batches : sequence of tuples of arrays
        Of the training; the first is looked at.
    """
    strategy = model.distribute_strategy
    with strategy.scope():
        model._symbolic_build(data_batch=batches[0])
    if is_alone(model):
        return
    model._maybe_symbolic_build = lambda **_: None
    model.train_function = _stepping(model, strategy, model.train_step)
    model.test_function = _stepping(model, strategy, model.test_step)


def _stepping(model: Any, strategy: Any, step: Callable[[Any], Any]) -> Callable[[Any], dict[str, float]]:
    """Return the function of a batch: every worker takes its part, the metrics keep the figures."""
    tf = runtime.tensorflow()

    def run(batches: Any) -> None:
        strategy.run(step, args=(next(batches),))

    stepped = tf.function(run)

    def call(batches: Any) -> dict[str, float]:
        stepped(batches)
        # Only the names: where they are right, Keras reads the metrics at the end of an epoch.
        return dict.fromkeys(model.get_metrics_result(), 0.0)

    return call
