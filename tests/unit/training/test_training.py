"""Splits, metrics, calibration and history against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from healthdash.errors import TooLittleData
from healthdash.training import evaluation
from healthdash.training.calibration import fit_calibration
from healthdash.training.card import render_card
from healthdash.training.evaluation import (
    Evaluation,
    MetricRow,
    bootstrap_interval,
    confusion,
    curve_points,
    metric_row,
    rate_row,
    reliability_bins,
)
from healthdash.training.history import HistoryFile, read_history, recorded
from healthdash.training.splits import folds_by_group, folds_by_neighbours, split_by_group
from tests.toy import toy_info

RNG = np.random.default_rng(0)


def _grouped(n_groups=60, size=5):
    groups = np.repeat(np.arange(n_groups), size)
    return groups % 2, groups


def test_no_group_is_in_two_parts():
    labels, groups = _grouped()
    split = split_by_group(labels, groups, seed=1)
    parts = [set(groups[rows]) for rows in (split.train, split.validation, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert sum(len(rows) for rows in (split.train, split.validation, split.test)) == len(labels)


def test_folds_hold_every_row_once_and_all_classes():
    labels, groups = _grouped()
    folds = folds_by_group(labels, groups, 5, seed=0)
    assert sorted(np.concatenate(folds)) == list(range(len(labels)))
    assert all(set(labels[fold]) == {0, 1} for fold in folds)


def test_folds_of_neighbours_are_runs_of_each_label_that_part_no_group():
    labels = np.repeat([0, 1], 10)
    groups = np.arange(20)
    groups[4] = groups[3]  # in the middle of a run of four, and one over its end
    groups[8] = groups[6] = groups[7]
    folds = folds_by_neighbours(labels, groups, 3)
    assert sorted(np.concatenate(folds)) == list(range(20))
    assert [list(fold[fold < 10]) for fold in folds] == [[0, 1, 2, 3, 4], [5], [6, 7, 8, 9]]
    assert [list(fold[fold >= 10]) for fold in folds] == [[10, 11, 12, 13], [14, 15, 16], [17, 18, 19]]


def test_many_groups_are_dealt_evenly_and_kept_whole():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 15_000, 30_000)
    labels = (rng.random(30_000) < 0.1).astype(int)
    folds = folds_by_group(labels, groups, 5, seed=0)
    assert sorted(np.concatenate(folds)) == list(range(30_000))
    assert sum(len(np.unique(groups[fold])) for fold in folds) == len(np.unique(groups))
    assert np.ptp([labels[fold].mean() for fold in folds]) < 0.01


def test_the_same_seed_gives_the_same_split():
    labels, groups = _grouped()
    one, two = (split_by_group(labels, groups, seed=3) for _ in range(2))
    assert np.array_equal(one.test, two.test)


@pytest.mark.parametrize("rare", [0, 1])
def test_every_part_holds_every_label_though_one_group_has_most_rows_of_one(rare):
    sizes = np.array([20] * 30 + [400] + [1] * 7)
    groups = np.repeat(np.arange(38), sizes)
    labels = np.where(groups < 30, 1 - rare, rare)
    split = split_by_group(labels, groups, seed=0)
    parts = (split.train, split.validation, split.test)
    assert all(set(labels[rows]) == {0, 1} for rows in parts)
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    assert sum(len(np.unique(groups[rows])) for rows in parts) == 38


def test_a_split_whose_parts_hold_every_label_is_cut_by_rows():
    labels, groups = _grouped()
    split = split_by_group(labels, groups, seed=2)
    folds = folds_by_group(labels, groups, 7, seed=2)
    assert np.array_equal(split.test, np.sort(folds[0]))
    assert np.array_equal(split.validation, np.sort(folds[1]))


def test_a_split_that_cannot_hold_every_label_says_which_part_lacks_it(monkeypatch):
    labels, groups = _grouped()
    monkeypatch.setattr("healthdash.training.splits._dealt", lambda *_: [np.arange(5)] * 7)
    monkeypatch.setattr("healthdash.training.splits.folds_by_group", lambda *_, seed: [np.arange(5)] * 7)
    with pytest.raises(TooLittleData, match="got no 1 in the training part"):
        split_by_group(labels, groups, seed=0)


def test_too_few_groups_say_how_many_are_needed():
    with pytest.raises(TooLittleData, match="1: 1 of 5 groups"):
        folds_by_group([0] * 10 + [1], [*range(10), 99], 5, seed=0)


def test_the_interval_over_groups_is_wider_than_over_rows():
    groups = np.repeat(np.arange(30), 20)
    values = np.repeat(RNG.normal(size=30), 20)
    by_group = bootstrap_interval(lambda rows: float(values[rows].mean()), groups)
    by_row = bootstrap_interval(lambda rows: float(values[rows].mean()), np.arange(600))
    assert by_group[1] - by_group[0] > 3 * (by_row[1] - by_row[0])


def test_one_group_alone_has_no_interval():
    truth, score = np.arange(40) % 2, np.linspace(0, 1, 40)
    row = metric_row("AUC", roc_auc_score, truth, score, np.zeros(40), part="test")
    assert (row.low, row.high) == (None, None)


def test_a_metric_row_holds_its_value_between_its_limits():
    truth = RNG.integers(0, 2, 300)
    score = truth + RNG.normal(size=300)
    row = metric_row("AUC", roc_auc_score, truth, score, np.arange(300), part="test", draws=200)
    assert row.low < row.value < row.high
    assert row.value == pytest.approx(roc_auc_score(truth, score))


def test_a_share_has_its_own_rows_as_n_and_where_no_group_errs_the_exact_interval():
    row = rate_row("specificity", np.ones(134, bool), np.arange(134) % 121, part="test")
    assert (row.value, row.n, row.high) == (1, 134, 1)
    assert row.low == pytest.approx(0.025 ** (1 / 121))  # Clopper and Pearson, 121 of 121
    none = rate_row("recall", np.zeros(9, bool), np.arange(9), part="test")
    assert (none.low, none.high) == pytest.approx((0, 1 - 0.025 ** (1 / 9)))


@pytest.mark.parametrize("wrong", [1, 2, 5])
def test_a_share_with_errors_in_few_groups_is_no_surer_than_one_without(wrong):
    groups = np.arange(300) % 10
    perfect = rate_row("recall", np.ones(300, bool), groups, part="test")
    erring = rate_row("recall", np.arange(300) >= wrong, groups, part="test")
    assert perfect.low == pytest.approx(0.025 ** (1 / 10))
    assert erring.low < perfect.low


@pytest.mark.parametrize("groups", [2, 5, 10])
def test_intervals_of_few_groups_hold_the_share_that_is_true(groups, monkeypatch):
    """Shares of patients differ, and are 60 % in the mean."""
    monkeypatch.setattr(evaluation, "_BIN_DRAWS", 100)
    rng, held = np.random.default_rng(groups), 0
    for _ in range(100):
        patients = np.repeat(np.arange(groups), 20)
        truth = rng.random(20 * groups) < rng.beta(1.5, 1, groups)[patients]
        (bar,) = reliability_bins(truth, np.full(20 * groups, 0.6), patients)
        held += bar.low <= 0.6 <= bar.high
    assert held >= 93


def test_a_share_of_counts_is_that_of_the_single_trials():
    right, groups = RNG.random(300) < 0.8, np.repeat(np.arange(30), 10)
    single = rate_row("accuracy", right, groups, part="test")
    counts = rate_row(
        "accuracy", np.bincount(groups, right), np.arange(30), among=np.full(30, 10), part="test"
    )
    assert single == counts
    assert single.low < single.value < single.high


def test_a_share_of_nothing_is_no_number_and_one_group_alone_has_no_interval():
    nothing = rate_row("recall", [], [], part="test")
    assert np.isnan(nothing.value)
    assert (nothing.n, nothing.low) == (0, None)
    assert rate_row("recall", [1, 0], ["a", "a"], part="test").low is None


def test_calibration_recovers_a_known_temperature():
    logits = RNG.normal(size=(20000, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (p.cumsum(1) > RNG.random((20000, 1))).argmax(1)
    fitted = fit_calibration(logits * 3, labels)
    assert fitted.scale == pytest.approx(1 / 3, rel=0.05)
    assert np.allclose(fitted.apply(logits * 3), p, atol=0.03)


def test_platt_recovers_a_known_offset():
    logits = RNG.normal(size=(20000, 2))
    shifted = logits + np.array([0, 1.0])
    p = np.exp(shifted[:, 1]) / np.exp(shifted).sum(1)
    labels = (RNG.random(20000) < p).astype(int)
    fitted = fit_calibration(logits, labels, method="platt")
    assert fitted.offset[1] == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("k", [2, 3])
def test_labels_told_apart_without_error_do_not_become_certain_when_smoothed(k):
    labels = np.arange(60) % k
    logits = 4.0 * np.eye(k)[labels]
    certain = fit_calibration(logits, labels, method="platt").apply(logits)
    smoothed = fit_calibration(logits, labels, method="platt", smooth=True).apply(logits)
    count = 60 // k
    assert certain.max(axis=1) == pytest.approx(1, abs=1e-3)
    assert smoothed.max(axis=1) == pytest.approx((count + 1) / (count + 2), abs=1e-3)


def test_reliability_bins_of_perfect_probabilities_hold_the_diagonal():
    p = RNG.random(20000)
    bins = reliability_bins(RNG.random(20000) < p, p, np.arange(20000))
    assert len(bins) == 10
    assert sum(bin_.low <= bin_.predicted <= bin_.high for bin_ in bins) >= 8


def test_reliability_bins_do_not_cut_through_equal_probabilities():
    truth = np.r_[np.zeros(100), np.ones(100)]
    (only,) = reliability_bins(truth, np.full(200, 0.5), np.arange(200))
    assert (only.observed, only.n) == (0.5, 200)
    few = reliability_bins(truth, np.repeat([0.1, 0.9], 100), np.arange(200))
    assert [(one.observed, one.n) for one in few] == [(0.0, 100), (1.0, 100)]


def test_reliability_bins_without_ties_hold_equal_shares():
    spread = reliability_bins(np.zeros(23), RNG.permutation(23), np.arange(23))
    assert [one.n for one in spread] == [3, 3, 3] + [2] * 7
    assert [one.n for one in reliability_bins([0, 1, 1], [0.2, 0.1, 0.3], [1, 2, 3])] == [1, 1, 1]
    assert reliability_bins([], [], []) == ()


def test_bars_of_rows_that_are_right_or_wrong_by_patient_are_those_of_the_patients():
    right = np.arange(60) % 2
    rows = reliability_bins(np.repeat(right, 50), np.full(3000, 0.5), np.repeat(np.arange(60), 50))
    patients = reliability_bins(right, np.full(60, 0.5), np.arange(60))
    assert (rows[0].n, rows[0].observed) == (3000, 0.5)
    assert (rows[0].low, rows[0].high) == pytest.approx((patients[0].low, patients[0].high), abs=0.03)


def test_each_bin_has_the_interval_of_its_own_groups():
    truth, p = np.tile([0, 1, 1, 0], 40), np.tile([0.1, 0.8, 0.8, 0.8], 40)
    never, often = reliability_bins(truth, p, np.repeat(np.arange(20), 8))
    # In none of 20 groups: 1 - 0.025 ** (1 / 20) is the exact upper end, whatever their rows.
    assert (never.low, never.high) == pytest.approx((0, 0.1684), abs=1e-4)
    assert often.observed == pytest.approx(2 / 3)
    assert often.low < often.observed < often.high


def test_rows_of_one_patient_alone_say_nothing_of_others():
    (only,) = reliability_bins([0, 1, 1, 1], np.full(4, 0.7), ["a"] * 4)
    assert only.low < 0.05
    assert only.high > 0.95


def test_curves_and_confusion():
    roc, pr = curve_points([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert (roc.x[0], roc.y[-1]) == (0.0, 1.0)
    assert max(pr.y) == 1.0
    assert confusion(("a", "b"), [0, 1, 1], [0, 0, 1]).counts == ((1, 0), (1, 1))


def test_a_growing_history_can_be_read_at_any_moment(tmp_path):
    history = HistoryFile(tmp_path / "history.csv")
    assert read_history(history.path).empty
    history({"epoch": 1, "loss": 0.5})
    history({"epoch": 2, "loss": 0.25, "val_loss": 0.3})
    read = read_history(history.path)
    assert list(read.columns) == ["epoch", "loss", "val_loss"]
    assert read["loss"].tolist() == [0.5, 0.25]


def test_an_epoch_is_kept_as_it_was_told_and_before_anyone_may_stop_the_training():
    told = []
    history, report = recorded(told.append)
    row = {"epoch": 1, "loss": 0.5}
    report(row)
    row["loss"] = 9.0
    assert (history, told) == ([{"epoch": 1, "loss": 0.5}], [row])
    history, report = recorded(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report(row)
    assert history == [row]


def test_figures_that_are_no_number_are_left_out():
    rows = [MetricRow(name=str(value), value=value, n=9, part="test") for value in (0.5, math.nan, math.inf)]
    evaluation = Evaluation(split_rule="", counts={}, metrics=rows, subgroups=rows, comparisons=rows).finite()
    for kept in (evaluation.metrics, evaluation.subgroups, evaluation.comparisons):
        assert [row.value for row in kept] == [0.5]


def test_the_card_says_what_was_measured_and_its_limits():
    rows = (MetricRow(name="AUC", value=0.5, low=0.4, high=0.6, n=1000, part="hold-out"),)
    card = render_card(
        toy_info().model_dump(), Evaluation(split_rule="By patient.", counts={"test": 9}, metrics=rows)
    )
    assert "not for clinical use" in card
    assert "| AUC | 0.500 | 0.400 to 0.600 | 1,000 | hold-out |" in card
    assert "Knows nothing." in card
