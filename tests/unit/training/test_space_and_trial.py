"""Random search: what is drawn, how a trial is judged, and that the test part is never looked at."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from healthdash.training.studio.search.pruning import Pruner
from healthdash.training.studio.search.space import (
    Among,
    Between,
    Space,
    default_space,
    parse_space,
    posed,
    read_space,
)
from tests import labelled as made

BASE = TrainSettings(seed=3, epochs=4, network="mlp")
SPACE = Space(
    {
        "learning_rate": Between(1e-4, 1e-1, log=True),
        "batch_size": Among((16, 64)),
        "epochs": Between(2, 9),
    }
)


def test_draws_are_within_the_space_differ_and_come_again_with_the_seed():
    drawn = SPACE.draw(BASE, 60, seed=1)
    assert drawn == SPACE.draw(BASE, 60, seed=1)
    assert drawn != SPACE.draw(BASE, 60, seed=2)
    rates = np.array([one.learning_rate for one in drawn])
    assert rates.min() >= 1e-4
    assert rates.max() <= 1e-1
    # Evenly by the logarithm: about half of them below the geometric middle.
    assert 15 < (rates < 10**-2.5).sum() < 45
    assert {one.batch_size for one in drawn} == {16, 64}
    assert all(isinstance(one.epochs, int) and 2 <= one.epochs <= 9 for one in drawn)
    assert {(one.seed, one.network) for one in drawn} == {(3, "mlp")}


def test_a_longer_search_begins_with_the_draws_of_a_shorter_one():
    assert SPACE.draw(BASE, 9, seed=1)[:4] == SPACE.draw(BASE, 4, seed=1)


def test_a_space_is_read_and_described(tmp_path):
    (tmp_path / "space.json").write_text(json.dumps(SPACE.described()))
    assert read_space(tmp_path / "space.json") == SPACE


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ([], "JSON object"),
        ({"colour": [1]}, "no setting that a search may draw"),
        ({"target": ["a", "b"]}, "no setting that a search may draw"),
        ({"seed": [1, 2]}, "no setting that a search may draw"),
        ({"dropout": {"low": 0.5, "high": 0.1}}, "low must be below high"),
        ({"dropout": {"low": 0.0, "high": 0.5, "log": True}}, "begins above 0"),
        ({"dropout": [0.1, 3]}, "expected numbers from 0 to 0.9"),
        ({"batch_size": [16.5]}, "expected numbers from 1"),
        ({"optimizer": ["adam", "magic"]}, "expected some of adamw"),
        ({"optimizer": {"low": 0, "high": 1}}, "not a range"),
        ({"dropout": "0.1"}, "expected a list or low and high"),
    ],
)
def test_a_wrong_space_is_refused_with_the_reason(stated, words):
    with pytest.raises(InvalidInput, match=words):
        parse_space(stated)


def test_all_that_is_wrong_with_a_space_is_said_at_once():
    with pytest.raises(InvalidInput) as raised:
        parse_space({"colour": [1], "dropout": [3]})
    assert len(raised.value.problems) == 2


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "space.json").write_text("learning_rate: 3")
    with pytest.raises(InvalidInput, match="JSON"):
        read_space(tmp_path / "space.json")


def test_trials_share_a_named_network_and_a_part_set_aside():
    assert posed("row", TrainSettings()).network == "mlp"
    assert posed("row", TrainSettings(folds=5)).folds == 0
    with pytest.raises(InvalidInput, match="not for the network"):
        posed("row", TrainSettings(network="ensemble"))


def test_the_usual_space_holds_only_what_is_heeded():
    adam = default_space("row", posed("row", TrainSettings(optimizer="adam")))
    assert "weight_decay" not in adam.ranges
    assert parse_space(adam.described()) == adam


OTHERS = [[1.0, 0.8, 0.6, 0.5, 0.4, 0.3]] * 5


def _ended(losses) -> int | None:
    pruner = Pruner(OTHERS)
    return next((epoch for epoch, loss in enumerate(losses, 1) if pruner.ends(epoch, loss)), None)


def test_a_hopeless_trial_is_ended_and_a_good_one_is_not():
    assert _ended([1.0, 0.9, 0.9, 0.9, 0.9, 0.9]) == 3
    assert _ended([1.0, 0.7, 0.5, 0.4, 0.3, 0.2]) is None


def test_the_first_trials_are_never_ended():
    pruner = Pruner(OTHERS[:3])
    assert not any(pruner.ends(epoch, 9.0) for epoch in range(1, 7))


@pytest.mark.tf
class TestTrial:
    def _run(self, items, settings=BASE, **more):
        from healthdash.training.studio.search import trial

        rows = []
        return trial.run(items, settings, rows.append, **more), rows

    def test_it_learns_and_is_judged_on_the_validation_part(self):
        items = made.rows(240)
        outcome, rows = self._run(items, replace(BASE, epochs=12, learning_rate=0.01))
        assert outcome.auc > 0.8
        assert outcome.loss < 0.55
        assert outcome.items == pytest.approx(240 / 7, abs=2)
        assert 3 < outcome.epochs <= len(rows) == 12
        assert set(outcome.metrics()) == {"validation loss", "validation AUC", "epochs"}

    def test_what_the_test_part_holds_makes_no_difference(self):
        """Neither its values nor its labels reach a trial."""
        from healthdash.training.studio.parts import split_of

        items = made.rows(160)
        before, _ = self._run(items)
        test = split_of(items, BASE.seed).test
        items.values[test] = np.random.default_rng(9).normal(5, 3, items.values[test].shape)
        after, _ = self._run(items)
        assert before == after
        assert not set(test) & {row for rows in items.fitted_on for row in rows}

    def test_a_hopeless_trial_ends_early_and_says_so(self):
        settings = replace(BASE, epochs=9, learning_rate=1e-5)
        outcome, rows = self._run(made.rows(160), settings, others=[[0.1] * 9] * 5)
        assert outcome.is_pruned
        assert outcome.epochs == len(rows) < 9
        assert outcome.auc is None
        assert "ended after epoch" in outcome.metrics()["validation loss"]["part"]

    def test_the_loss_can_be_compared_between_losses_and_weights(self):
        """The training loss of focal loss is several times smaller; what trials are compared by is not."""
        items = made.rows(160)
        usual, _ = self._run(items, replace(BASE, epochs=8, learning_rate=0.01))
        focal, _ = self._run(items, replace(BASE, epochs=8, learning_rate=0.01, loss="focal"))
        assert focal.loss == pytest.approx(usual.loss, rel=0.4)
