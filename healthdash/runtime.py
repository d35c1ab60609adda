"""The device, the lazy TensorFlow import and the compiled forward pass.

Nothing here imports TensorFlow when it is itself imported: the first page must not wait for it.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from healthdash import settings

if TYPE_CHECKING:
    import keras

__all__ = ["Device", "Forward", "device", "is_ready", "ready_to_train", "tensorflow", "warm_up"]

_log = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[np.float32]]
T = TypeVar("T")

_import_lock = threading.Lock()
_tensorflow: ModuleType | None = None

# Numbers in the largest activation of one call of the network. Small ones stay in a CPU's caches
# (a table network ran twice as fast by 1,024 rows as by 16,384); a GPU wants more work in one call.
_ACTIVATION = {"CPU": 1 << 19, "GPU": 1 << 24}
# Few items share the cost of a call badly (an ECG's 59 windows by 16 took a third longer than at once), so
# that up to so many go together while their activation has no more numbers than this.
_TOGETHER, _TOGETHER_ACTIVATION = 64, 1 << 22
# The way back holds the activations of every layer, some fifth of all numbers in the graph at once, and the
# allocator keeps for good what was held once: X-rays by 32 kept 2.6 GB, by 8 they keep 0.8 GB, no slower.
_ON_THE_WAY_BACK = {"CPU": 1 << 30, "GPU": 1 << 33}
_LARGEST_CHUNK = 1 << 14
_SMALLEST_CHUNK = 16
# Tensor cores came with compute capability 7.0; older GPUs gain nothing from float16.
_TENSOR_CORES = (7, 0)
#: Of the graph, to float16 where that is safe for what a network says.
_REWRITER = "auto_mixed_precision"


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
            import keras  # noqa: F401  (with TensorFlow, which it imports)
            import tensorflow as imported

            _configure(imported)
            _tensorflow = imported
            # Streamlit collects garbage after every run of a page. Looking through all that TensorFlow holds
            # for good takes a good part of a second, in which no other user is served.
            gc.collect()
            gc.freeze()
    return _tensorflow


def ready_to_train() -> None:
    """Import TensorFlow for a training: what begins one calls this before anything else of it.

    Networks are trained as they say themselves: the graph rewriter would cast gradients to float16 as well,
    where small ones become 0.
    """
    tensorflow().config.optimizer.set_experimental_options({_REWRITER: False})


def _configure(tf: ModuleType) -> None:
    gpus = tf.config.list_physical_devices("GPU")
    try:
        _before_its_first_operation(tf, gpus)
    except RuntimeError:
        _log.warning("TensorFlow was at work before healthdash: its threads and memory are as they were")
    if gpus and _has_tensor_cores(tf, gpus[0]):
        # The graph rewriter casts where it is safe; saved networks stay float32.
        tf.config.optimizer.set_experimental_options({_REWRITER: True})
    if not gpus:
        _leave_cores_to_models()


def _before_its_first_operation(tf: ModuleType, gpus: Sequence[Any]) -> None:
    """Apply the settings that TensorFlow takes only then; later it raises RuntimeError."""
    threads = settings.current().threads
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)


def _leave_cores_to_models() -> None:
    """Let numpy and scipy multiply in one thread.

    The threads of OpenBLAS go on spinning for some 30 ms after each product, on the cores that the network
    needs next: the inputs of an ECG and its forward pass took a third longer.
    """
    import scipy.linalg  # noqa: F401  (it brings an OpenBLAS of its own, to be found below)
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


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

    Each function is traced once, for any batch size. Batches are cut into chunks, and the last
    chunk is padded to one of few sizes, so that kernels are prepared for few shapes only.

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
        self._lock = threading.Lock()
        self._compiled: dict[str, Any] = {}
        self.shapes: dict[str, tuple[int, ...]] = {i.name: tuple(i.shape[1:]) for i in network.inputs}
        #: How often each function was traced; stays 1 whatever the batch sizes.
        self.traces: Counter[str] = Counter()

    @cached_property
    def chunk(self) -> int:
        """Largest number of items in one call of the network, by its largest activation."""
        # Either graph holds the network; the first is not traced only for this.
        name = "gradients" if "gradients" in self._compiled else "logits"
        per_item = max(self._sizes(name))
        together = min(_TOGETHER, _TOGETHER_ACTIVATION // per_item)
        fitting = max(1, together, _ACTIVATION[device().kind] // per_item)
        return min(_LARGEST_CHUNK, max(_SMALLEST_CHUNK, _power_of_two(fitting)))

    @cached_property
    def _chunk_back(self) -> int:
        """Largest number of items whose gradients are found in one call."""
        # The way back does more work for a number that is fetched than the way there.
        fitting = _ON_THE_WAY_BACK[device().kind] // sum(self._sizes("gradients"))
        return min(2 * self.chunk, _power_of_two(max(1, fitting)))

    def _sizes(self, name: str) -> list[int]:
        """Return how many numbers each tensor of a function holds for one item."""
        operations = self._function(name).graph.get_operations()
        shapes = [tensor.shape.as_list() for o in operations for tensor in o.outputs if tensor.shape.rank]
        # Items are the axis that is left open; it is not the first where networks lie side by side.
        return [math.prod(size or 1 for size in shape) for shape in shapes if None in shape]

    def logits(self, inputs: Arrays) -> NDArray[np.float32]:
        """Return the network's output, float32 (n, k)."""
        call = self._function("logits")
        arrays = [inputs[name] for name in self.shapes]
        return np.concatenate([call(*part).numpy()[:n] for part, n in self._chunks(arrays)])

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
        call, chosen = self._function("gradients"), tensorflow().constant(target)
        arrays = [inputs[name] for name in self.shapes]
        chunks = self._chunks(arrays, most=self._chunk_back)
        parts = [[out.numpy()[:n] for out in call(chosen, *part)] for part, n in chunks]
        output, *gradients = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
        return output, dict(zip(self.shapes, gradients, strict=True))

    def mixtures(
        self,
        item: Arrays,
        background: Arrays,
        rows: NDArray[np.int32],
        keep: Mapping[str, NDArray[np.bool_]],
        target: int,
    ) -> NDArray[np.float32]:
        """Return the target's probability for inputs mixed of an item and a background.

        Mixture i takes from the item what `keep` says, and the rest from one background row:
        ``where(keep[name][i], item[name], background[name][rows[i]])``. Mixtures are put together
        inside the compiled function, so that Shapley values of a million rows need no such table.

        Parameters
        ----------
        item : dict of float32 (...)
            The network's inputs without the batch.
        background : dict of float32 (m, ...)
        rows : int32 (n,)
        keep : dict of bool (n, ...)
        target : int
            Number of the label.

        Returns
        -------
        float32 (n,), calibrated probability
        """
        tf, call = tensorflow(), self._function("mixtures")
        fixed = [tf.constant(target)]
        fixed += [
            tf.constant(arrays[name], tf.float32) for arrays in (item, background) for name in self.shapes
        ]
        varying = [rows, *(keep[name] for name in self.shapes)]
        return np.concatenate(
            [call(*fixed, *part).numpy()[:n] for part, n in self._chunks(varying, cast=False)]
        )

    def is_compiled(self, name: str) -> bool:
        """Say whether a function was traced before."""
        return name in self._compiled

    def compiled(self, name: str, build: Callable[[keras.Model], T]) -> T:
        """Return what `build` makes of the network; made once, when the first thread asks for it."""
        with self._lock:
            if name not in self._compiled:
                self._compiled[name] = build(self._network)
            made: T = self._compiled[name]
            return made

    def of(self, change: Callable[[keras.Model], keras.Model]) -> Forward:
        """Return the forward pass of another network, made from this one's, with its calibration."""
        with self._lock:
            return Forward(change(self._network), float(self._scale), self._offset)

    def _chunks(
        self, arrays: Sequence[NDArray[Any]], *, cast: bool = True, most: int = 0
    ) -> Iterator[tuple[list[Any], int]]:
        """Yield tensors of at most `most` padded rows (or `chunk`), and the number of true rows."""
        as_tensor = tensorflow().convert_to_tensor
        if cast:
            arrays = [np.ascontiguousarray(array, np.float32) for array in arrays]
        total, most = len(arrays[0]), most or self.chunk
        for start in range(0, max(total, 1), most):
            n = min(most, total - start)
            parts = [array[start : start + n] for array in arrays]
            yield [as_tensor(_pad(part, _padded(n) - n)) for part in parts], n

    def _function(self, name: str) -> Any:
        """Return a compiled function, traced when the first thread asks for it."""
        with self._lock:
            if name not in self._compiled:
                build = {"logits": self._logits, "gradients": self._gradients, "mixtures": self._mixtures}
                self._compiled[name] = build[name]()
            return self._compiled[name]

    def _signature(self) -> list[Any]:
        tf = tensorflow()
        return [tf.TensorSpec((None, *shape), tf.float32) for shape in self.shapes.values()]

    def calibrated(self, logits: Any) -> Any:
        """Return tensors of calibrated logits, whose softmax is the probability that is shown."""
        return self._scale * tensorflow().cast(logits, "float32") + self._offset

    def _output(self, arrays: Sequence[Any]) -> Any:
        out = self._network(list(arrays) if len(arrays) > 1 else arrays[0], training=False)
        return tensorflow().cast(out, "float32")

    def _probability(self, arrays: Sequence[Any], target: Any) -> Any:
        tf = tensorflow()
        probabilities = tf.nn.softmax(self.calibrated(self._output(arrays)))
        return tf.gather(probabilities, target, axis=1)

    def _logits(self) -> Any:
        def logits(*arrays: Any) -> Any:
            self.traces["logits"] += 1
            return self._output(arrays)

        return _compiled(logits, *self._signature())

    def _gradients(self) -> Any:
        tf = tensorflow()

        def gradients(target: Any, *arrays: Any) -> Any:
            self.traces["gradients"] += 1
            with tf.GradientTape() as tape:
                tape.watch(arrays)
                output = self._probability(arrays, target)
            return output, *tape.gradient(output, arrays, unconnected_gradients="zero")

        return _compiled(gradients, tf.TensorSpec((), tf.int32), *self._signature())

    def _mixtures(self) -> Any:
        tf, shapes = tensorflow(), list(self.shapes.values())
        inputs = len(shapes)

        def mixtures(target: Any, *arrays: Any) -> Any:
            self.traces["mixtures"] += 1
            items, backgrounds = arrays[:inputs], arrays[inputs : 2 * inputs]
            rows, keeps = arrays[2 * inputs], arrays[2 * inputs + 1 :]
            triples = zip(keeps, items, backgrounds, strict=True)
            mixed = [tf.where(keep, item, tf.gather(background, rows)) for keep, item, background in triples]
            return self._probability(mixed, target)

        return _compiled(
            mixtures,
            tf.TensorSpec((), tf.int32),
            *[tf.TensorSpec(shape, tf.float32) for shape in shapes],
            *self._signature(),
            tf.TensorSpec((None,), tf.int32),
            *[tf.TensorSpec((None, *shape), tf.bool) for shape in shapes],
        )


def _compiled(function: Callable[..., Any], *signature: Any) -> Any:
    """Trace a function.

    Nothing in it branches on a tensor, so that AutoGraph has nothing to rewrite; without it a first call
    takes up to half a second less.
    """
    return tensorflow().function(function, autograph=False).get_concrete_function(*signature)


def _power_of_two(n: int) -> int:
    """Return the largest power of two that is at most n."""
    return 1 << (n.bit_length() - 1)


def _padded(n: int) -> int:
    """Return the next of few sizes: at most a quarter more than n, four to an octave."""
    step = 1 << max(0, (n - 1).bit_length() - 3)
    return max(1, -(-n // step) * step)


def _pad(array: NDArray[Any], rows: int) -> NDArray[Any]:
    if rows == 0:
        return array
    filler = np.zeros((rows, *array.shape[1:]), array.dtype)
    return np.concatenate([array, filler])


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
