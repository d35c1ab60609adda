"""The learning-rate finder: the rate where the loss falls most steeply."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from tests import labelled

pytestmark = pytest.mark.tf


def test_it_is_where_the_loss_falls_most_steeply():
    from healthdash.training.studio.rates import proposed

    rates = np.geomspace(1e-6, 1, 100)
    at = np.log10(rates)
    losses = 1 - 0.8 / (1 + np.exp(-6 * (at + 3))) + np.where(at > -1, (at + 1) * 4, 0)
    assert proposed(rates, losses) == pytest.approx(1e-3, rel=0.3)


def test_a_loss_that_never_falls_is_told():
    from healthdash.training.studio.rates import proposed

    with pytest.raises(InvalidInput, match="falls at no learning rate"):
        proposed(np.geomspace(1e-6, 1, 50), np.linspace(1, 2, 50))


def test_a_short_training_proposes_a_rate_that_learns():
    from healthdash.training.studio.rates import find_rate

    told = []
    found = find_rate(labelled.rows(160), TrainSettings(network="mlp"), told.append)
    assert 1e-4 <= found.proposed <= 0.3
    assert told[-1] <= 1
    assert told == sorted(told)
    assert found.as_json()["proposed"] == found.proposed
    assert len(found.rates) == len(found.losses)
    again = find_rate(labelled.rows(160), TrainSettings(network="mlp"))
    assert again.proposed == found.proposed
