"""What holds where TensorFlow sees a GPU; skipped, with the reason, elsewhere."""

from __future__ import annotations

import time

import numpy as np
import pytest

from healthdash import bundles, runtime

pytestmark = [pytest.mark.gpu, pytest.mark.tf]


@pytest.fixture(autouse=True, scope="module")
def _gpu() -> None:
    if not runtime.tensorflow().config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow sees no GPU on this machine")


@pytest.fixture(params=bundles.available(), ids=lambda bundle: bundle.info.task)
def bundle(request) -> bundles.Bundle:
    return request.param


def _inputs(bundle: bundles.Bundle, n: int) -> dict[str, np.ndarray]:
    return {name: np.resize(rows, (n, *rows.shape[1:])) for name, rows in bundle.background.items()}


def test_the_device_is_named_with_its_precision():
    device = runtime.device()
    assert device.kind == "GPU"
    assert device.precision in {"float32", "mixed float16"}


def test_memory_grows_as_needed():
    tf = runtime.tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    assert all(tf.config.experimental.get_memory_growth(gpu) for gpu in gpus)


def test_probabilities_equal_those_of_the_cpu(bundle):
    tf = runtime.tensorflow()
    inputs = _inputs(bundle, 8)
    on_gpu = bundle.forward.probabilities(inputs)
    with tf.device("/CPU:0"):
        parts = [tf.constant(inputs[name]) for name in bundle.info.inputs]
        logits = bundle.network(parts if len(parts) > 1 else parts[0], training=False).numpy()
    assert np.abs(on_gpu - bundle.info.calibration.apply(logits)).max() < 1e-3


def test_a_large_batch_is_faster_an_item_than_a_single_one(bundle):
    def seconds_an_item(n: int) -> float:
        inputs = _inputs(bundle, n)
        bundle.forward.logits(inputs)
        started = time.perf_counter()
        bundle.forward.logits(inputs)
        return (time.perf_counter() - started) / n

    assert seconds_an_item(256) < seconds_an_item(1)
