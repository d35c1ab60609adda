"""Who plays, and what stands in for those who do not."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.errors import ContractError, ExplainerNotApplicable
from healthdash.explain import baselines, players
from healthdash.explain.players import Players

SHAPES = {"window": (12, 2), "rhythm": (3,)}
RNG = np.random.default_rng(0)


def _rows(n, shapes=SHAPES):
    return {name: RNG.normal(size=(n, *shape)).astype(np.float32) for name, shape in shapes.items()}


def test_parts_own_what_they_index_and_the_rest_goes_to_one_more_player():
    made = Players.of(SHAPES, {"QRS": {"window": slice(4, 8)}, "rate": {"rhythm": [0]}}, rest="other")
    assert made.names == ("QRS", "rate", "other")
    np.testing.assert_array_equal(made.sizes, [8, 1, 18])


def test_parts_that_meet_or_are_empty_are_a_mistake():
    with pytest.raises(ContractError, match="meets"):
        Players.of(SHAPES, {"a": {"window": slice(0, 5)}, "b": {"window": slice(4, 9)}})
    with pytest.raises(ContractError, match="none"):
        Players.of(SHAPES, {"a": {"window": slice(0, 0)}})
    with pytest.raises(ContractError, match="age"):
        Players.columns("features", ["sex"], {"who": ["age", "sex"]})


def test_a_coalition_keeps_what_its_players_own():
    made = Players.of(SHAPES, {"QRS": {"window": slice(4, 8)}})
    keep = made.keep(np.array([[True, False], [False, True]]))
    assert keep["window"][0].all(axis=1).nonzero()[0].tolist() == [4, 5, 6, 7]
    np.testing.assert_array_equal(keep["window"][0], ~keep["window"][1])
    assert not keep["rhythm"][0].any()
    assert keep["rhythm"][1].all()


def test_values_that_nobody_owns_stay_the_items():
    made = Players(("only",), {"features": np.array([0, players.FIXED])})
    np.testing.assert_array_equal(made.keep(np.array([[False]]))["features"], [[False, True]])
    np.testing.assert_array_equal(made.spread(np.array([2.0]))["features"], [2, 0])


def test_shares_are_spread_evenly_and_sum_back():
    made = Players.of(SHAPES, {"QRS": {"window": slice(4, 8)}})
    np.testing.assert_allclose(made.sums(made.spread(np.array([0.4, -0.1]))), [0.4, -0.1], atol=1e-6)


@pytest.mark.parametrize("most", [3, 9, 40])
def test_superpixels_are_connected_and_not_more_than_wanted(most):
    from scipy import ndimage

    picture = ndimage.gaussian_filter(RNG.random((48, 40, 1)), (3, 3, 0)).astype(np.float32)
    made = players.superpixels(picture, most)
    assert 1 < len(made) <= most
    regions = made.owner["image"][..., 0]
    assert all(ndimage.label(regions == number)[1] == 1 for number in range(len(made)))
    assert made.sizes.sum() == picture.size


def test_superpixels_follow_an_edge():
    picture = np.zeros((40, 40, 1), np.float32)
    picture[:, 17:] = 1
    regions = players.superpixels(picture, 16).owner["image"][..., 0]
    crossing = np.intersect1d(regions[:, :17], regions[:, 17:])
    assert len(crossing) == 0


def test_a_signal_is_cut_into_parts_and_its_other_inputs_play_whole():
    made = players.of_inputs(_rows(1), most=10)
    assert made.names == (*[f"window, part {i + 1}" for i in range(8)], "rhythm")
    assert len(players.of_inputs(_rows(1), most=5)) <= 5


def test_cells_are_of_nearly_equal_size():
    made = players.grid({"image": (33, 20, 3)}, 4)
    assert len(made) == 16
    assert made.sizes.min() >= 3 * 8 * 5


def test_baselines_are_what_they_say():
    item, background = _rows(1), _rows(6)
    assert baselines.rows("background", item, background)["window"] is background["window"]
    mean = baselines.rows("mean", item, background)
    np.testing.assert_allclose(mean["rhythm"][0], background["rhythm"].mean(axis=0), atol=1e-6)
    zero = baselines.rows("zero", item, background)
    assert not zero["window"].any()
    np.testing.assert_allclose(zero["rhythm"], mean["rhythm"])
    blur = baselines.rows("blur", item, background)["window"]
    assert blur.std() < item["window"].std()
    assert set(baselines.TITLES) == {"background", "mean", "zero", "blur"}


def test_a_table_has_no_baseline_but_the_background():
    table = _rows(1, {"features": (4,)})
    with pytest.raises(ExplainerNotApplicable, match="mean"):
        baselines.rows("mean", table, _rows(5, {"features": (4,)}))
    with pytest.raises(ExplainerNotApplicable, match="background, mean, blur, zero"):
        baselines.rows("noise", table, table)
