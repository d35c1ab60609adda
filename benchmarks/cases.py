"""What is explained: an item of a network, its background and the class, for us and for `shap`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shipped import bundle_of, feed, prepared
from healthdash import runtime
from healthdash.bundles import Bundle
from healthdash.explain import ExplainRequest

if TYPE_CHECKING:
    import keras

__all__ = ["Case", "Values", "ecg_12_lead", "of_bundle", "of_task", "table"]

Values = NDArray[np.floating[Any]]
Inputs = dict[str, NDArray[np.float32]]

_RATE_HZ, _SECONDS, _LEADS = 100, 10, 12


@dataclass(frozen=True)
class Case:
    """One item of a network, its background, and the class that is explained: the last.

    Attributes
    ----------
    name : str
    network : keras.Model
        Gives logits.
    forward : Forward
        The same, compiled and calibrated.
    scale : float
    offset : float32 (k,)
        Calibration.
    background, item : dict of float32 (m, ...), (1, ...)
    """

    name: str
    network: keras.Model
    forward: runtime.Forward
    scale: float
    offset: NDArray[np.float32]
    background: Inputs
    item: Inputs

    @property
    def target(self) -> int:
        return len(self.offset) - 1

    @property
    def names(self) -> list[str]:
        return list(self.forward.shapes)

    @property
    def row(self) -> NDArray[np.float32]:
        """The item of a table, (1, p)."""
        return self.item[self.names[0]]

    def arguments(self, samples: int = 0, seed: int = 0) -> tuple[Any, ...]:
        """Return what every method's `explain` takes."""
        request = ExplainRequest(target=str(self.target), samples=samples, seed=seed)
        return self.forward, self.item, self.background, self.target, request

    def against(self, rows: int, seed: int) -> Case:
        """Return the case against so many other rows, drawn column by column from the background's."""
        background = {name: _drawn(values, rows, seed) for name, values in self.background.items()}
        return replace(self, background=background)

    def warm(self, rows: Values) -> Values:
        """Give shap our compiled forward pass."""
        return self.forward.probabilities({self.names[0]: np.asarray(rows, np.float32)})[:, self.target]

    def predicted(self, rows: Values) -> Values:
        """Give shap the network's `predict`."""
        logits = self.scale * self.network.predict(rows, verbose=0) + self.offset
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))[:, self.target]

    def masker(self) -> Any:
        import shap

        background = self.background[self.names[0]]
        return shap.maskers.Independent(background, max_samples=len(background))

    def size(self) -> str:
        """Say how large a table's case is."""
        m, p = self.background[self.names[0]].shape[:2]
        return f"{p} features, background {m}"

    def as_model(self) -> Any:
        """Return a network of calibrated probabilities, for shap's explainers that ask for gradients."""
        runtime.tensorflow()
        import keras

        inputs = self.network.inputs
        logits = self.network(inputs if len(inputs) > 1 else inputs[0])
        return keras.Model(inputs, keras.layers.Softmax()(self.scale * logits + self.offset))

    def listed(self, arrays: Inputs) -> Any:
        """Return inputs as shap takes them: a list, or one array."""
        return [arrays[name] for name in self.names] if len(self.names) > 1 else feed(arrays)


def of_task(task: str) -> Case | None:
    """Return the case of a task's shipped model, or None where none ships."""
    bundle = bundle_of(task)
    return None if bundle is None else of_bundle(bundle)


def of_bundle(bundle: Bundle) -> Case:
    """Return the case of a shipped model: its own background, and an item like it."""
    info = bundle.info
    return Case(
        info.task,
        bundle.network,
        bundle.forward,
        info.calibration.scale,
        np.asarray(info.calibration.offset or [0.0] * len(info.labels), np.float32),
        dict(bundle.background),
        prepared(bundle, 1, seed=5),
    )


def table(columns: int, rows: int = 100) -> Case:
    """Return a made case of a table: random weights, two hidden layers of 32, normal columns."""
    keras = _keras(columns)
    features = keras.Input((columns,), name="features")
    hidden = keras.layers.Dense(32, activation="gelu")(features)
    hidden = keras.layers.Dense(32, activation="gelu")(hidden)
    return _made("made table", keras.Model(features, keras.layers.Dense(2)(hidden)), rows, 1.0)


def ecg_12_lead() -> Case:
    """Return a made case of a 12-lead ECG of 10 s at 100 Hz: a residual network of random weights.

    The model that ships reads one lead or two. Time does not depend on what the weights are; the traces are
    sums of waves, so that neighbouring samples are alike as in an ECG.
    """
    keras = _keras(12)
    trace = keras.Input((_RATE_HZ * _SECONDS, _LEADS), name="trace")
    x = keras.layers.Conv1D(32, 15, strides=2, padding="same", activation="relu")(trace)
    for width in (32, 48, 64, 96):
        y = keras.layers.Conv1D(width, 7, strides=2, padding="same", activation="relu")(x)
        y = keras.layers.Conv1D(width, 7, padding="same")(y)
        x = keras.layers.ReLU()(keras.layers.Add()([y, keras.layers.Conv1D(width, 1, strides=2)(x)]))
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    return _made("12-lead ECG, made network", keras.Model(trace, keras.layers.Dense(5)(pooled)), 40, 3.0)


def _made(name: str, network: Any, rows: int, scale: float) -> Case:
    offset = np.zeros(network.outputs[0].shape[-1], np.float32)
    ((given, shape),) = ((i.name, tuple(i.shape[1:])) for i in network.inputs)
    values = _synthetic(shape, rows + 1)
    forward = runtime.Forward(network, scale, offset)
    return Case(name, network, forward, scale, offset, {given: values[1:]}, {given: values[:1]})


def _synthetic(shape: tuple[int, ...], n: int) -> NDArray[np.float32]:
    """Return normal numbers for a table, sums of eight waves for a signal, (n, ...)."""
    rng = np.random.default_rng(0)
    if len(shape) == 1:
        return rng.normal(size=(n, *shape)).astype(np.float32)
    length, leads = shape
    seconds = np.arange(length)[:, None] / _RATE_HZ
    frequency, phase = rng.uniform(0.5, 20, (n, 1, 8)), rng.uniform(0, 2 * np.pi, (n, 1, 8))
    waves = np.sin(2 * np.pi * frequency * seconds + phase)
    return np.asarray(waves @ rng.normal(scale=0.4, size=(n, 8, leads)), np.float32)


def _drawn(values: NDArray[np.float32], rows: int, seed: int) -> NDArray[np.float32]:
    """Draw each column of a table from a row of its own, until all rows differ."""
    rng = np.random.default_rng(seed)
    own = rng.integers(0, len(values), (4 * rows, values.shape[1]))
    distinct = np.unique(np.take_along_axis(values, own, axis=0), axis=0)
    return rng.permutation(distinct)[:rows]


def _keras(seed: int) -> Any:
    runtime.tensorflow()
    import keras

    keras.utils.set_random_seed(seed)
    return keras
