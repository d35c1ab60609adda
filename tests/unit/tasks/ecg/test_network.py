"""The mean of networks, as one network with their layers side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from healthdash import runtime

SHAPES = {"window": (60, 2), "intervals": (5, 3), "shapes": (5, 8), "rhythm": (6,), "alike": (7,)}


def members(number: int) -> list[Any]:
    runtime.tensorflow()
    import keras

    from healthdash.tasks.ecg.network import build

    keras.utils.set_random_seed(3)
    networks = [build(SHAPES, 5, name=f"member_{i}") for i in range(number)]
    for network in networks:
        # Biases begin at 0, where one that is lost would not be missed.
        network.set_weights(
            [w + np.random.default_rng(1).normal(0, 0.1, w.shape) for w in network.get_weights()]
        )
    return networks


def inputs() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(9, *shape)).astype(np.float32) for shape in SHAPES.values()]


@pytest.mark.tf
@pytest.mark.parametrize("number", [1, 2, 3])
def test_networks_side_by_side_give_the_mean_of_their_logits(number: int) -> None:
    from healthdash.tasks.ecg.network import averaged

    networks = members(number)
    mean = np.mean([network(inputs()).numpy() for network in networks], axis=0)
    np.testing.assert_allclose(averaged(networks)(inputs()).numpy(), mean, atol=1e-5)


@pytest.mark.tf
def test_more_networks_are_no_more_layers() -> None:
    from healthdash.tasks.ecg.network import averaged

    few, many = averaged(members(2)), averaged(members(5))
    assert len(few.operations) == len(many.operations)
    assert 2 * many.count_params() == 5 * few.count_params()


@pytest.mark.tf
def test_what_one_item_holds_counts_where_items_are_not_the_first_axis() -> None:
    from healthdash.tasks.ecg.network import averaged

    forward = runtime.Forward(averaged(members(5)), 1.0, np.zeros(5, np.float32))
    # The most are 32 channels of 3 places beside each of the 5 beats.
    assert max(forward._sizes("logits")) == 5 * 5 * 3 * 32
