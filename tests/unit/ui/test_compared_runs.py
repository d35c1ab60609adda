"""Curves of several runs on one pair of axes."""

import numpy as np
import pandas as pd

from healthdash.ui.compared_runs import overlay, smoothed


def test_no_smoothing_leaves_the_values():
    np.testing.assert_array_equal(smoothed(np.array([3.0, 1.0, 2.0]), 0.0), [3, 1, 2])


def test_smoothing_is_the_weighted_mean_of_all_before():
    values = np.array([4.0, 1.0, 7.0])
    expected = [4, (0.5 * 4 + 1) / 1.5, (0.25 * 4 + 0.5 * 1 + 7) / 1.75]
    np.testing.assert_allclose(smoothed(values, 0.5), expected)
    np.testing.assert_allclose(smoothed(np.full(9, 2.0), 0.9), 2.0)


def test_folds_of_a_run_are_averaged_and_runs_without_the_measure_left_out():
    folds = pd.DataFrame({"run": ["1", "1", "2"], "epoch": [1, 2, 1], "val_loss": [1.0, 0.5, 3.0]})
    view = overlay([("a", folds), ("b", pd.DataFrame({"epoch": [1], "loss": [1.0]}))], "val_loss")
    (curve,) = view.curves
    assert curve.name == "a"
    np.testing.assert_array_equal(curve.y, [2.0, 0.5])
    assert view.title == "Validation loss"
