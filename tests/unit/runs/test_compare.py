"""Filters over runs, and their settings against a figure."""

from __future__ import annotations

import pytest

from healthdash.runs import Run
from healthdash.runs.compare import Filter, cleaned_tags, measures, settings_against
from healthdash.ui import parallel
from healthdash.ui.palette import LIGHT


def _run(name: str, auc: float | None = None, **more) -> Run:
    metrics = {} if auc is None else {"AUC": {"value": auc, "part": "test"}}
    settings = more.pop("settings", {"epochs": 5, "optimizer": None})
    held = {"task": "table", "state": "done", "tags": ()} | more
    return Run(
        id=name, owner="o", place="p", name=name, out="", data="", settings=settings, metrics=metrics, **held
    )


RUNS = [
    _run("first", 0.7, tags=("baseline",), settings={"epochs": 5, "optimizer": None, "seed": 0}),
    _run("second", 0.9, tags=("baseline", "wide"), settings={"epochs": 9, "optimizer": "sgd", "seed": 0}),
    _run("third", task="images", state="failed"),
]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Filter(), ["first", "second", "third"]),
        (Filter(text="SECO"), ["second"]),
        (Filter(text="optimizer sgd"), ["second"]),
        (Filter(tasks=("images",)), ["third"]),
        (Filter(states=("done",)), ["first", "second"]),
        (Filter(tags=("baseline", "wide")), ["second"]),
        (Filter(measure="AUC", least=0.8), ["second"]),
        (Filter(measure="AUC", most=0.8), ["first"]),
        (Filter(measure="AUC"), ["first", "second"]),
    ],
)
def test_a_filter_keeps_what_it_says(wanted, names):
    assert [run.name for run in RUNS if wanted.keeps(run)] == names


def test_settings_that_differ_stand_beside_the_figure():
    assert measures(RUNS) == ["AUC"]
    table = settings_against(RUNS, "AUC")
    assert table.to_dict("list") == {
        "epochs": [5, 9], "optimizer": ["as the recipe", "sgd"], "AUC": [0.7, 0.9]
    }  # fmt: skip


def test_parallel_coordinates_have_an_axis_for_each_of_them():
    (lines,) = parallel.figure(settings_against(RUNS, "AUC"), LIGHT).data
    assert [axis.label for axis in lines.dimensions] == ["epochs", "optimizer", "AUC"]
    assert lines.dimensions[1].ticktext == ("as the recipe", "sgd")


def test_tags_are_short_few_and_each_once():
    assert cleaned_tags(["  a  b ", "a b", "", "x" * 99]) == ("a b", "x" * 30)
    assert len(cleaned_tags([str(n) for n in range(99)])) == 12
