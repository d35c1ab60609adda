"""What the tasks of own files share."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.datasets.own import numbered_as
from healthdash.errors import TooLittleData


def test_items_are_numbered_as_the_model_numbers_its_labels():
    kept, truth = numbered_as(("a", "b", "c"), np.asarray([0, 1, 2, 1, 0]), ("c", "x", "a"))
    assert kept.tolist() == [True, False, True, False, True]
    assert truth.tolist() == [2, 0, 2]


def test_items_of_one_label_of_the_model_cannot_be_measured():
    with pytest.raises(TooLittleData, match="two of the labels c, x"):
        numbered_as(("a", "b", "c"), np.asarray([0, 1, 2]), ("c", "x"))
