"""Grad-CAM: where the last convolutions of a network saw what speaks for a label.

Each channel of the last convolution is weighted by the mean gradient of the label's log odds, and
the weighted sum, where positive, is stretched over the input. The last convolution is found in the
compiled graph: it is each one on which no other depends, also inside nested models, shared layers and
mirrored branches, whose maps are turned back and added. Fits networks with such a convolution whose
output has a place for each part of a picture or signal. Values are relative, from 0 to 1; they do not add
up to the output and show no evidence against the label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from healthdash import runtime
from healthdash.explain.copies import leaves
from healthdash.explain.method import explaining, probability_of
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Floats, Found, OnProgress, Progress

if TYPE_CHECKING:
    import keras

    from healthdash.runtime import Forward

__all__ = ["TITLE", "USES", "explain", "reason_against"]

TITLE = "Grad-CAM (the last convolution)"
USES: tuple[str, ...] = ()


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why the network has no map of the inputs, or None."""
    if players is not None:
        return "expected no players: the network's own map has places"
    if all(values.ndim == 2 for values in inputs.values()):
        return "expected a picture or a signal; for a table Shapley values say more"
    if forward is not None and not _maps_of(forward).taps:
        return "expected a network with a convolution whose output keeps the places of the input"
    return None


@explaining("grad-cam")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Map what the last convolutions saw that speaks for one label.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
        Only for the base.
    on_progress : function of Progress
        Told when it is done.

    References
    ----------
    Selvaraju et al. 2017, ICCV, Grad-CAM; the log odds in place of the score of one class, because a
    softmax looks at differences of scores only.
    """
    found = _maps_of(forward)(inputs, target_index)
    top = max((float(values.max()) for values in found.values()), default=0.0)
    on_progress(Progress(1.0))
    return Found(
        values={name: (values / (top or 1.0)).astype(np.float32) for name, values in found.items()},
        base=probability_of(forward, background, target_index),
        output=probability_of(forward, inputs, target_index),
        samples=1,
        is_additive=False,
        baseline="none: nothing is left out",
    )


def _maps_of(forward: Forward) -> _Maps:
    build = partial(_compiled, names=list(forward.shapes), calibrated=forward.calibrated)
    return forward.compiled("grad-cam", build)


@dataclass(frozen=True, slots=True)
class _Tap:
    """One call of a last convolution.

    Attributes
    ----------
    inputs : tuple of str
        The inputs over which its map is stretched.
    mirrored : tuple of int
        Spatial axes, from 0, along which its map runs against the input.
    """

    inputs: tuple[str, ...]
    mirrored: tuple[int, ...]


class _Maps:
    """The compiled maps of one network."""

    def __init__(self, call: Any, shapes: dict[str, tuple[int, ...]], taps: Sequence[_Tap]) -> None:
        self._call, self._shapes, self.taps = call, shapes, tuple(taps)

    def __call__(self, inputs: Arrays, target: int) -> dict[str, Floats]:
        """Return a map for each input, shaped like it without the batch, 0 or more."""
        tf = runtime.tensorflow()
        arrays = [tf.constant(np.asarray(inputs[name], np.float32)) for name in self._shapes]
        sums = {name: np.zeros(shape[:-1] or (1,)) for name, shape in self._shapes.items()}
        for tap, weighted in zip(self.taps, self._call(tf.constant(target), *arrays), strict=True):
            places = np.flip(weighted.numpy()[0].astype(np.float64), tap.mirrored)
            for name in tap.inputs:
                sums[name] += _stretched(places, self._shapes[name][:-1])
        return {
            name: np.broadcast_to(np.maximum(sums[name], 0)[..., None], shape)
            if len(shape) > 1
            else np.zeros(shape)
            for name, shape in self._shapes.items()
        }


def _stretched(places: Floats, shape: tuple[int, ...]) -> Floats:
    """Stretch a map over a picture or signal, its cells side by side."""
    factors = [wanted / given for wanted, given in zip(shape, places.shape, strict=True)]
    found = ndimage.zoom(places, factors, order=1, mode="nearest", grid_mode=True)
    return np.asarray(found, np.float64)


def _compiled(network: keras.Model, names: Sequence[str], calibrated: Callable[[Any], Any]) -> _Maps:
    """Trace the network while its convolutions say what they see."""
    tf = runtime.tensorflow()
    watched = _Watched(network)
    shapes = {name: tuple(tensor.shape[1:]) for name, tensor in zip(names, network.inputs, strict=True)}
    signature = [tf.TensorSpec((1, *shape), tf.float32) for shape in shapes.values()]
    taps: list[_Tap] = []

    def sides(*arrays: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(arrays)
            features = watched(arrays)[1]
            firsts = [_first_halves(feature) for feature in features]
        found = []
        for feature, halves in zip(features, firsts, strict=True):
            sources = _sources(feature, arrays)
            taps.append(_Tap(tuple(names[i] for i in sources), ()))
            found.append(
                [
                    _is_second(tape.gradient(half, arrays[sources[0]]), axis)
                    for axis, half in enumerate(halves)
                ]
            )
        return found

    def maps(target: Any, *arrays: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            logits, features = watched(arrays)
            odds = _log_odds(calibrated(logits)[0], target)
        slopes = tape.gradient(odds, features, unconnected_gradients="zero")
        return [_weighted(feature, slope) for feature, slope in zip(features, slopes, strict=True)]

    probe = [np.random.default_rng(0).random((1, *shape), np.float32) for shape in shapes.values()]
    turned = tf.function(sides).get_concrete_function(*signature)(*[tf.constant(array) for array in probe])
    axes = [tuple(axis for axis, second in enumerate(each) if second) for each in turned]
    call = tf.function(maps).get_concrete_function(tf.TensorSpec((), tf.int32), *signature)
    return _Maps(call, shapes, [replace(tap, mirrored=each) for tap, each in zip(taps, axes, strict=True)])


class _Watched:
    """A network that returns its logits and the output of its last convolutions."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network

    def __call__(self, arrays: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Return logits (1, k) and features (1, ..., channels); to be traced."""
        convolutions = [layer for layer in leaves(self._network) if _is_convolution(layer)]
        with _listening(convolutions) as heard:
            logits = self._network(list(arrays) if len(arrays) > 1 else arrays[0], training=False)
        # Another thread may have run the network meanwhile: its tensors are of no graph, or of another one.
        seen = [out for out in heard if getattr(out, "graph", None) is logits.graph]
        placed = [
            out
            for out in seen
            if out.shape[0] == 1 and np.prod(out.shape[1:-1]) > 1 and _sources(out, arrays)
        ]
        behind = _reached([value for out in placed for value in out.op.inputs])
        return logits, [out for out in placed if out.op.name not in behind]


@contextmanager
def _listening(layers: Iterable[Any]) -> Iterator[list[Any]]:
    """Collect what layers return, in the order of their calls; nothing of the layers stays changed."""
    heard: list[Any] = []
    distinct = list({id(layer): layer for layer in layers}.values())

    def listen(call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def listened(*arguments: Any, **named: Any) -> Any:
            out = call(*arguments, **named)
            heard.append(out)
            return out

        return listened

    try:
        for layer in distinct:
            layer.call = listen(layer.call)
        yield heard
    finally:
        for layer in distinct:
            layer.__dict__.pop("call", None)


def _is_convolution(layer: Any) -> bool:
    import keras

    kinds = ("Conv", "DepthwiseConv", "SeparableConv")
    names = [*(f"{kind}{axes}D" for kind in kinds for axes in (1, 2)), "Conv1DTranspose", "Conv2DTranspose"]
    return isinstance(layer, tuple(getattr(keras.layers, name) for name in names))


def _reached(tensors: Iterable[Any]) -> set[str]:
    """Return the names of all operations that tensors of a graph depend on."""
    found: set[str] = set()
    waiting = [tensor.op for tensor in tensors]
    while waiting:
        operation = waiting.pop()
        if operation.name not in found:
            found.add(operation.name)
            waiting.extend(tensor.op for tensor in operation.inputs)
    return found


def _sources(feature: Any, arrays: Sequence[Any]) -> list[int]:
    """Return the numbers of the inputs that a feature depends on and that have its number of axes."""
    behind = _reached([feature])
    rank = len(feature.shape)
    return [i for i, array in enumerate(arrays) if array.op.name in behind and len(array.shape) == rank]


def _first_halves(feature: Any) -> list[Any]:
    """Return, for each spatial axis, the sum over the first half of it."""
    tf = runtime.tensorflow()
    halves = []
    for axis in range(1, len(feature.shape) - 1):
        length = feature.shape[axis]
        index = [slice(None)] * len(feature.shape)
        index[axis] = slice(0, max(1, length // 2))
        halves.append(tf.reduce_sum(tf.abs(feature[tuple(index)])))
    return halves


def _is_second(gradient: Any, axis: int) -> Any:
    """Say whether a gradient lies mostly in the second half of a spatial axis."""
    tf = runtime.tensorflow()
    others = [i for i in range(len(gradient.shape)) if i != axis + 1]
    size = tf.reduce_sum(tf.abs(gradient), axis=others)
    middle = size.shape[0] // 2
    return tf.reduce_sum(size[-middle:]) > tf.reduce_sum(size[:middle])


def _log_odds(logits: Any, target: Any) -> Any:
    """Return log p / (1 - p) of one label from logits (k,)."""
    tf = runtime.tensorflow()
    others = tf.where(tf.range(tf.size(logits)) == target, logits.dtype.min, logits)
    return tf.gather(logits, target) - tf.reduce_logsumexp(others)


def _weighted(feature: Any, slope: Any) -> Any:
    """Return the sum of channels weighted by their mean slope, (1, ...)."""
    tf = runtime.tensorflow()
    spatial = list(range(1, len(feature.shape) - 1))
    return tf.cast(
        tf.reduce_sum(tf.reduce_mean(slope, spatial, keepdims=True) * feature, axis=-1), tf.float32
    )
