from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from healthdash.tasks.records.compare import MODELS, compared, model_scores
from healthdash.tasks.records.dataset import Dataset
from healthdash.tasks.records.measure import Scored, calibration_line, measures, subgroup_rows
from healthdash.tasks.records.prepare import fitted_columns
from healthdash.training.ranking import auc
from healthdash.training.youden import youden_point

RNG = np.random.default_rng(3)
N = 400
TRUTH = RNG.integers(0, 2, N)
SCORE = np.clip(0.5 + 0.2 * (TRUTH - 0.5) + 0.2 * RNG.normal(size=N), 0.02, 0.98).round(2)


def scored(score=SCORE) -> Scored:
    frame = pd.DataFrame({"sex": RNG.choice(["0", "1"], N), "age": RNG.uniform(30, 80, N)})
    race = pd.DataFrame({"race": np.where(np.arange(N) < 300, "a", "b")})
    data = Dataset(frame, TRUTH, np.arange(N).astype(object), race)
    return Scored(data, np.stack([1 - score, score], axis=1), "test rows")


def test_the_operating_point_is_finite_though_no_row_is_told_from_another():
    point = youden_point("yes", TRUTH, np.full(N, 0.5), "some rows")
    assert point.threshold == 0.5


def test_the_operating_point_lies_between_the_scores_that_it_parts():
    scores = np.where(TRUTH, np.float32(0.7303345), np.float32(0.2))
    point = youden_point("yes", TRUTH, scores, "some rows")
    assert point.threshold == pytest.approx((0.7303345 + 0.2) / 2)
    assert ((scores >= point.threshold) == TRUTH.astype(bool)).all()


def test_a_calibrated_score_has_slope_one():
    p = RNG.uniform(0.02, 0.98, 50_000)
    slope, intercept = calibration_line((RNG.random(50_000) < p).astype(int), p)
    assert slope == pytest.approx(1, abs=0.05)
    assert intercept == pytest.approx(0, abs=0.05)


def test_too_extreme_scores_have_a_slope_below_one():
    p = RNG.uniform(0.02, 0.98, 20_000)
    extreme = p**2 / (p**2 + (1 - p) ** 2)
    assert calibration_line((RNG.random(20_000) < p).astype(int), extreme)[0] == pytest.approx(0.5, abs=0.05)


def test_every_figure_lies_within_its_interval():
    rows = {row.name: row for row in measures(scored())}
    assert set(rows) >= {"AUC", "Brier score", "calibration slope"}
    assert all(row.low <= row.value <= row.high for row in rows.values())


def test_subgroups_are_named_and_large_enough():
    names = {row.name for row in subgroup_rows(scored())}
    assert {"AUC, sex female", "AUC, age under 50", "AUC, race a"} <= names
    assert not any("70 and over" in row.name and row.n < 40 for row in subgroup_rows(scored()))


def test_the_codes_of_an_own_table_are_not_taken_for_those_of_another():
    own = scored()
    own = replace(own, data=replace(own.data, subgroups=own.data.frame[["sex"]]))
    names = {row.name for row in subgroup_rows(own)}
    assert {"AUC, sex 0", "AUC, sex 1"} <= names
    assert "AUC, sex female" not in names


def test_a_model_compared_with_itself_differs_by_nothing():
    _, difference = compared("itself", SCORE, scored())
    assert difference.value == difference.low == difference.high == 0


@pytest.mark.parametrize("name", MODELS)
def test_other_models_learn_from_tiny_numbers(name):
    values = (1e-10 * (3 + TRUTH + RNG.normal(size=N))).astype(np.float32)[:, None]
    columns = fitted_columns(pd.DataFrame({"a": values[:, 0]}), [{"name": "a", "kind": "number"}], rarest=3)
    scores = model_scores(name, columns, (values, TRUTH), values)
    assert auc(TRUTH, scores) > 0.7


@pytest.mark.parametrize("name", MODELS)
def test_other_models_learn_what_is_there_to_learn(name):
    columns = [
        {"name": "a", "kind": "number", "center": 0.0, "scale": 1.0},
        {"name": "b", "kind": "category", "values": ["x", "y"]},
    ]
    values = np.stack([TRUTH + RNG.normal(size=N), RNG.integers(0, 3, N)], axis=1).astype(np.float32)
    values[::10, 0] = np.nan
    assert auc(TRUTH, model_scores(name, columns, (values, TRUTH), values)) > 0.7
