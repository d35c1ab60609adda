"""The device, the lazy TensorFlow import and the compiled forward pass.

Nothing here imports TensorFlow when it is itself imported: the first page must not wait for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from healthdash import settings

if TYPE_CHECKING:
    import keras

__all__ = ["Device", "Forward", "device", "is_ready", "tensorflow", "warm_up"]

Arrays = Mapping[str, NDArray[np.float32]]

_import_lock = threading.Lock()
_tensorflow: ModuleType | None = None

# A chunk of this many input values keeps activations of our networks below about 1 GiB.
_VALUES_PER_CHUNK = 1 << 20
_LARGEST_CHUNK = 8192
_SMALLEST_CHUNK = 16
# Tensor cores came with compute capability 7.0; older GPUs gain nothing from float16.
_TENSOR_CORES = (7, 0)


@dataclass(frozen=True, slots=True)
class Device:
    """Where models run, as the app shows it."""

    kind: Literal["GPU", "CPU"]
    name: str
    precision: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}, {self.precision}"


def tensorflow() -> ModuleType:
    """Import TensorFlow once, quietly, with memory growth set before any GPU work."""
    global _tensorflow
    with _import_lock:
        if _tensorflow is None:
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
            os.environ.setdefault("KERAS_BACKEND", "tensorflow")
            import tensorflow as imported

            _configure(imported)
            _tensorflow = imported
    return _tensorflow


def _configure(tf: ModuleType) -> None:
    """Apply the settings that TensorFlow takes only before its first operation."""
    threads = settings.current().threads
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus and _has_tensor_cores(tf, gpus[0]):
        # The graph rewriter casts where it is safe; saved networks stay float32.
        tf.config.optimizer.set_experimental_options({"auto_mixed_precision": True})


def _has_tensor_cores(tf: ModuleType, gpu: Any) -> bool:
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return tuple(capability) >= _TENSOR_CORES


def device() -> Device:
    """Name the device that models run on; imports TensorFlow."""
    tf = tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return Device("CPU", f"{os.cpu_count()} cores", "float32")
    details = tf.config.experimental.get_device_details(gpus[0])
    precision = "mixed float16" if _has_tensor_cores(tf, gpus[0]) else "float32"
    return Device("GPU", str(details.get("device_name", gpus[0].name)), precision)


def is_ready() -> bool:
    """Say whether TensorFlow is imported, without importing it."""
    return _tensorflow is not None


def warm_up() -> threading.Thread:
    """Import TensorFlow in a thread, so that a page can be served meanwhile."""
    thread = threading.Thread(target=tensorflow, name="healthdash-warm-up", daemon=True)
    thread.start()
    return thread


class Forward:
    """The compiled forward pass of one network, for any number of threads.

    One `tf.function` with a fixed signature; batches are cut into chunks and the last chunk is
    padded to a power of two, so that nothing is ever traced again.

    Parameters
    ----------
    network : keras.Model
        Named inputs, batch first; output: logits (n, k).
    scale, offset : float, float (k,)
        Calibration: probability = softmax(scale * logits + offset).
    """

    def __init__(self, network: keras.Model, scale: float, offset: NDArray[np.float32]) -> None:
        self._network = network
        self._scale = np.float32(scale)
        self._offset = np.asarray(offset, np.float32)
        self.shapes: dict[str, tuple[int, ...]] = {i.name: tuple(i.shape[1:]) for i in network.inputs}

    @property
    def chunk(self) -> int:
        """Largest number of items in one call of the network."""
        per_item = sum(int(np.prod(shape)) for shape in self.shapes.values())
        fitting = max(1, _VALUES_PER_CHUNK // per_item)
        return int(min(_LARGEST_CHUNK, max(_SMALLEST_CHUNK, 1 << (fitting.bit_length() - 1))))

    def logits(self, inputs: Arrays) -> NDArray[np.float32]:
        """Return the network's output, float32 (n, k)."""
        return np.concatenate([self._call(part)[0].numpy()[:n] for part, n in self._chunks(inputs)])

    def __call__(self, inputs: Arrays) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return raw and calibrated probabilities, each float32 (n, k)."""
        logits = self.logits(inputs)
        return _softmax(logits), _softmax(self._scale * logits + self._offset)

    def probabilities(self, inputs: Arrays) -> NDArray[np.float32]:
        """Return calibrated probabilities, float32 (n, k)."""
        return self(inputs)[1]

    def gradients(
        self, inputs: Arrays, target: int
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Return the target's calibrated probability (n,) and its gradient by each input."""
        outputs, gradients = [], []
        for part, n in self._chunks(inputs):
            output, gradient = self._gradient(part, np.int32(target))
            outputs.append(output.numpy()[:n])
            gradients.append([g.numpy()[:n] for g in gradient])
        joined = [np.concatenate(parts) for parts in zip(*gradients, strict=True)]
        return np.concatenate(outputs), dict(zip(self.shapes, joined, strict=True))

    def _chunks(self, inputs: Arrays) -> Iterator[tuple[list[NDArray[np.float32]], int]]:
        arrays = [np.ascontiguousarray(inputs[name], np.float32) for name in self.shapes]
        total = len(arrays[0])
        for start in range(0, max(total, 1), self.chunk):
            parts = [array[start : start + self.chunk] for array in arrays]
            n = len(parts[0])
            padding = _padded(n) - n
            yield [_pad(part, padding) for part in parts], n

    def _signature(self) -> list[Any]:
        tf = tensorflow()
        return [tf.TensorSpec((None, *shape), tf.float32, name=name) for name, shape in self.shapes.items()]

    def _logits(self, arrays: list[Any]) -> Any:
        tf = tensorflow()
        out = self._network(arrays if len(arrays) > 1 else arrays[0], training=False)
        return tf.cast(out, tf.float32)

    @cached_property
    def _call(self) -> Any:
        tf = tensorflow()

        @tf.function(input_signature=[self._signature()])  # type: ignore[untyped-decorator]
        def call(arrays: list[Any]) -> tuple[Any]:
            return (self._logits(arrays),)

        return call

    @cached_property
    def _gradient(self) -> Any:
        tf = tensorflow()

        @tf.function(input_signature=[self._signature(), tf.TensorSpec((), tf.int32)])  # type: ignore[untyped-decorator]
        def gradient(arrays: list[Any], target: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(arrays)
                probabilities = tf.nn.softmax(self._scale * self._logits(arrays) + self._offset)
                output = tf.gather(probabilities, target, axis=1)
            return output, tape.gradient(output, arrays, unconnected_gradients="zero")

        return gradient


def _padded(n: int) -> int:
    """Return the next power of two."""
    return 1 << max(0, n - 1).bit_length()


def _pad(array: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    if rows == 0:
        return array
    filler = np.zeros((rows, *array.shape[1:]), np.float32)
    return np.concatenate([array, filler])


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
