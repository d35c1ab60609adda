"""Batches that TensorFlow gathers are those that Python makes, in the order of every epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from healthdash.training import TrainSettings
from tests import labelled as made

pytestmark = pytest.mark.tf


def _batches(items, **chosen):
    from healthdash.training.studio import batches
    from healthdash.training.studio.plans import Plan

    settings = TrainSettings(seed=2, batch_size=16, label_smoothing=0.1, **chosen)
    plan = Plan.of(settings, items)
    rows = np.arange(5, len(items), dtype=np.int64)
    held = batches.Items(items.fitted(rows), items.truth, rows, 2)
    return batches.training(held, plan, seed=2), batches.steady(held, plan, items.truth)


@pytest.mark.parametrize("chosen", [{}, {"augment": False}, {"augment": False, "balance": "resampling"}])
def test_they_are_the_same_in_every_epoch(chosen):
    for made_of in _batches(made.rows(100), **chosen):
        gathered = made_of.stream()
        for epoch in (0, 3):
            made_of.begin(epoch)
            found = list(gathered.as_numpy_iterator())
            assert len(found) == len(made_of)
            for number, batch in enumerate(found):
                for one, other in zip(batch, made_of[number], strict=True):
                    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_rows_are_changed_anew_in_every_epoch_and_the_same_for_a_seed():
    first, second = (_batches(made.rows(100))[0] for _ in range(2))
    inputs = []
    for epoch in (0, 1):
        first.begin(epoch)
        second.begin(epoch)
        np.testing.assert_array_equal(first[0][0], second[0][0])
        inputs.append(np.sort(np.concatenate([first[n][0] for n in range(len(first))]), axis=0))
    assert not np.allclose(*inputs)


def test_what_is_made_anew_a_batch_at_a_time_is_not_gathered():
    assert _batches(made.pictures(40))[0].stream() is None
    assert _batches(made.rows(100), mixup=0.2)[0].stream() is None
    assert _batches(made.pictures(40))[1].stream() is not None


def test_a_fit_gives_the_same_weights_by_both_ways(monkeypatch):
    from healthdash.training.studio import fitting
    from healthdash.training.studio.parts import parts_of
    from healthdash.training.studio.streams import Stream

    items, settings = made.rows(100), TrainSettings(network="mlp", epochs=3, folds=0, seed=1)
    (part,) = parts_of(items, replace(settings))
    gathered = fitting.fit_fold(items, settings, part, lambda row: None)
    monkeypatch.setattr(Stream, "is_possible", staticmethod(lambda: False))
    by_python = fitting.fit_fold(items, settings, part, lambda row: None)
    for a, b in zip(gathered.weights, by_python.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
