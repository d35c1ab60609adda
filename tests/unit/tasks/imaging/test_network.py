"""The picture network: its start from ImageNet, what is shipped, averages, and that it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf

SIZE = 64


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    """A network for training, a little changed, and the plain one made of it."""
    import keras

    from healthdash.tasks.imaging.network import NetworkPlan

    keras.utils.set_random_seed(3)
    plan = NetworkPlan(size=SIZE, labels=3)
    trained = plan.fresh()
    trained.get_layer("logits").set_weights([np.random.default_rng(0).normal(size=(192, 3)), np.ones(3)])
    return trained, plan.folded(trained, "plain")


def pictures(count: int = 4) -> Any:
    return np.random.default_rng(1).random((count, SIZE, SIZE, 1), dtype=np.float32)


def test_the_shipped_network_is_the_same_function_in_plain_layers(pair: tuple[Any, Any]) -> None:
    trained, plain = pair
    expected = np.asarray(trained(pictures(), training=False))
    assert np.abs(np.asarray(plain(pictures())) - expected).max() < 1e-2 * np.abs(expected).max()
    assert not [layer for layer in plain.layers if "norm" in layer.name]


def test_it_starts_from_the_weights_of_imagenet(pair: tuple[Any, Any]) -> None:
    from healthdash.tasks.imaging.imagenet import imagenet_weights

    given, trained = imagenet_weights(), pair[0]
    kernel = trained.get_layer("block14_project").kernel
    np.testing.assert_array_equal(np.asarray(kernel), given["block14_project/kernel"])
    # A picture of one grey in both views gives what the same grey in red, green and blue gave.
    stem = np.asarray(trained.get_layer("stem").kernel)
    np.testing.assert_allclose(stem.sum(axis=2), given["stem/kernel"].sum(axis=2), atol=1e-5)
    learnt = [layer for layer in trained.layers if hasattr(layer, "kernel") and layer.name != "logits"]
    assert {layer.name for layer in learnt} == {name.split("/")[0] for name in given}


def test_one_picture_does_not_depend_on_others(pair: tuple[Any, Any]) -> None:
    together, alone = np.asarray(pair[1](pictures())), np.asarray(pair[1](pictures()[:1]))
    np.testing.assert_allclose(together[:1], alone, atol=1e-4)


def test_brightness_and_contrast_hardly_change_the_output(pair: tuple[Any, Any]) -> None:
    given, darker = np.asarray(pair[1](pictures())), np.asarray(pair[1](0.1 + 0.6 * pictures()))
    assert np.abs(given - darker).max() < 0.15 * np.abs(given).max()


def test_a_picture_of_one_grey_gives_finite_numbers(pair: tuple[Any, Any]) -> None:
    assert np.isfinite(np.asarray(pair[1](np.full((1, SIZE, SIZE, 1), 0.5, np.float32)))).all()


def test_the_average_is_the_mean_of_members_and_mirrored_pictures(
    pair: tuple[Any, Any], tmp_path: Path
) -> None:
    import keras

    from healthdash.tasks.imaging.network import average

    member = pair[1]
    average([member, member], SIZE, mirrored=True).save(tmp_path / "joined.keras")
    loaded = keras.saving.load_model(tmp_path / "joined.keras", compile=False, safe_mode=True)
    expected = (member(pictures()) + member(pictures()[:, :, ::-1])) / 2
    np.testing.assert_allclose(loaded(pictures()), expected, rtol=1e-3, atol=1e-4)


def test_a_head_on_the_frozen_network_gives_the_logits_of_its_features(tmp_path: Path) -> None:
    import keras

    from healthdash.tasks.imaging.network import NetworkPlan
    from healthdash.tasks.imaging.transfer import Head, encoder, mean_head, pooled, with_head

    network = encoder(NetworkPlan(size=SIZE, labels=3))
    features = pooled(network, pictures())
    rng = np.random.default_rng(0)
    heads = [
        Head(rng.normal(size=(features.shape[1], 2)), rng.normal(size=2).astype(np.float32)) for _ in range(2)
    ]
    with_head(network, mean_head(heads)).save(tmp_path / "whole.keras")
    whole = keras.saving.load_model(tmp_path / "whole.keras", compile=False, safe_mode=True)
    expected = np.mean([features @ head.kernel + head.bias for head in heads], axis=0)
    np.testing.assert_allclose(whole(pictures()), expected, rtol=1e-3, atol=1e-3)


def test_it_learns(pair: tuple[Any, Any]) -> None:
    from healthdash.tasks.imaging.fitting import FitPlan, Part, fit
    from healthdash.tasks.imaging.network import NetworkPlan

    rng = np.random.default_rng(2)
    labels = np.arange(32) % 2
    grey = rng.integers(0, 90, (32, SIZE, SIZE)).astype(np.uint8)
    grey[labels == 1, 16:48, 16:48] += 100
    part = Part(pictures=grey, labels=labels.astype(np.int64))
    rows: list[Any] = []
    plan = FitPlan(epochs=4, batch_size=8, average_momentum=0.5, half_precision=False, augmentation=None)
    network = fit(NetworkPlan(size=SIZE, labels=2), plan, part, part, rows.append, seed=0)
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    found = np.asarray(network(part.inputs)).argmax(axis=1)
    assert (found == labels).mean() > 0.9
