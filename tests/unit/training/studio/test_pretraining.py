"""Pre-training moves the body of a network, leaves its end, and reads training and unlabelled items only."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from healthdash.training.studio.generative.pretraining import pretrain
from tests.labelled import signals
from tests.mixed_rows import mixed_rows

pytestmark = pytest.mark.tf
TRAIN = np.arange(100)


def _network(prepared):
    import keras

    keras.utils.set_random_seed(0)
    given, entered = prepared.entry()
    body = keras.layers.Flatten()(entered)
    body = keras.layers.Dense(24, "gelu", name="body")(body)
    return keras.Model(given, keras.layers.Dense(2, name="logits")(body))


def _pretrained(items, settings, **more):
    prepared = items.fitted(TRAIN)
    network = _network(prepared)
    before = [network.get_layer(name).get_weights()[0] for name in ("body", "logits")]
    rows = []
    told = pretrain(
        network, items.kind, more.get("prepared", prepared), TRAIN, settings, rows.append,
        count=len(items), seed=0,
    )  # fmt: skip
    after = [network.get_layer(name).get_weights()[0] for name in ("body", "logits")]
    return told, rows, [np.abs(a - b).max() for a, b in zip(before, after, strict=True)]


@pytest.mark.parametrize("make", [mixed_rows, lambda: signals(120, samples=48)])
def test_the_body_learns_to_restore_and_the_end_stays(make):
    told, rows, moved = _pretrained(make(), TrainSettings(pretrain=6, augment=False))
    assert rows[-1]["loss"] < 0.9 * rows[0]["loss"]
    assert moved[0] > 1e-3
    assert moved[1] == 0
    assert "6 epochs" in told["pre-training"]


def test_without_epochs_nothing_is_done():
    told, rows, moved = _pretrained(mixed_rows(), TrainSettings())
    assert (told, rows, moved) == ({}, [], [0, 0])


def test_items_without_labels_are_learnt_from_too(tmp_path):
    items = mixed_rows()
    prepared = items.fitted(TRAIN)
    asked = []

    def inputs_of(path):
        asked.append(path)
        return mixed_rows(60, seed=1).values

    prepared.inputs_of = inputs_of
    prepared.read.clear()
    settings = TrainSettings(pretrain=1, unlabelled=str(tmp_path), augment=False)
    told, _, _ = _pretrained(items, settings, prepared=prepared)
    assert asked == [tmp_path]
    assert "60 unlabelled" in told["pre-training"]
    assert prepared.read <= set(TRAIN.tolist())


def test_a_task_that_cannot_read_them_says_so(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read for this task"):
        _pretrained(mixed_rows(), TrainSettings(pretrain=1, unlabelled=str(tmp_path)))
