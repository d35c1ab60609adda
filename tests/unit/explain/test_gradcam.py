"""Grad-CAM finds the last convolutions, wherever they are, and their places."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from healthdash import explain
from healthdash.errors import ExplainerNotApplicable
from healthdash.explain import ExplainRequest, gradcam
from tests import networks

pytestmark = pytest.mark.tf
REQUEST = ExplainRequest(target="c")


def _explained(network, item=None, forward=None, target=2):
    item = networks.some(network, 1) if item is None else item
    forward = forward or networks.forward(network)
    return gradcam.explain(forward, item, networks.some(network, 3, seed=1), target, REQUEST)


def _with_a_spot(at):
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, at[0] : at[0] + 3, at[1] : at[1] + 3] = 3
    return {"image": image}


def test_the_map_of_a_counter_of_bright_pixels_is_brightest_where_they_are():
    found = _explained(networks.bright_spot(), _with_a_spot((4, 2)))
    heat = found.values["image"][..., 0]
    assert heat.shape == (16, 16)
    assert heat.max() == pytest.approx(1)
    assert heat[4:7, :8].mean() > 5 * heat[9:].mean()
    assert heat[5, 3] > 3 * heat[5, 12]


def test_the_map_of_a_mirrored_branch_is_turned_back():
    heat = _explained(networks.bright_spot(mirrored=True), _with_a_spot((4, 12))).values["image"][..., 0]
    assert heat[5, 12] == pytest.approx(1)
    assert heat[5, 12] > 3 * heat[5, 3]


def test_values_are_relative_and_said_not_to_add_up():
    found = _explained(networks.picture())
    assert not found.is_additive
    assert np.isnan(found.residual)
    assert found.values["image"].min() >= 0


def test_nested_averaged_and_mirrored_members_give_one_map_each():
    forward = networks.forward(networks.picture(members=2))
    taps = gradcam._maps_of(forward).taps
    assert [tap.mirrored for tap in taps] == [(), (1,), (), (1,)]
    assert {tap.inputs for tap in taps} == {("image",)}


def test_a_mirrored_picture_has_the_mirrored_map():
    network = networks.picture(members=1)
    item = networks.some(network, 1)
    heat, turned = (
        _explained(network, {"image": image}).values["image"]
        for image in (item["image"], item["image"][:, :, ::-1].copy())
    )
    np.testing.assert_allclose(heat, turned[:, ::-1], atol=1e-4)


def test_a_signal_gets_its_map_over_time_and_its_flat_input_none():
    found = _explained(networks.signal())
    assert {name: values.shape for name, values in found.values.items()} == {
        "window": (24, 2),
        "rhythm": (4,),
    }
    assert found.values["window"].max() == pytest.approx(1)
    assert not found.values["rhythm"].any()


def test_a_network_without_a_convolution_is_refused_with_the_reason():
    import keras

    image = keras.Input((8, 8, 1), name="image")
    forward = networks.forward(keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(image))))
    one = {"image": np.zeros((1, 8, 8, 1), np.float32)}
    with pytest.raises(ExplainerNotApplicable, match="convolution"):
        explain.run("grad-cam", forward, one, one, ("a", "b", "c"), REQUEST)


def test_eight_threads_give_what_one_gives_and_the_network_is_left_alone():
    network = networks.picture()
    before = [w.copy() for w in network.get_weights()]
    forward = networks.forward(network)
    items = [networks.some(network, 1, seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda item: _explained(network, item, forward).values["image"], items))
    alone = [_explained(network, item, forward).values["image"] for item in items]
    np.testing.assert_array_equal(alone, together)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
