"""Texts to numbers: what ends or misleads pandas is no number."""

from __future__ import annotations

import numpy as np
import pandas as pd

from healthdash.tables.numeric import to_numeric


def test_an_exponent_that_ends_pandas_is_no_number():
    text = pd.Series(["1e2147483648", "1E+4294967290", "-1.5e-2147483649", "1e308", "2e0000000001", "7", ""])
    found = to_numeric(text).to_numpy()
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 1e308, 20, 7, np.nan])


def test_numbers_stay_numbers_and_the_index_stays():
    found = to_numeric(pd.Series([1.5, 2.5], index=[4, 9]))
    assert found.tolist() == [1.5, 2.5]
    assert found.index.tolist() == [4, 9]
