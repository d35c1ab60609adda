"""Synthetic items: learnt from training rows only, no copies, and a classifier can learn from them alone."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.errors import TrainingStopped
from healthdash.training import TrainSettings, checkpoint, resumable, samples
from healthdash.training.studio.generative import synthetic
from healthdash.training.studio.generative.copies import Known
from healthdash.training.studio.generative.extended import Extended
from healthdash.training.studio.generative.form import fitted_form
from tests.labelled import pictures, rows, signals
from tests.mixed_rows import mixed_rows

#: Of the area under the curve over chance, 0.5.
MARGIN = 0.2
TRAIN, TEST = np.arange(0, 160), np.arange(160, 240)
pytestmark = pytest.mark.tf


def _settings(how, epochs):
    return TrainSettings(synthetic=how, synthetic_epochs=epochs)


def _separates(made, truth, real, real_truth):
    """Return the area under the curve on real items of a classifier that has seen made ones only."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    def flat(values):
        return np.nan_to_num(values.reshape(len(values), -1), nan=-9.0)

    forest = RandomForestClassifier(100, random_state=0).fit(flat(made), truth)
    return roc_auc_score(real_truth, forest.predict_proba(flat(real))[:, 1])


@pytest.mark.parametrize("how", ["cvae", pytest.param("gan", marks=pytest.mark.slow)])
def test_what_is_learnt_from_made_rows_holds_for_real_ones(how):
    items = mixed_rows()
    prepared = items.fitted(TRAIN)
    maker = synthetic.fitted_maker(items, prepared, TRAIN, _settings(how, 60), lambda row: None, seed=0)
    truth = np.repeat([0, 1], 150)
    made = maker.make(truth, np.random.default_rng(0))
    assert _separates(made, truth, items.values[TEST], items.truth[TEST]) > 0.5 + MARGIN
    real = items.values[TRAIN]
    for label in (0, 1):
        own = real[items.truth[TRAIN] == label]
        spread = np.nanstd(own, axis=0) + 1e-6
        off = (np.nanmean(made[truth == label], axis=0) - np.nanmean(own, axis=0)) / spread
        assert np.abs(off).max() < 0.8
    assert set(np.unique(made[:, 2])) <= {0.0, 1.0, 2.0}
    assert np.nanmin(made[:, 1]) >= np.nanmin(real[:, 1])


@pytest.mark.slow
@pytest.mark.parametrize(("how", "epochs"), [("cvae", 12), ("gan", 20)])
def test_a_classifier_of_made_pictures_finds_the_disc_of_real_ones(how, epochs):
    items = pictures(96, side=16)
    rows = np.arange(96)
    maker = synthetic.fitted_maker(
        items, items.fitted(rows), rows, _settings(how, epochs), lambda row: None, seed=0
    )
    truth = np.repeat([0, 1], 60)
    made = maker.make(truth, np.random.default_rng(0))
    assert made.shape == (120, 16, 16, 1)
    assert _separates(made, truth, items.values, items.truth) > 0.5 + MARGIN
    assert made.min() >= items.values.min()
    assert made.max() <= items.values.max()


@pytest.mark.slow
@pytest.mark.parametrize(("how", "epochs"), [("cvae", 30), ("gan", 20)])
def test_a_classifier_of_made_traces_tells_slow_from_quick_real_ones(how, epochs):
    items = signals(96, samples=64)
    rows = np.arange(96)
    maker = synthetic.fitted_maker(
        items, items.fitted(rows), rows, _settings(how, epochs), lambda row: None, seed=0
    )
    truth = np.repeat([0, 1], 60)
    made = maker.make(truth, np.random.default_rng(0))

    def power(values):
        """Return the share of each rate, whatever its phase."""
        found = np.abs(np.fft.rfft(values[..., 0], axis=1))[:, 1:20]
        return found / found.sum(axis=1, keepdims=True)

    assert _separates(power(made), truth, power(items.values), items.truth) > 0.5 + MARGIN


def test_only_training_rows_are_read_and_others_keep_their_numbers():
    items = mixed_rows()
    prepared = items.fitted(TRAIN)
    prepared.read.clear()
    full = synthetic.filled(items, prepared, TRAIN, _settings("cvae", 2), lambda row: None, seed=0)
    assert prepared.read <= set(TRAIN.tolist())
    np.testing.assert_array_equal(full.prepared.inputs(TEST), items.values[TEST])
    np.testing.assert_array_equal(full.truth[: len(items)], items.truth)
    np.testing.assert_array_equal(full.train[: len(TRAIN)], TRAIN)
    added = full.train[len(TRAIN) :]
    assert (added >= len(items)).all()
    assert set(full.truth[added].tolist()) == {1}
    counts = np.bincount(full.truth[full.train])
    assert counts[1] > 0.95 * counts[0]
    assert "into the training part only" in full.told["synthetic items"]


