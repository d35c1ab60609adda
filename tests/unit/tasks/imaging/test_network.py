"""The picture networks: what is trained, and what is shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    """Return a network as trained, with random weights, and the same one as shipped."""
    import keras

    from healthdash.tasks.imaging.network import NetworkPlan, build, folded

    keras.utils.set_random_seed(0)
    plan = NetworkPlan(size=32, labels=3, stem=4, widths=(4, 6), depths=(1, 1))
    network = build(plan)
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables:
        weight.assign(weight + 0.3 * rng.standard_normal(weight.shape).astype(np.float32))
    return network, folded(network, plan, "shipped")


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Return four random pictures."""
    return np.random.default_rng(1).random((4, 32, 32, 1), np.float32)


def test_the_shipped_network_is_the_same_function(pair: tuple[Any, Any], pictures: np.ndarray) -> None:
    trained, shipped = (network.predict_on_batch(pictures) for network in pair)
    np.testing.assert_allclose(trained, shipped, atol=1e-4)


def test_the_shipped_network_holds_built_in_layers_only(pair: tuple[Any, Any]) -> None:
    assert not [layer for layer in pair[1].layers if type(layer).__name__ == "ScaledConv2D"]


def test_brightness_and_contrast_hardly_change_the_output(
    pair: tuple[Any, Any], pictures: np.ndarray
) -> None:
    darker = pair[1].predict_on_batch(0.1 + 0.6 * pictures)
    np.testing.assert_allclose(pair[1].predict_on_batch(pictures), darker, atol=0.15)


def test_a_picture_of_one_grey_gives_finite_numbers(pair: tuple[Any, Any]) -> None:
    assert np.isfinite(pair[1].predict_on_batch(np.full((1, 32, 32, 1), 0.5, np.float32))).all()


def test_the_average_is_the_mean_of_members_and_mirrored_pictures(
    pair: tuple[Any, Any], pictures: np.ndarray, tmp_path: Path
) -> None:
    import keras

    from healthdash.tasks.imaging.network import average

    member = pair[1]
    joined = average([member, member], 32, mirrored=True)
    joined.save(tmp_path / "joined.keras")
    loaded = keras.saving.load_model(tmp_path / "joined.keras", compile=False, safe_mode=True)
    expected = (member.predict_on_batch(pictures) + member.predict_on_batch(pictures[:, :, ::-1])) / 2
    np.testing.assert_allclose(loaded.predict_on_batch(pictures), expected, atol=1e-5)


def test_a_head_on_a_shipped_encoder_gives_the_logits_of_its_features(
    pair: tuple[Any, Any], pictures: np.ndarray, tmp_path: Path
) -> None:
    import keras

    from healthdash.tasks.imaging.network import NetworkPlan, average
    from healthdash.tasks.imaging.transfer import Head, encoder, mean_head, pooled, with_head

    plan = NetworkPlan(size=32, labels=3, stem=4, widths=(4, 6), depths=(1, 1))
    network = encoder(average([pair[1]], 32, mirrored=True), plan)
    features = pooled(network, pictures)
    rng = np.random.default_rng(0)
    heads = [
        Head(rng.random((features.shape[1], 2), np.float32), rng.random(2, np.float32)) for _ in range(2)
    ]
    with_head(network, mean_head(heads)).save(tmp_path / "whole.keras")
    whole = keras.saving.load_model(tmp_path / "whole.keras", compile=False, safe_mode=True)
    expected = np.mean([features @ head.kernel + head.bias for head in heads], axis=0)
    np.testing.assert_allclose(whole.predict_on_batch(pictures), expected, rtol=1e-3, atol=1e-3)
