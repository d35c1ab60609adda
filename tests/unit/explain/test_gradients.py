"""Expected gradients against closed forms and SHAP's GradientExplainer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from healthdash.explain import ExplainRequest, gradients
from tests.closed_form import ClosedForm, logistic

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(6, 5, 1)) / 4
ITEM = {"image": RNG.normal(size=(1, 6, 5, 1)).astype(np.float32)}
BACKGROUND = {"image": RNG.normal(size=(10, 6, 5, 1)).astype(np.float32)}
SHAPES = {"image": (6, 5, 1)}


def _z(inputs):
    return (inputs["image"] * WEIGHTS).sum(axis=(1, 2, 3))


def _curved_slope(inputs):
    p = logistic(3 * _z(inputs))
    return {"image": 3 * (p * (1 - p))[:, None, None, None] * WEIGHTS}


CURVED = ClosedForm(lambda inputs: logistic(3 * _z(inputs)), SHAPES, _curved_slope)


def _explained(
    samples=200, seed=0, forward=CURVED, item=ITEM, background=BACKGROUND, target=1, tolerance=0.0, **kwargs
):
    request = ExplainRequest(target="yes", samples=samples, seed=seed, tolerance=tolerance)
    return gradients.explain(forward, item, background, target, request, **kwargs)


def _true_values():
    """Integrate the way from every background row by many midpoints."""
    steps = (np.arange(400) + 0.5) / 400
    values = np.zeros(SHAPES["image"])
    for row in BACKGROUND["image"]:
        way = ITEM["image"][0] - row
        points = row + steps[:, None, None, None] * way
        values += way * _curved_slope({"image": points})["image"].mean(axis=0) / len(BACKGROUND["image"])
    return values


def test_a_linear_function_gives_weight_times_distance_from_the_mean():
    linear = ClosedForm(
        lambda inputs: 0.5 + _z(inputs),
        SHAPES,
        lambda inputs: {"image": np.repeat(WEIGHTS[None], len(inputs["image"]), 0)},
    )
    found = _explained(forward=linear)
    expected = WEIGHTS * (ITEM["image"][0] - BACKGROUND["image"].mean(axis=0))
    np.testing.assert_allclose(found.values["image"], expected, atol=1e-6)
    assert found.residual == pytest.approx(0, abs=1e-5)


def test_values_are_the_integral_within_the_stated_error():
    found = _explained(samples=2000)
    distance = np.abs(found.values["image"] - _true_values())
    assert (distance < 5 * found.standard_error["image"] + 1e-6).all()
    assert abs(found.residual) < 0.01


def test_stated_error_is_not_smaller_than_the_spread_over_seeds():
    runs = [_explained(samples=50, seed=seed) for seed in range(80)]
    spread = np.std([run.values["image"] for run in runs], axis=0, ddof=1)
    stated = np.mean([run.standard_error["image"] for run in runs], axis=0)
    assert np.median(stated / spread) > 0.9


def test_stratified_points_err_less_than_free_ones():
    truth = _true_values()
    ours = [_explained(samples=100, seed=seed).values["image"] - truth for seed in range(20)]
    rng = np.random.default_rng(0)
    free = []
    for _ in range(20):
        rows, steps = BACKGROUND["image"][rng.integers(0, 10, 100)], rng.random((100, 1, 1, 1))
        way = ITEM["image"] - rows
        slopes = _curved_slope({"image": rows + steps * way})["image"]
        free.append((way * slopes).mean(axis=0) - truth)
    assert np.square(ours).mean() < 0.5 * np.square(free).mean()


def test_draws_use_every_row_and_every_part_of_the_way():
    rows, steps = gradients.draws(10, 40, np.random.default_rng(0))
    assert (np.bincount(rows) == 4).all()
    np.testing.assert_array_equal(np.floor(steps * 40), np.arange(40))
    for row in range(10):
        np.testing.assert_array_equal(np.floor(np.sort(steps[rows == row]) * 4), np.arange(4))


def test_the_other_class_gets_the_opposite_values():
    np.testing.assert_allclose(
        _explained(target=0).values["image"], -_explained(target=1).values["image"], atol=1e-6
    )


def test_rounds_do_not_change_the_values(monkeypatch):
    whole = _explained(samples=64)
    monkeypatch.setattr(gradients, "POINTS_AT_ONCE", 7)
    shares = []
    parts = _explained(samples=64, on_progress=shares.append)
    np.testing.assert_allclose(parts.values["image"], whole.values["image"], atol=1e-6)
    np.testing.assert_allclose(
        np.median(parts.standard_error["image"] / whole.standard_error["image"]), 1, atol=0.3
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 10


def test_a_tolerance_or_a_listener_ends_it_early_with_unbiased_values(monkeypatch):
    monkeypatch.setattr(gradients, "POINTS_AT_ONCE", 10)
    stopped = [_explained(samples=400, seed=s, on_progress=lambda share: share >= 0.2) for s in range(40)]
    assert all(found.samples == 80 for found in stopped)
    error = np.mean([found.values["image"] for found in stopped], axis=0) - _true_values()
    spread = np.std([found.values["image"] for found in stopped], axis=0, ddof=1) / np.sqrt(len(stopped))
    assert np.median(np.abs(error) / spread) < 1.5
    near = _explained(samples=4000, tolerance=2 * float(stopped[0].largest_error))
    assert near.samples <= 80
    assert near.largest_error <= 2 * stopped[0].largest_error


def test_a_table_is_refused_with_the_reason():
    assert "Shapley" in str(gradients.reason_against({"features": np.zeros((1, 3), np.float32)}))
    missing = {"window": np.full((1, 9, 1), np.nan, np.float32)}
    assert "missing" in str(gradients.reason_against(missing))
    signal = {"window": np.zeros((1, 9, 1), np.float32), "rhythm": np.zeros((1, 3), np.float32)}
    assert gradients.reason_against(signal) is None


def test_eight_threads_give_what_one_gives():
    np.random.seed(1)
    alone = [_explained(seed=seed).values["image"] for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = [found.values["image"] for found in pool.map(lambda s: _explained(seed=s), range(8))]
    np.testing.assert_array_equal(alone, together)


@pytest.fixture(scope="module")
def network():
    from healthdash import runtime

    runtime.tensorflow()
    import keras

    keras.utils.set_random_seed(6)
    window, rhythm = keras.Input((20, 1), name="window"), keras.Input((4,), name="rhythm")
    beat = keras.layers.GRU(6)(keras.layers.Conv1D(6, 5, activation="gelu")(window))
    both = keras.layers.Dense(8, activation="tanh")(keras.layers.Concatenate()([beat, rhythm]))
    return keras.Model([window, rhythm], keras.layers.Dense(3, kernel_initializer="random_normal")(both))


@pytest.fixture(scope="module")
def beats():
    rng = np.random.default_rng(7)

    def some(n):
        return {
            "window": rng.normal(size=(n, 20, 1)).astype(np.float32),
            "rhythm": rng.normal(size=(n, 4)).astype(np.float32),
        }

    return some(1), some(15)


@pytest.fixture(scope="module")
def beat_forward(network):
    from healthdash import runtime

    return runtime.Forward(network, 2.0, np.array([0.1, 0.0, -0.1], np.float32))


@pytest.mark.tf
def test_all_inputs_of_a_recurrent_network_share_out_the_output(beat_forward, beats):
    item, background = beats
    found = gradients.explain(beat_forward, item, background, 1, ExplainRequest(target="S", samples=1500))
    assert {name: v.shape for name, v in found.values.items()} == beat_forward.shapes
    assert abs(found.residual) < 0.003
    np.testing.assert_array_equal(found.to_shap(item, "rhythm").data, item["rhythm"][0])


@pytest.mark.tf
def test_values_agree_with_shap_and_err_less_against_twenty_thousand_draws(network, beat_forward, beats):
    import keras
    import shap

    item, background = beats
    calibrated = keras.layers.Softmax()(2.0 * network.output + np.array([0.1, 0.0, -0.1], np.float32))
    names = list(beat_forward.shapes)
    reference = shap.GradientExplainer(
        keras.Model(network.inputs, calibrated), [background[n] for n in names], batch_size=2000
    )

    def theirs(samples, seed):
        values, _ = reference.shap_values(
            [item[n] for n in names],
            nsamples=samples,
            rseed=seed,
            ranked_outputs=np.array([[1]]),
            output_rank_order="custom",
        )
        return np.concatenate([np.ravel(v[0]) for v in values])

    def ours(samples, seed):
        request = ExplainRequest(target="S", samples=samples, seed=seed)
        found = gradients.explain(beat_forward, item, background, 1, request)
        join = [
            np.concatenate([np.ravel(part[n]) for n in names])
            for part in (found.values, found.standard_error)
        ]
        return join[0], join[1]

    truth = theirs(20_000, 0)
    values, error = ours(1000, 0)
    # Each of the two is a sample: the truth's own error is a fifth of ours or so.
    assert (np.abs(values - truth) < 5 * error + 1e-4).all()
    our_error = np.mean([np.square(ours(200, s)[0] - truth).mean() for s in range(1, 6)])
    their_error = np.mean([np.square(theirs(200, s) - truth).mean() for s in range(1, 6)])
    assert our_error < their_error
