"""Exact Shapley values among the parts of a beat."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import bundles, pipeline
from healthdash.explain import ExplainRequest
from healthdash.tasks.ecg import TASKS
from healthdash.tasks.ecg.players import DIVISIONS, beats_around, leads, parts_of_a_beat
from healthdash.tasks.ecg.prepare import CONFIG, beat_inputs, sample_inputs

TASK = TASKS[0]


def test_every_value_belongs_to_one_of_ten_parts() -> None:
    sample = TASK.read(TASK.examples()[0].make())
    players = parts_of_a_beat(sample_inputs(sample, sample.beats[:3], CONFIG), CONFIG)
    assert len(players) == 10
    assert all((numbers >= 0).all() for numbers in players.owner.values())
    assert "trace, QRS complex" in players.names


def test_each_neighbour_owns_its_interval_and_its_shape() -> None:
    sample = TASK.read(TASK.examples()[0].make())
    players = beats_around(sample_inputs(sample, sample.beats[:3], CONFIG), CONFIG)
    assert len(players) == 2 * CONFIG["neighbours"] + 3
    later = players.names.index("1 beat later")
    assert set(np.flatnonzero((players.owner["shapes"] == later).all(axis=1))) == {CONFIG["neighbours"] + 1}
    assert (players.owner["window"] == players.names.index("this beat")).all()


def test_each_lead_owns_what_changes_with_it_alone() -> None:
    """Two leads as recorded, then with another second lead: only the second lead's values change."""
    sample = TASK.read(TASK.examples()[0].make())
    beats = np.arange(3, dtype=np.int64) * 300 + 300
    first = sample.signal_mv[:2000, 0]
    rng = np.random.default_rng(0)
    one, other = (
        beat_inputs(np.stack([first, drawn], axis=1).astype(np.float32), sample.rate_hz, beats, CONFIG)
        for drawn in rng.normal(size=(2, len(first))).cumsum(axis=1)
    )
    players = leads(one, CONFIG)
    assert len(players) == 5
    for name in ("window", "shapes", "rhythm"):
        changed = (one[name] != other[name]).any(axis=0)
        assert set(np.unique(players.owner[name][changed])) == {players.names.index("second lead")}


@pytest.mark.parametrize("division", TASK.divisions)
def test_every_division_has_its_players(division: str) -> None:
    sample = TASK.read(TASK.examples()[0].make())
    inputs = sample_inputs(sample, sample.beats[:3], CONFIG)
    assert TASK.players(inputs, CONFIG, division).names == DIVISIONS[division](inputs, CONFIG).names


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
