"""Exact Shapley values among the parts of a beat."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import bundles, pipeline
from healthdash.explain import ExplainRequest
from healthdash.tasks.ecg import TASKS
from healthdash.tasks.ecg.players import parts_of_a_beat
from healthdash.tasks.ecg.prepare import CONFIG, sample_inputs

TASK = TASKS[0]


def test_every_value_belongs_to_one_of_ten_parts() -> None:
    sample = TASK.read(TASK.examples()[0].make())
    players = parts_of_a_beat(sample_inputs(sample, sample.beats[:3], CONFIG), CONFIG)
    assert len(players) == 10
    assert all((numbers >= 0).all() for numbers in players.owner.values())
    assert "trace, QRS complex" in players.names


@pytest.mark.tf
def test_the_shares_of_the_parts_add_up_to_the_output() -> None:
    bundle = bundles.available("ecg-beats")[0]
    report = pipeline.run(TASK, TASK.examples()[1].make(), bundle)
    assert report.prediction is not None
    item = TASK.default_item(report.prediction)
    found = pipeline.explain(TASK, report, bundle, ExplainRequest(method="exact-shapley", item=item))
    assert found.error is None
    assert found.explanation is not None
    assert abs(found.explanation.residual) < 1e-5
    lines = TASK.attributions(found)
    assert [line.feature for line in lines] == list(found.explanation.players.names)
    np.testing.assert_allclose(
        sum(line.attribution for line in lines), found.explanation.output - found.explanation.base, atol=1e-5
    )
    assert TASK.render(found, bundle, item).explanation
