from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthdash.tasks.records.fit import background_rows
from healthdash.tasks.records.gate import gate, row_gates
from healthdash.tasks.records.icd9 import category_of, chapter_of
from healthdash.tasks.records.prepare import band_middles, features, fitted_columns

CONFIG = {
    "columns": [
        {"name": "visits", "kind": "number", "low": 0, "high": 9, "center": 1, "scale": 1, "log": True},
        {"name": "age", "kind": "number", "low": 5, "high": 95, "center": 65, "scale": 15, "bands": True},
        {"name": "gender", "kind": "category", "values": ["Female", "Male"]},
        {"name": "diag_1", "kind": "category", "icd9": True, "values": ["428", "chapter respiratory"]},
    ]
}


def frame(**columns):
    given = {"visits": [0.0], "age": ["[60-70)"], "gender": ["Male"], "diag_1": ["428"]} | columns
    return pd.DataFrame(given)


def test_numbers_stay_in_their_unit_and_categories_become_codes():
    assert features(frame(visits=[3.0]), CONFIG).tolist() == [[3, 65, 2, 1]]


def test_gaps_are_nan_or_zero():
    values = features(frame(visits=[np.nan], age=[""], gender=[""], diag_1=[""]), CONFIG)
    assert np.isnan(values[0, :2]).all()
    assert values[0, 2:].tolist() == [0, 0]


@pytest.mark.parametrize("size", [1e-10, 1.0, 1e10])
def test_the_spread_of_numbers_is_kept_whatever_their_size(size):
    values = pd.DataFrame({"a": size * np.array([1.0, 2, 3, 4, 5])})
    (column,) = fitted_columns(values, [{"name": "a", "kind": "number"}], rarest=1)
    assert column["center"] == pytest.approx(3 * size)
    assert column["scale"] == pytest.approx(size * 2**0.5)


def test_a_number_that_is_always_the_same_has_a_spread_of_one():
    (column,) = fitted_columns(pd.DataFrame({"a": [0.1] * 7}), [{"name": "a", "kind": "number"}], rarest=1)
    assert (column["center"], column["scale"]) == (0.1, 1.0)


@pytest.mark.tf
def test_a_network_tells_tiny_numbers_apart_as_large_ones(tmp_path):
    import keras

    from healthdash.exchange import network_file
    from healthdash.tasks.records.network import Shape, build

    logits = []
    for size in (1.0, 2.0**-33):
        values = pd.DataFrame({"a": size * np.array([1.0, 2, 3, 4, 5]), "b": [1.0, 2, 3, 4, 6]})
        kinds = [{"name": name, "kind": "number"} for name in values]
        columns = fitted_columns(values, kinds, rarest=1)
        _, network = build(columns, Shape(members=2), seed=1)
        network.save(tmp_path / "model.keras")
        network_file.check(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        logits.append(np.asarray(again(features(values, {"columns": columns}))))
    assert np.ptp(logits[0]) > 0.01
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-5)


def test_codes_are_found_whatever_their_case():
    assert features(frame(gender=["fEMALE"]), CONFIG)[0, 2] == 1


@pytest.mark.parametrize(("code", "place"), [("428.1", 1), ("486", 2), ("250.01", 0), ("nonsense", 0)])
def test_a_rare_diagnosis_counts_as_its_chapter(code, place):
    assert features(frame(diag_1=[code]), CONFIG)[0, 3] == place


@pytest.mark.parametrize(
    ("code", "category", "chapter"),
    [
        ("428", "428", "circulatory"),
        ("8", "008", "infectious"),
        ("250.83", "250.8", "endocrine"),
        ("250", "250.0", "endocrine"),
        ("V57", "V57", "supplementary"),
        ("E909", "E909", "external"),
        ("999.9", "999", "injury"),
        ("?", "", ""),
        ("0", "000", ""),
        ("Vx", "", ""),
    ],
)
def test_icd9(code, category, chapter):
    assert (category_of(code), chapter_of(code)) == (category, chapter)


def test_bands():
    assert band_middles(pd.Series(["[70-80)", "?", "20-30"])).tolist() == pytest.approx(
        [75, np.nan, 25], nan_ok=True
    )


def test_what_is_learnt_of_columns():
    data = frame(
        visits=[0, 0, 1, np.nan],
        age=["[0-10)"] * 4,
        gender=["Male"] * 3 + ["Female"],
        diag_1=["428", "428", "486", ""],
    )
    columns = [
        {k: c[k] for k in ("name", "kind", "log", "bands", "icd9") if k in c} for c in CONFIG["columns"]
    ]
    visits, age, gender, diagnosis = fitted_columns(data, columns, rarest=2)
    assert (visits["low"], visits["high"], visits["center"]) == (0, 1, 0)
    assert (age["low"], age["scale"]) == (5, 1)
    assert gender["values"] == ["male"]
    assert diagnosis["values"] == ["428", "chapter respiratory"]


def test_the_gate_passes_what_the_model_knows():
    assert gate(frame(), CONFIG).verdict == "pass"


def test_the_gate_names_column_range_and_rows():
    found = gate(pd.concat([frame(), frame(visits=[40.0], gender=["Other"])], ignore_index=True), CONFIG)
    assert found.verdict == "warn"
    assert found.reasons == (
        "Column visits: outside the training range of 0 to 9 in row 2.",
        "Column gender: a code that the model does not know in row 2.",
    )
    assert "40" not in " ".join(found.reasons)


def test_the_gate_names_rows_as_the_file_numbers_them():
    later = frame(visits=[40.0]).set_axis([6])
    assert gate(later, CONFIG).reasons == ("Column visits: outside the training range of 0 to 9 in row 7.",)


def test_each_row_has_a_gate_of_its_own():
    first, second = row_gates(pd.concat([frame(), frame(visits=[40.0])], ignore_index=True), CONFIG)
    assert first.verdict == "pass"
    assert second.reasons == ("Column visits: outside the training range of 0 to 9.",)


def test_the_gate_warns_of_many_gaps_and_refuses_nothing_but_gaps():
    empty = frame(visits=[np.nan], age=[""], gender=[""], diag_1=[""])
    assert gate(empty, CONFIG).verdict == "refuse"
    both = pd.concat([frame(), empty], ignore_index=True)
    assert gate(both, CONFIG).reasons == ("Half of the values or more are missing in row 2.",)


def test_background_rows_are_no_rows_of_patients():
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(size=200), rng.integers(0, 3, 200)], axis=1).astype(np.float32)
    values[::9, 0] = np.nan
    columns = [{"kind": "number"}, {"kind": "category"}]
    rows = background_rows(values, rng.integers(0, 2, 200), columns, 20, seed=0)
    assert 10 <= len(rows) <= 20
    assert set(rows[:, 1]) <= {0, 1, 2}
    assert not any((np.nan_to_num(row) == np.nan_to_num(values)).all(axis=1).any() for row in rows)


def test_a_table_of_few_rows_has_background_rows_too():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 5)).astype(np.float32)
    rows = background_rows(values, np.arange(20) % 2, [{"kind": "number"}] * 5, 60, seed=0)
    assert 2 <= len(rows) <= 6


def test_columns_of_codes_alone_have_background_rows_that_many_patients_share():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (1000, 5)).astype(np.float32)
    values = np.concatenate([values, [[2, 2, 2, 2, 2]]]).astype(np.float32)  # one patient's own
    rows = background_rows(values, rng.integers(0, 2, 1001), [{"kind": "category"}] * 5, 60, seed=0)
    assert len(rows) >= 10
    assert not (rows == 2).all(axis=1).any()
