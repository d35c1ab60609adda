"""How often a label was right where the output was about the same."""

from __future__ import annotations

import pytest

from healthdash.training.evaluation import Evaluation, ReliabilityBin

LABELS = ("absent", "present")


@pytest.fixture
def evaluation() -> Evaluation:
    bins = (
        ReliabilityBin(predicted=0.1, observed=0.2, low=0.1, high=0.3, n=20),
        ReliabilityBin(predicted=0.8, observed=0.7, low=0.5, high=0.9, n=10),
    )
    return Evaluation(split_rule="None.", counts={}, metrics=(), reliability={"present": bins})


def test_the_rows_with_the_nearest_output_are_told(evaluation: Evaluation) -> None:
    assert evaluation.frequency_near("present", 0.6, LABELS).n == 10
    assert evaluation.frequency_near("present", 0.0, LABELS).observed == 0.2


def test_the_other_of_two_labels_is_counted_the_other_way_round(evaluation: Evaluation) -> None:
    near = evaluation.frequency_near("absent", 0.25, LABELS)
    assert (near.observed, near.low, near.high) == pytest.approx((0.3, 0.1, 0.5))


def test_nothing_is_told_of_what_was_not_measured(evaluation: Evaluation) -> None:
    assert evaluation.frequency_near("viral", 0.5, ("normal", "bacterial", "viral")) is None
