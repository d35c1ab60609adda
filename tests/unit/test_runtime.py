"""The compiled forward pass: right, traced once, the same from many threads."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from healthdash import runtime

SCALE, OFFSET = 0.7, np.array([0.1, -0.2, 0.0], np.float32)


@pytest.fixture(scope="module")
def network():
    runtime.tensorflow()
    import keras

    keras.utils.set_random_seed(1)
    window, rhythm = keras.Input((24, 1), name="window"), keras.Input((4,), name="rhythm")
    beat = keras.layers.GRU(6)(keras.layers.Conv1D(4, 5, activation="gelu")(window))
    both = keras.layers.Concatenate()([beat, rhythm])
    return keras.Model([window, rhythm], keras.layers.Dense(3)(both))


@pytest.fixture(scope="module")
def table_network():
    runtime.tensorflow()
    import keras

    keras.utils.set_random_seed(2)
    features = keras.Input((5,), name="features")
    hidden = keras.layers.Dense(8, activation="relu")(features)
    return keras.Model([features], keras.layers.Dense(3)(hidden))


@pytest.fixture
def forward(network):
    return runtime.Forward(network, SCALE, OFFSET)


def _inputs(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "window": rng.normal(size=(n, 24, 1)).astype(np.float32),
        "rhythm": rng.normal(size=(n, 4)).astype(np.float32),
    }


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_padded_sizes_are_few_and_waste_little():
    sizes = [runtime._padded(n) for n in range(1, 8193)]
    assert all(n <= size <= max(n + 1, 1.25 * n) for n, size in enumerate(sizes, 1))
    assert all(a <= b for a, b in pairwise(sizes))
    assert len(set(sizes)) < 50


def test_importing_the_module_loads_no_tensorflow():
    code = "import healthdash.runtime, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.tf
def test_what_tensorflow_holds_for_good_is_not_looked_through_again_by_every_run_of_a_page():
    runtime.tensorflow()
    assert gc.get_freeze_count() > 100_000


@pytest.mark.tf
def test_probabilities_are_those_of_the_network(forward, network):
    inputs = _inputs(7)
    logits = network.predict_on_batch(inputs)
    raw, calibrated = forward(inputs)
    np.testing.assert_allclose(raw, _softmax(logits), atol=1e-6)
    np.testing.assert_allclose(calibrated, _softmax(SCALE * logits + OFFSET), atol=1e-6)
    assert raw.dtype == calibrated.dtype == np.float32


@pytest.mark.tf
def test_chunks_give_what_single_items_give(forward, monkeypatch):
    inputs = _inputs(45)
    forward.chunk = 16
    whole = forward.probabilities(inputs)
    single = [forward.probabilities({k: v[i : i + 1] for k, v in inputs.items()}) for i in range(45)]
    np.testing.assert_allclose(whole, np.concatenate(single), atol=1e-6)


@pytest.mark.tf
def test_no_item_gives_no_probability(forward):
    assert forward.probabilities(_inputs(0)).shape == (0, 3)


@pytest.mark.tf
def test_nothing_is_traced_again_whatever_the_batch_size(forward):
    for n in (1, 2, 3, 5, 17, 100, 1000, 3):
        forward.probabilities(_inputs(n))
        forward.gradients(_inputs(min(n, 20)), target=n % 3)
    assert forward.traces == {"logits": 1, "gradients": 1}


@pytest.mark.tf
def test_first_call_from_eight_threads_traces_once_and_agrees(forward):
    inputs = _inputs(30)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: forward.probabilities(inputs), range(16)))
    assert forward.traces == {"logits": 1}
    assert all(np.array_equal(results[0], other) for other in results)


@pytest.mark.tf
def test_gradients_are_the_slopes_of_the_calibrated_probability(forward):
    inputs = _inputs(3)
    output, gradients = forward.gradients(inputs, target=1)
    np.testing.assert_allclose(output, forward.probabilities(inputs)[:, 1], atol=1e-6)
    for name, at in (("window", (0, 9, 0)), ("rhythm", (2, 1))):
        up, down = ({k: v.copy() for k, v in inputs.items()} for _ in range(2))
        up[name][at] += 1e-2
        down[name][at] -= 1e-2
        slope = (forward.probabilities(up) - forward.probabilities(down))[at[0], 1] / 2e-2
        assert gradients[name][at] == pytest.approx(slope, abs=2e-4)


@pytest.mark.tf
def test_an_input_that_the_network_ignores_has_gradient_zero():
    import keras

    used, ignored = keras.Input((2,), name="used"), keras.Input((3,), name="ignored")
    network = keras.Model([used, ignored], keras.layers.Dense(2)(used))
    forward = runtime.Forward(network, 1.0, np.zeros(2, np.float32))
    inputs = {"used": np.ones((4, 2), np.float32), "ignored": np.ones((4, 3), np.float32)}
    assert not forward.gradients(inputs, target=0)[1]["ignored"].any()


@pytest.mark.tf
def test_gradients_in_pieces_are_those_of_single_items(forward):
    inputs = _inputs(21)
    forward._chunk_back = 8
    output, gradients = forward.gradients(inputs, target=1)
    single = [forward.gradients({k: v[i : i + 1] for k, v in inputs.items()}, 1) for i in range(21)]
    np.testing.assert_allclose(output, np.concatenate([one for one, _ in single]), atol=1e-6)
    for name, found in gradients.items():
        np.testing.assert_allclose(found, np.concatenate([by[name] for _, by in single]), atol=1e-6)


@pytest.mark.tf
def test_the_way_back_takes_fewer_items_of_a_network_with_many_activations(forward, monkeypatch):
    many = forward._chunk_back
    del forward._chunk_back
    monkeypatch.setattr(runtime, "_ON_THE_WAY_BACK", {"CPU": 3 * sum(forward._sizes("gradients")), "GPU": 1})
    assert (many, forward._chunk_back) == (2 * forward.chunk, 2)


@pytest.mark.tf
def test_mixtures_are_rows_put_together(table_network):
    forward = runtime.Forward(table_network, SCALE, OFFSET)
    rng = np.random.default_rng(3)
    item, background = rng.normal(size=5).astype(np.float32), rng.normal(size=(4, 5)).astype(np.float32)
    rows, keep = rng.integers(0, 4, 101).astype(np.int32), rng.random((101, 5)) < 0.5
    forward.chunk = 32
    mixed = forward.mixtures({"features": item}, {"features": background}, rows, {"features": keep}, target=2)
    plain = forward.probabilities({"features": np.where(keep, item, background[rows])})[:, 2]
    np.testing.assert_allclose(mixed, plain, atol=1e-6)
    assert forward.traces["mixtures"] == 1


@pytest.mark.tf
def test_mixtures_of_several_inputs_take_all_from_one_background_row(forward):
    rng = np.random.default_rng(4)
    item, background = _inputs(1), _inputs(3, seed=1)
    rows = rng.integers(0, 3, 50).astype(np.int32)
    keep = {name: rng.random((50, *v.shape[1:])) < 0.5 for name, v in item.items()}
    mixed = forward.mixtures({name: v[0] for name, v in item.items()}, background, rows, keep, target=1)
    plain = {name: np.where(keep[name], item[name], background[name][rows]) for name in item}
    np.testing.assert_allclose(mixed, forward.probabilities(plain)[:, 1], atol=1e-6)


@pytest.mark.tf
def test_what_is_compiled_for_a_network_is_made_once(forward):
    made = []

    def build(network):
        made.append(network)
        return len(network.inputs)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: forward.compiled("inputs", build), range(8))) == {2}
    assert len(made) == 1


@pytest.mark.tf
def test_the_device_is_named_with_its_precision():
    assert str(runtime.device()).split(":")[0] in ("CPU", "GPU")
    assert runtime.is_ready()


def test_settings_that_come_too_late_for_tensorflow_are_told_and_stop_nothing():
    late = "import keras; keras.ops.zeros(1); from healthdash import runtime; runtime.ready_to_train()"
    done = subprocess.run(
        [sys.executable, "-c", late],
        env={**os.environ, "HEALTHDASH_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "TensorFlow was at work before healthdash" in done.stderr