def test_made_items_are_changed_at_random_like_real_ones():
    items = rows(40)
    both = Extended(items.fitted(TRAIN[:40]), items.values[:10] + 1, 40)
    asked = np.arange(20, 50)
    plain = both.inputs(asked)
    np.testing.assert_array_equal(plain[20:], items.values[:10] + 1)
    spread = (both.inputs(asked, np.random.default_rng(0)) - plain).std(axis=1)
    assert spread[:20].min() > 0
    assert spread[20:].mean() == pytest.approx(spread[:20].mean(), rel=0.5)


def test_validation_items_weigh_by_the_real_training_items(monkeypatch):
    from healthdash.training.studio import batches, fitting

    learnt, steady = [], batches.steady
    monkeypatch.setattr(
        batches, "steady", lambda held, plan, truth: learnt.append(truth) or steady(held, plan, truth)
    )
    settings = TrainSettings(network="mlp", epochs=1, folds=0, synthetic="cvae", synthetic_epochs=1)
    items = mixed_rows()
    part = fitting.Part(run="network", seed=0, train=TRAIN, validation=TEST, judged=TEST)
    fitting.fit_fold(items, settings, part, lambda row: None)
    np.testing.assert_array_equal(learnt[0], items.truth[TRAIN])


def test_none_changes_nothing():
    items = mixed_rows()
    prepared = items.fitted(TRAIN)
    full = synthetic.filled(items, prepared, TRAIN, TrainSettings(), lambda row: None, seed=0)
    assert full.prepared is prepared
    assert full.train is TRAIN
    assert not full.told


def test_where_no_label_is_rarer_nothing_is_made_and_the_card_says_so():
    items = mixed_rows(ill=0.5)
    rows = np.arange(240)
    full = synthetic.filled(items, items.fitted(rows), rows, _settings("gan", 2), lambda row: None, seed=0)
    assert full.train is rows
    assert full.told["synthetic items"].startswith("none")


def test_a_label_is_not_filled_beyond_ten_times_its_own():
    wanted = synthetic.missing(np.array([0] * 500 + [1] * 3 + [2] * 400), 3, (4,))
    assert np.bincount(wanted, minlength=3).tolist() == [0, 30, 100]


def test_copies_of_training_items_are_thrown_away():
    items = mixed_rows()
    prepared = items.fitted(TRAIN)
    form = fitted_form("row", prepared, TRAIN, seed=0)
    known = Known.of(form, prepared, TRAIN)

    class Copier:
        """Gives training rows again, and from time to time another."""

        def make(self, wanted, rng):
            copied = items.values[TRAIN[rng.integers(len(TRAIN), size=len(wanted))]]
            copied[::4] = items.values[TEST[: len(copied[::4])]]
            return copied

    made, labels, thrown = synthetic._different(
        Copier(), np.ones(40, np.int64), known, np.random.default_rng(0)
    )
    assert thrown > 40
    assert len(made) == len(labels) > 0
    assert not known.are_copies(made).any()


@pytest.mark.parametrize("how", ["cvae", pytest.param("gan", marks=pytest.mark.slow)])
def test_equal_seeds_give_equal_items_and_a_broken_fit_goes_on_to_them(how, tmp_path, monkeypatch):
    monkeypatch.setattr(resumable, "_LEAST_S", 0)
    monkeypatch.setattr(resumable, "_MOST_SHARE", 1e9)
    items = mixed_rows()

    def made(on_epoch=lambda row: None):
        full = synthetic.filled(items, items.fitted(TRAIN), TRAIN, _settings(how, 4), on_epoch, seed=3)
        return full.prepared.others

    def stop(row):
        if row["epoch"] == 2:
            raise TrainingStopped("stopped")

    unbroken = made()
    with checkpoint.kept_in(tmp_path):
        with pytest.raises(TrainingStopped):
            made(stop)
        seen = []
        resumed = made(lambda row: seen.append(row["epoch"]))
    np.testing.assert_allclose(resumed, unbroken, atol=1e-5)
    assert seen == [1, 2, 3, 4]
    np.testing.assert_allclose(made(), unbroken, atol=1e-5)


def test_what_is_made_is_shown_while_it_is_learnt(tmp_path):
    items = mixed_rows()
    with samples.kept_in(tmp_path / "samples"):
        synthetic.filled(items, items.fitted(TRAIN), TRAIN, _settings("cvae", 3), lambda row: None, seed=0)
    assert samples.looks(tmp_path / "samples") == [1, 2, 3]
    look = samples.read(tmp_path / "samples", 3)
    assert look.labels == ("well", "ill")
    assert look.items.shape == (12, 4)
    assert look.columns[2]["values"] == ["f", "m"]
