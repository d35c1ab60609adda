"""A training of the studio: what is kept apart, what is chosen where, and that it goes on after its end."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from healthdash.errors import TrainingStopped
from healthdash.training import TrainSettings
from tests import labelled

pytestmark = pytest.mark.tf


def _train(items, out, **settings):
    from healthdash.training.studio.training import train

    chosen = {"network": "mlp", "epochs": 3, **settings}
    return train(items, TrainSettings(**chosen), out, lambda row: None)


def test_constants_are_fitted_on_training_items_only(tmp_path):
    items = labelled.rows(140)
    _train(items, tmp_path / "m", folds=0)
    from healthdash.training.studio.parts import split_of

    split = split_of(items, 0)
    for rows in items.fitted_on:
        assert not np.intersect1d(rows, np.concatenate([split.validation, split.test])).size


def test_no_group_is_learnt_from_and_judged(tmp_path):
    from healthdash.training.studio.parts import parts_of

    items = labelled.rows(120)
    items.groups = (np.arange(120) // 3).astype(str)
    for folds in (0, 4):
        parts = parts_of(items, TrainSettings(network="mlp", folds=folds))
        for part in parts:
            seen = set(items.groups[part.train]) | set(items.groups[part.validation])
            judged = part.judged if folds else np.setdiff1d(part.judged, part.validation)
            assert not seen & set(items.groups[judged])
            assert not set(items.groups[part.train]) & set(items.groups[part.validation])
    assert sorted(np.concatenate([part.judged for part in parts]).tolist()) == list(range(120))


def test_few_groups_are_cross_validated_and_rows_fitted_once_more(tmp_path):
    items, told = labelled.rows(60), []
    from healthdash.training.studio.training import train

    bundle = train(items, TrainSettings(network="mlp", epochs=2), tmp_path / "m", told.append)
    runs = list(dict.fromkeys(row["run"] for row in told))
    assert runs == [*(f"fold {n}" for n in range(1, 6)), "all items"]
    assert bundle.evaluation.counts["all items"] == 60
    assert len(bundle.history) == len(told)
    assert bundle.info.operating_points
    # The kept network saw every item, and its constants are those of all of them.
    assert len(items.fitted_on[-1]) == 60


def test_labels_that_say_nothing_give_figures_of_chance(tmp_path):
    items = labelled.rows(200)
    items.truth = np.random.default_rng(1).permutation(items.truth)
    found = _train(items, tmp_path / "m", folds=4, epochs=6).evaluation.metric("AUC")
    assert found.low < 0.5 < found.high or abs(found.value - 0.5) < 0.1


def test_three_labels_have_their_figures(tmp_path):
    bundle = _train(labelled.rows(150, labels=3), tmp_path / "m", folds=0, epochs=8)
    names = {row.name for row in bundle.evaluation.metrics}
    assert {"AUC", "log loss", "balanced accuracy", "perhaps recall"} <= names
    assert not bundle.info.operating_points
    assert set(bundle.evaluation.roc) == {"no", "yes", "perhaps"}


def test_windows_of_one_recording_are_judged_together(tmp_path):
    items = labelled.signals(64, samples=32)
    # Windows 2i and 2i + 1 are of recording i, with the first one's label.
    items.truth = np.repeat(np.arange(32) % 2, 2)
    items.groups = np.repeat(np.arange(32), 2).astype(str)
    items.whole = np.repeat(np.arange(32), 2)
    bundle = _train(items, tmp_path / "m", network="gru", folds=2, epochs=1)
    assert bundle.evaluation.counts == {"all items": 32, "all windows": 64, "all groups": 32}
    assert bundle.evaluation.metric("AUC").n == 32


def test_members_are_averaged_into_one(tmp_path):
    bundle = _train(
        labelled.signals(48, samples=32), tmp_path / "m", network="gru", members=2, folds=0, epochs=1
    )
    assert set(bundle.history["run"]) == {"network, member 1", "network, member 2"}
    assert bundle.info.parameters > 20_000
    bundle.verify()


def test_a_stop_ends_the_training(tmp_path):
    from healthdash.training.studio.training import train

    def stop(row):
        raise TrainingStopped("stopped")

    with pytest.raises(TrainingStopped):
        train(labelled.rows(60), TrainSettings(network="mlp", folds=0), tmp_path / "m", stop)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("precision", ["float32", "mixed"])
def test_a_network_in_either_precision_is_kept_in_float32(tmp_path, precision):
    bundle = _train(
        labelled.signals(48, samples=32), tmp_path / "m", network="gru", folds=0, precision=precision
    )
    kinds = {layer.dtype_policy.name for layer in bundle.network.layers}
    assert kinds == {"float32"}
    assert all(np.isfinite(weights).all() for weights in bundle.network.get_weights())


def test_fits_elsewhere_give_what_fits_here_give(tmp_path):
    from healthdash.training.studio.fitting import fit_fold
    from healthdash.training.studio.training import train

    settings = TrainSettings(network="mlp", folds=0, epochs=2)
    here = _train(labelled.rows(80), tmp_path / "here", folds=0, epochs=2)

    def elsewhere(parts):
        other = labelled.rows(80)
        return [fit_fold(other, settings, part, lambda row: None) for part in reversed(parts)][::-1]

    there = train(labelled.rows(80), settings, tmp_path / "there", print, fit_all=elsewhere)
    assert [m.value for m in here.evaluation.metrics] == [m.value for m in there.evaluation.metrics]
    assert len(there.history) == 2


def test_stopped_and_resumed_equals_unbroken(tmp_path, monkeypatch):
    from healthdash.training import checkpoint, resumable
    from healthdash.training.studio.fitting import fit_fold
    from healthdash.training.studio.parts import parts_of

    monkeypatch.setattr(resumable, "_LEAST_S", 0)
    monkeypatch.setattr(resumable, "_MOST_SHARE", 1e9)
    settings = TrainSettings(
        network="transformer", epochs=6, patience=3, folds=0, mixup=0.2, schedule="plateau", batch_size=16,
        optimizer="sgd", balance="resampling", label_smoothing=0.1,
    )  # fmt: skip

    def fitted(on_epoch):
        items = labelled.signals(64, samples=32)
        return fit_fold(items, settings, parts_of(items, settings)[0], on_epoch)

    def stop_in_the_fourth(row):
        if row["epoch"] == 4:
            raise TrainingStopped("stopped")

    unbroken = fitted(lambda row: None)
    with checkpoint.kept_in(tmp_path / "kept"):
        with pytest.raises(TrainingStopped):
            fitted(stop_in_the_fourth)
        assert list((tmp_path / "kept").iterdir())
        resumed = fitted(lambda row: None)
    for a, b in zip(unbroken.weights, resumed.weights, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-6)
    np.testing.assert_allclose(resumed.logits, unbroken.logits, atol=1e-6)


def test_settings_of_tensorflow_are_made_before_a_network_from_elsewhere_is_built(monkeypatch):
    """What a cluster fitted is TensorFlow's first work in this process."""
    from healthdash.training.studio import fitting

    done: list[str] = []
    monkeypatch.setattr(fitting.runtime, "tensorflow", lambda: done.append("settings"))
    monkeypatch.setattr(fitting.Plan, "of", lambda settings, labelled: None)
    network = SimpleNamespace(set_weights=lambda weights: None)
    monkeypatch.setattr(fitting, "_bare", lambda *given: done.append("network") or network)
    labelled = SimpleNamespace(fitted=lambda train: done.append("items"), labels=("a", "b"))
    fitting.rebuilt(labelled, TrainSettings(), SimpleNamespace(train=[]), SimpleNamespace(weights=[]))
    assert done == ["settings", "items", "network"]
