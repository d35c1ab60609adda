"""Two models on the same rows: figures against scikit-learn, intervals against theory, words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from healthdash.errors import InvalidInput, ModelMismatch
from healthdash.training.paired import Answers, aligned, differences


def _answers(seed: int, n: int = 600, strength: float = 1.0, labels: int = 2) -> Answers:
    """Return answers whose quality grows with `strength`; the truth is the same for every seed."""
    truth = np.random.default_rng(0).integers(labels, size=n)
    logits = np.random.default_rng(seed).normal(size=(n, labels))
    logits[np.arange(n), truth] += strength
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple("abcdef"[:labels])
    return Answers(names, truth, p.astype(np.float32), p.argmax(axis=1), np.arange(n))


def _by_measure(first: Answers, second: Answers, **more):
    return {one.measure: one for one in differences(first, second, draws=500, **more)}


def test_the_figures_are_those_of_scikit_learn():
    first, second = _answers(1), _answers(2, strength=2.0)
    found = _by_measure(first, second)
    assert found["AUC"].first == pytest.approx(roc_auc_score(first.truth, first.probabilities[:, 1]))
    assert found["AUC"].second == pytest.approx(roc_auc_score(second.truth, second.probabilities[:, 1]))
    assert found["Brier score"].first == pytest.approx(
        brier_score_loss(first.truth, first.probabilities[:, 1]), abs=1e-6
    )
    many = _answers(1, labels=3)
    assert _by_measure(many, many)["AUC"].first == pytest.approx(
        roc_auc_score(
            many.truth, many.probabilities / many.probabilities.sum(1, keepdims=True), multi_class="ovr"
        )
    )


def test_a_clearly_better_model_is_named_and_a_smaller_brier_score_is_better():
    found = _by_measure(_answers(1, strength=0.3), _answers(2, strength=3.0))
    assert [found[name].winner for name in ("AUC", "Brier score", "accuracy")] == [1, 1, 1]
    assert found["Brier score"].difference < 0
    assert found["AUC"].words(("old", "new")).endswith(": new is better.")


def test_models_alike_are_not_told_apart():
    found = _by_measure(_answers(1), _answers(2))
    assert found["AUC"].low < 0 < found["AUC"].high
    assert "do not tell which model is better" in found["AUC"].words(("one", "two"))


def test_the_interval_of_a_paired_mean_is_that_of_theory():
    first, second = _answers(1, n=2000), _answers(2, n=2000, strength=1.2)
    found = _by_measure(first, second)["accuracy"]
    each = (second.decided == second.truth).astype(float) - (first.decided == first.truth)
    half = 1.96 * each.std() / np.sqrt(len(each))
    assert found.low == pytest.approx(each.mean() - half, abs=half / 4)
    assert found.high == pytest.approx(each.mean() + half, abs=half / 4)


def test_rows_of_one_patient_are_drawn_together():
    def copied(one: Answers) -> Answers:
        again = np.repeat(np.arange(len(one)), 4)
        return Answers(
            one.labels, one.truth[again], one.probabilities[again], one.decided[again], one.groups[again]
        )

    first, second = _answers(1, n=200), _answers(2, n=200, strength=1.5)
    once, four = _by_measure(first, second)["AUC"], _by_measure(copied(first), copied(second))["AUC"]
    assert (four.low, four.high) == pytest.approx((once.low, once.high))


def test_patients_that_one_model_knows_hold_for_both_whichever_comes_first():
    rows, patients = _answers(1, n=200), _answers(2, n=200, strength=1.5)
    patients = replace(patients, groups=np.arange(200) // 10)
    forth = _by_measure(*aligned(rows, patients))["AUC"]
    back = _by_measure(*aligned(patients, rows))["AUC"]
    known = replace(rows, groups=patients.groups)
    asked = _by_measure(known, patients)["AUC"]
    # The patients are drawn in another order.
    assert (forth.low, forth.high) == pytest.approx((asked.low, asked.high), abs=0.02)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=0.02)
    assert len(np.unique(aligned(rows, patients)[0].groups)) == 20


def test_labels_in_another_order_are_brought_into_one():
    one = _answers(1)
    turned = Answers(("b", "a"), 1 - one.truth, one.probabilities[:, ::-1], 1 - one.decided, one.groups)
    first, second = aligned(one, turned)
    np.testing.assert_array_equal(first.truth, second.truth)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_models_of_other_labels_or_other_rows_are_not_compared():
    one = _answers(1)
    with pytest.raises(ModelMismatch, match="same labels"):
        aligned(one, replace(one, labels=("a", "x")))
    with pytest.raises(ModelMismatch, match="do not use the same items"):
        aligned(one, _answers(1, n=500))


def test_too_little_data_gives_no_interval():
    one = _answers(1, n=20)
    with pytest.raises(InvalidInput, match="two labels and two groups"):
        differences(replace(one, groups=np.zeros(20)), one)
