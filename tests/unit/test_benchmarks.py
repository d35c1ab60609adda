"""How a benchmark's row is judged and printed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.rows import Row, alternate, as_json, as_table, missing


@pytest.mark.parametrize(
    ("bounds", "equal", "verdict"),
    [
        ({"at_least": 20}, True, "met"),
        ({"at_least": 40}, True, "missed"),
        ({"at_most": 40}, True, "met"),
        ({"at_most": 2}, True, "missed"),
        ({}, True, "no target"),
        ({"at_least": 20}, False, "not equal"),
    ],
)
def test_a_row_is_judged_by_its_target_and_by_equality(bounds, equal, verdict):
    row = Row.compared("a", ours="1 s", reference="30 s", ratio=30.0, equal=equal, **bounds)
    assert row.verdict == verdict


def test_the_table_is_aligned_and_json_has_a_row_a_line():
    rows = [
        Row.compared("fast", ours="1 s", reference="30 s", ratio=30.0, at_least=20),
        missing("absent model", "no model ships yet"),
    ]
    head, rule, first, second = as_table(rows).splitlines()
    assert set(rule) == {"-"}
    assert first.index("1 s") == second.index("no model") == head.index("ours")
    assert [json.loads(line)["verdict"] for line in as_json(rows).splitlines()] == ["met", "not run"]


def test_calls_alternate_so_that_other_load_meets_all():
    order = []
    times = alternate([lambda: order.append("a"), lambda: order.append("b")], budget_s=0)
    assert order == ["a", "b"] * 3
    assert len(times) == 2
    assert np.isfinite(times).all()
