"""The right side of a comparison: the item that is the same one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from healthdash.explain import ExplainRequest
from healthdash.task import Prediction
from healthdash.ui.beside import same_item
from healthdash.ui.sides import Side


def _side(unit, items, item=0, rate_hz=None):
    chances = np.zeros((len(items), 1), np.float32)
    prediction = Prediction(
        labels=("a",), raw=chances, calibrated=chances, items=np.array(items), unit=unit,
        decided=np.zeros(len(items), np.int64), is_calibrated=False,
    )  # fmt: skip
    sample = SimpleNamespace() if rate_hz is None else SimpleNamespace(rate_hz=rate_hz)
    work = SimpleNamespace(reports=[SimpleNamespace(prediction=prediction, sample=sample)])
    return Side(None, None, work, 0, ExplainRequest(item=item))


@pytest.mark.parametrize(("item", "same"), [(0, None), (1, 1), (2, 2)])
def test_the_same_row_is_that_of_the_file(item, same):
    assert same_item(_side("row", [1, 2, 3], item), _side("row", [0, 2, 3])) == same


@pytest.mark.parametrize(("item", "same"), [(0, 1), (1, None), (2, 2)])
def test_the_same_beat_is_at_the_same_time_whatever_the_rate(item, same):
    left = _side("beat", [250, 500, 775], item, rate_hz=250.0)
    assert same_item(left, _side("beat", [0, 505, 1550], rate_hz=500.0)) == same


def test_a_beat_is_no_window():
    assert same_item(_side("beat", [0], rate_hz=100.0), _side("window", [0], rate_hz=100.0)) is None


def test_beats_are_named_with_their_time_and_rows_as_in_the_file():
    assert _side("beat", [250, 500], 1, rate_hz=250.0).item_words == "beat 2 at 2.00 s"
    assert _side("row", [1, 2], 1).item_words == "row 3"
