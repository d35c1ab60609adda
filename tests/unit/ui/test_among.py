"""How the choice of players becomes players, and an address."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from healthdash.explain.choices import Column
from healthdash.fields import NumberField
from healthdash.ui import among
from healthdash.ui.among import Among

PICTURE = {"image": np.random.default_rng(0).random((1, 24, 24, 1), np.float32)}
SIGNAL = {"window": np.ones((1, 40, 2), np.float32), "rhythm": np.ones((1, 3), np.float32)}
ROW = {"features": np.ones((1, 4), np.float32)}


class Table:
    column_groups = {}
    divisions = {}

    def choices(self, bundle):
        labels = ("Age", "Age", "Dose", "Rate")
        return tuple(Column(NumberField(name=n, label=lab)) for n, lab in zip("abcd", labels, strict=True))

    def players(self, inputs, config, division=""):
        return None


BUNDLE = SimpleNamespace(info=SimpleNamespace(preprocessing={}))


def _made(chosen, one, method="kernel-shap"):
    return among.made(chosen, Table(), BUNDLE, one, method)


@pytest.mark.parametrize(
    ("one", "kinds"),
    [(ROW, ["columns", "groups"]), (PICTURE, ["superpixels", "grid"]), (SIGNAL, ["stretches"])],
)
def test_each_kind_of_data_has_its_ways(one, kinds):
    assert among.kinds(Table(), BUNDLE, one) == kinds


def test_a_column_of_two_groups_is_in_the_first_and_unknown_ones_in_none():
    made = _made(Among("groups", 0, (("left", ("a", "b", "zz")), ("right", ("b", "c")))), ROW)
    assert made.names == ("left", "right", "Rate")
    np.testing.assert_array_equal(made.owner["features"], [0, 0, 1, 2])


def test_columns_called_the_same_and_a_group_called_like_a_column_stay_apart():
    made = _made(Among("groups", 0, (("Rate", ("c",)),)), ROW)
    assert made.names == ("a", "b", "Rate (group)", "Rate")


def test_groups_without_columns_are_no_groups():
    assert _made(Among("groups", 0, (("left", ()), ("right", ("zz",)))), ROW) is None


def test_an_exact_method_gets_no_more_than_it_can():
    assert len(_made(Among("grid", 12), PICTURE)) == 144
    assert len(_made(Among("grid", 12), PICTURE, "exact-shapley")) == 16
    assert len(_made(Among("superpixels", 96), PICTURE, "exact-shapley")) <= 16
    assert len(_made(Among("stretches", 32), SIGNAL, "exact-shapley")) <= 16


def test_a_number_that_is_not_offered_is_the_usual_one():
    assert len(_made(Among("grid", 7), PICTURE)) == 36
    assert len(_made(Among("stretches", 0), SIGNAL)) == 8 + 1


def test_stretches_cover_the_trace_and_other_inputs_play_whole():
    made = _made(Among("stretches", 6), SIGNAL)
    assert made.names[-1] == "rhythm"
    assert made.sizes.sum() == 80 + 3
    assert (np.diff(made.owner["window"][:, 0]) >= 0).all()


def test_groups_survive_their_address():
    groups = (("left side", ("a", "b")), ("right", ("c",)))
    assert among.groups_of_address(among.as_address(groups)) == groups
    assert among.groups_of_address("nonsense;:a;x:;ok:d") == (("ok", ("d",)),)
