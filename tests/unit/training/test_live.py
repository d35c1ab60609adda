"""What a fit shows of itself while it goes on: right, cheap, and without a trace in what is learnt."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from healthdash.runs.live import read
from healthdash.training import live, memory
from healthdash.training.monitor import BatchCurve, Rhythm

tf = pytest.mark.tf


@pytest.fixture
def always(monkeypatch):
    """Let every piece of work have its turn at every batch."""
    from healthdash.training import monitor

    for name in ("_POINTS", "_WRITES", "_OUTPUTS"):
        monkeypatch.setattr(monitor, name, (0.0, 1e9))


def _fit(path, *, epochs=3, on_epoch=lambda row: None, validation=True, run="fold 1"):
    """Fit a small network of three labels and return its weights."""
    import keras

    from healthdash.tasks.records.batches import RowBatches
    from healthdash.training import resumable

    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4)).astype(np.float32)
    y = np.argmax(x[:, :3], axis=1)
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    held = (x[64:], y[64:]) if validation else None
    with live.shown_in(path, ("a", "b", "c")):
        resumable.fit(
            model, RowBatches((x[:64], y[:64]), 16, seed=1), epochs=epochs, on_epoch=on_epoch, run=run,
            validation_data=held,
        )  # fmt: skip
    return model.get_weights()


@tf
def test_a_fit_writes_how_it_stands(tmp_path, always):
    seen = []
    _fit(tmp_path / "live.json", on_epoch=lambda row: seen.append(read(tmp_path / "live.json")))
    assert [(now.epoch, now.batch) for now in seen] == [(1, 3), (2, 3), (3, 3)]
    last = read(tmp_path / "live.json")
    assert (last.run, last.epoch, last.epochs, last.batch, last.batches) == ("fold 1", 3, 3, 4, 4)
    assert last.learning_rate == pytest.approx(0.01)
    assert last.examples_per_s > 0
    assert last.seconds_left == pytest.approx(0)
    assert seen[1].seconds_left > 0
    assert last.memory_mb > 50
    assert time.time() - last.written < 60


@tf
def test_the_points_of_an_epoch_average_to_its_loss_and_metrics(tmp_path, always):
    rows = []
    _fit(tmp_path / "live.json", on_epoch=rows.append)
    curve = read(tmp_path / "live.json").curve
    assert curve["epoch"] == [n / 4 for n in range(1, 13)]
    for name in ("loss", "accuracy"):
        means = np.reshape(curve[name], (3, 4)).mean(axis=1)
        np.testing.assert_allclose(means, [row[name] for row in rows], rtol=1e-3)


@tf
def test_some_validation_items_are_watched_with_every_label_among_them(tmp_path, always):
    _fit(tmp_path / "live.json")
    last = read(tmp_path / "live.json")
    assert last.labels == ("a", "b", "c")
    assert {one.truth for one in last.outputs} == {0, 1, 2}
    assert len(last.outputs) == 6
    for one in last.outputs:
        assert sum(one.probabilities) == pytest.approx(1, abs=1e-3)


@tf
def test_what_is_learnt_does_not_depend_on_who_looks(tmp_path, always):
    for a, b in zip(_fit(tmp_path / "live.json"), _fit(None), strict=True):
        np.testing.assert_array_equal(a, b)


@tf
def test_a_folder_that_is_gone_ends_no_training(tmp_path, always):
    _fit(tmp_path / "gone" / "live.json")
    assert not (tmp_path / "gone").exists()


@tf
def test_without_validation_and_without_a_reader_nothing_is_shown(tmp_path, always):
    _fit(tmp_path / "live.json", validation=False)
    assert read(tmp_path / "live.json").outputs == ()
    assert live.callback(run="", epochs=1, batches=1, validation=None) is None


@tf
@pytest.mark.parametrize("epochs", [60])
def test_its_cost_is_a_hundredth_at_most(tmp_path, epochs, monkeypatch):
    """Measured inside: the turns themselves, and the looks between them, against the whole fit."""
    from healthdash.training.monitor import Monitor

    spent = 0.0

    def timed(name):
        original = getattr(Monitor, name)

        def call(self, *arguments):
            nonlocal spent
            begun = time.perf_counter()
            original(self, *arguments)
            spent += time.perf_counter() - begun

        monkeypatch.setattr(Monitor, name, call)

    for name in ("begin", "batch", "end", "write"):
        timed(name)
    begun = time.perf_counter()
    _fit(tmp_path / "live.json", epochs=epochs)
    # `write` is counted twice where `batch` and `end` call it, and so is the timing itself.
    assert spent / (time.perf_counter() - begun) < 0.02


@tf
@pytest.mark.parametrize(
    ("truth", "numbers"),
    [
        ([0, 2, 1], [0, 2, 1]),
        ([[0], [1], [1]], [0, 1, 1]),
        ([[0.0, 1.0], [1.0, 0.0]], [1, 0]),
        ([[0.3, 0.4], [0.2, 9.0]], None),
        ([0.5, 1.5], None),
    ],
)
def test_label_numbers_are_found_in_what_keras_takes(truth, numbers):
    from healthdash.training.watched import _numbers

    found = _numbers(np.array(truth))
    assert (None if found is None else found.tolist()) == numbers


@tf
def test_outputs_of_members_and_probabilities_are_understood():
    from healthdash.training.watched import _probabilities

    members = np.log(np.array([[[0.2, 0.8], [0.2, 0.8]]]))
    np.testing.assert_allclose(_probabilities(members), [[0.2, 0.8]])
    np.testing.assert_allclose(_probabilities(np.array([[0.2, 0.8]])), [[0.2, 0.8]])
    assert _probabilities(np.zeros((2, 1))) is None
    assert _probabilities(np.full((2, 3), np.nan)) is None


def test_a_curve_is_thinned_without_losing_what_it_says():
    curve = BatchCurve(most=8)
    values = np.random.default_rng(0).normal(size=100)
    for number, value in enumerate(values):
        curve.add((number + 1) / 10, 4, {"loss": value})
    columns = curve.columns()
    assert len(columns["epoch"]) <= 8
    assert columns["epoch"][-1] == 10
    assert columns["epoch"] == sorted(columns["epoch"])


def test_slow_work_has_its_next_turn_late():
    rhythm = Rhythm(0.0, 0.01)
    with rhythm.turn():
        time.sleep(0.01)
    assert not rhythm.is_due
    quick = Rhythm(0.0, 0.01)
    with quick.turn():
        pass
    time.sleep(0.02)
    assert quick.is_due


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"epoch": "many"}', b"x" * (2 << 20)])
def test_a_damaged_file_is_as_none(tmp_path, content):
    assert read(tmp_path / "absent.json") is None
    (tmp_path / "live.json").write_bytes(content)
    assert read(tmp_path / "live.json") is None


def test_what_is_written_can_be_read(tmp_path):
    path = tmp_path / "live.json"
    path.write_text(json.dumps({"epoch": 1, "epochs": 2, "batch": 3, "batches": 4, "learning_rate": 0.1}))
    assert read(path) == live.Snapshot(epoch=1, epochs=2, batch=3, batches=4, learning_rate=0.1)


def test_the_memory_of_this_process_is_known():
    assert memory.process_mb() > 10
