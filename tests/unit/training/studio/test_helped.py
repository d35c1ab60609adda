"""Whether synthetic items helped: fits with and without them on the same items."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.training import TrainSettings
from healthdash.training.studio.fitting import Fitted, Part
from healthdash.training.studio.generative import helped
from healthdash.training.studio.training import train
from tests.mixed_rows import mixed_rows

N = 240
ROWS = np.arange(N)


def _fits(items, noise, seed=0):
    """Return five folds and fits whose logits follow the truth, with noise."""
    rng = np.random.default_rng(seed)
    parts, fits = [], []
    for number in range(5):
        judged = ROWS[number::5]
        score = items.truth[judged] * 2.0 - 1 + noise * rng.normal(size=len(judged))
        logits = np.stack([-score, score], axis=1).astype(np.float32)
        parts.append(Part(f"fold {number}", 0, np.setdiff1d(ROWS, judged), ROWS[:0], judged))
        fits.append(Fitted([], logits, 1, {}))
    return parts, fits


@pytest.mark.tf
@pytest.mark.parametrize(("noises", "verdict"), [((0.5, 3.0), "they helped"), ((3.0, 0.5), "they did harm")])
def test_a_clear_difference_is_told(noises, verdict):
    items = mixed_rows(N)
    parts, better = _fits(items, noises[0])
    _, plain = _fits(items, noises[1], seed=1)
    first, *_ = helped.compared(items, ROWS, parts, better, plain)
    assert "AUC" in first.name
    assert first.note == verdict
    assert first.low < first.value < first.high


@pytest.mark.tf
def test_equal_fits_show_no_difference():
    items = mixed_rows(N)
    parts, fits = _fits(items, 1.0)
    for row in helped.compared(items, ROWS, parts, fits, fits):
        assert row.value == row.low == row.high == 0
        assert "no difference" in row.note


def test_it_is_asked_for_only_with_synthetic_items():
    assert helped.is_asked(TrainSettings(synthetic="cvae", synthetic_compared="yes"))
    assert not helped.is_asked(TrainSettings(synthetic="none", synthetic_compared="yes"))
    assert not helped.is_asked(TrainSettings(synthetic="cvae"))


@pytest.mark.tf
@pytest.mark.slow
def test_the_card_tells_the_difference_and_what_was_made(tmp_path):
    items = mixed_rows(N)
    settings = TrainSettings(
        network="mlp", folds=0, epochs=3, synthetic="cvae", synthetic_epochs=2, synthetic_compared="yes"
    )
    history = []
    bundle = train(items, settings, tmp_path / "made", history.append)
    names = [row.name for row in bundle.evaluation.comparisons]
    assert "AUC: with synthetic items minus without" in names
    assert "into the training part only" in bundle.card
    assert {row["run"] for row in history} == {
        "network, cvae", "network", "network, without synthetic items",
    }  # fmt: skip
    # Validation and test items are as many as ever.
    assert sum(n for name, n in bundle.evaluation.counts.items() if "item" in name) == N
