"""The hint of over-fitting: there where curves part, silent where they are only noisy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthdash.training.overfitting import hint, overfit

EPOCHS = np.arange(1, 61)
FALLING = np.exp(-EPOCHS / 15)


def _parting(best: int, steepness: float = 0.012) -> np.ndarray:
    """Return a validation loss that falls until its best epoch and rises from then on."""
    return 0.4 + np.abs(EPOCHS - best) * steepness * np.where(EPOCHS < best, 1.5, 1.0)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.02])
def test_curves_that_part_are_told_with_about_the_right_epoch(noise):
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = overfit(FALLING + rng.normal(0, noise / 2, 60), _parting(20) + rng.normal(0, noise, 60))
        assert found is not None
        assert abs(found.epoch - 20) <= 4
        assert found.now > found.lowest


def test_it_is_told_soon():
    told = [n for n in range(1, 61) if overfit(FALLING[:n], _parting(20)[:n])]
    assert told[0] - 20 <= 7
    assert told == list(range(told[0], 61))


CURVES = {
    "level": np.full(60, 0.5),
    "falling slowly": 0.5 + 0.3 * np.exp(-EPOCHS / 25),
    "falling to a level": 0.5 + 0.3 * np.exp(-EPOCHS / 5),
    "at once on its level": np.where(EPOCHS < 3, 0.8, 0.5),
}


def test_noise_alone_gives_hardly_an_alarm_though_one_looks_at_every_epoch():
    rng = np.random.default_rng(1)
    trainings = [(curve, noise) for curve in CURVES.values() for noise in (0.003, 0.02, 0.1)] * 40
    alarms = 0
    for curve, noise in trainings:
        held, train = curve + rng.normal(0, noise, 60), FALLING + rng.normal(0, noise, 60)
        alarms += any(overfit(train[:n], held[:n]) for n in range(6, 61, 3))
    assert alarms <= 0.01 * len(trainings)


def test_a_rise_of_both_losses_is_not_called_over_fitting():
    assert overfit(_parting(20), _parting(20)) is None


def test_one_jump_is_not_a_trend():
    held = CURVES["falling to a level"].copy()
    held[-2:] += 0.3
    assert overfit(FALLING, held) is None


def test_few_epochs_and_gaps_say_nothing():
    assert overfit([], []) is None
    assert overfit([1.0, 0.5, 0.3], [1.0, 1.1, 1.2]) is None
    assert overfit([1.0] * 20, [float("nan")] * 20) is None


def test_the_words_name_the_epoch_and_what_helps():
    words = hint(pd.DataFrame({"epoch": EPOCHS, "loss": FALLING, "val_loss": _parting(20)}))
    assert words.startswith("Since epoch 20 the validation loss rises (0.4 there")
    assert "early stopping" in words


def test_of_many_networks_the_most_must_over_fit():
    def history(parting: int) -> pd.DataFrame:
        parts = [
            pd.DataFrame(
                {
                    "run": f"fold {number}", "epoch": EPOCHS, "loss": FALLING,
                    "val_loss": _parting(20) if number < parting else CURVES["falling slowly"],
                }
            )
            for number in range(5)
        ]  # fmt: skip
        return pd.concat(parts)

    assert hint(history(1)) == ""
    assert hint(history(4)).startswith("In 4 of 5 networks the validation loss rises from about epoch 20")


def test_without_a_validation_loss_there_is_nothing_to_say():
    assert hint(pd.DataFrame()) == ""
    assert hint(pd.DataFrame({"epoch": EPOCHS, "loss": FALLING})) == ""
