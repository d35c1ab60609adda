"""What tells one fit from another is the same in every process, and sees all labels."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf


class _Batches:
    """Batches of two items; only their last label is given."""

    def __init__(self, label: float) -> None:
        self._truth = np.array([0, 1, 0, label], np.float32)

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return np.ones((2, 3), np.float32), self._truth[2 * number : 2 * number + 2]


def _identity(label=1.0, *, wide=(4, 4), loss="mse"):
    import keras

    from healthdash.training import identity

    given = keras.Input((3,))
    found = [keras.layers.Activation("relu")(keras.layers.Dense(width)(given)) for width in wide]
    model = keras.Model(given, keras.layers.Dense(1)(found[0] - found[1]))
    model.compile("adam", loss)
    return identity.of_fit(model, _Batches(label), epochs=2, stopping=None, first=(), watched=None)


def test_the_numbers_that_keras_puts_behind_names_do_not_matter():
    import keras

    keras.utils.clear_session()
    first = _identity()
    assert first == _identity()


@pytest.mark.parametrize("other", [{"label": 0.0}, {"wide": (4, 1)}, {"loss": "mae"}])
def test_labels_layers_and_loss_do(other):
    assert _identity() != _identity(**other)


def test_the_label_of_each_row_does():
    import keras

    from healthdash.tasks.records.batches import RowBatches
    from healthdash.training import identity

    rows, truths = 32, [np.zeros(32, np.float32), *np.eye(32, dtype=np.float32)]
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    told = set()
    for truth in truths:
        batches = RowBatches((np.ones((rows, 3), np.float32), truth[:, None]), 8, seed=0)
        told.add(identity.of_fit(model, batches, epochs=2, stopping=None, first=(), watched=None))
    assert len(told) == len(truths)


def test_losses_are_told_apart_by_their_name_or_settings():
    import keras

    from healthdash.training.studio.losses import loss_of

    losses = [loss_of("focal"), loss_of("cross-entropy")]
    losses += [keras.losses.CategoricalCrossentropy(label_smoothing=share) for share in (0, 0.1)]
    assert len({_identity(loss=loss) for loss in losses}) == 4
    assert _identity(loss=loss_of("focal")) == _identity(loss=loss_of("focal"))
