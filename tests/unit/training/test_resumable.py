"""A fit that was ended and goes on gives the same weights as one that was not."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from healthdash.errors import TrainingDiverged, TrainingError, TrainingStopped
from healthdash.training import checkpoint

pytestmark = pytest.mark.tf

#: Trains small networks with everything that has a state: dropout, AdamW with a running average, a
#: schedule, early stopping, random batches. `sys.argv[1]`: a list of fits, each with its folder of
#: checkpoints or "", the file of its weights, its name ("stop" has early stopping), and the epoch to die in
#: or 0.
PROGRAM = """
import json, os, signal, sys
import numpy as np, keras
from pathlib import Path
from healthdash.tasks.records.batches import RowBatches
from healthdash.training import checkpoint, resumable

resumable._LEAST_S, resumable._MOST_SHARE = 0, 1e9
rng = np.random.default_rng(0)
x = rng.normal(size=(96, 5)).astype("float32")
y = (x[:, 0] + rng.normal(size=96) > 0).astype("int64")

def trained(folder, out, run, die_in):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((5,)), keras.layers.Dense(16, "gelu"), keras.layers.Dropout(0.3), keras.layers.Dense(2),
    ])
    batches = RowBatches((x[:64], y[:64]), 16, seed=3)
    rate = keras.optimizers.schedules.CosineDecay(0.02, 12 * len(batches))
    optimizer = keras.optimizers.AdamW(rate, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rows = []

    def on_epoch(row):
        rows.append(dict(row))
        if len(rows) == die_in:
            os.kill(os.getpid(), signal.SIGKILL)

    early = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True) if run == "stop" else None
    with checkpoint.kept_in(Path(folder) if folder else None):
        resumable.fit(
            model, batches, epochs=12, on_epoch=on_epoch, run=run, stopping=early,
            validation_data=(x[64:], y[64:]), first=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True)],
        )
    np.savez(out, *model.get_weights())
    told = [{k: v if isinstance(v, str) else float(v) for k, v in row.items()} for row in rows]
    Path(out).with_suffix(".json").write_text(json.dumps(told))

for fit in json.loads(sys.argv[1]):
    trained(*fit)
"""


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(tmp_path):
    def unbroken(run):
        return ["", str(tmp_path / f"unbroken {run}.npz"), run, 0]

    def resumed(run, die_in=0):
        return [str(tmp_path / "kept"), str(tmp_path / f"resumed {run}.npz"), run, die_in]

    # Few processes, for each waits for TensorFlow; the second fit that dies has a finished one beside it.
    assert _ended(unbroken("stop"), unbroken("go on"), resumed("stop", 4)) == -signal.SIGKILL
    assert _ended(resumed("stop", 6)) == -signal.SIGKILL
    assert _ended(resumed("stop"), resumed("go on", 4)) == -signal.SIGKILL
    assert _ended(resumed("go on")) == 0
    for run in ("stop", "go on"):
        _are_alike(tmp_path / f"unbroken {run}.npz", tmp_path / f"resumed {run}.npz")


def _ended(*fits) -> int:
    """Do fits in a process of their own and return its exit status."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", PROGRAM, json.dumps(fits)]
    return subprocess.run(command, env=environment, check=False).returncode


def _are_alike(one: Path, other: Path) -> None:
    """Compare the weights of two fits, and what was told of their epochs."""
    with np.load(one) as weights, np.load(other) as others:
        for name in weights.files:
            np.testing.assert_allclose(others[name], weights[name], atol=1e-6)
    rows, told = (json.loads(path.with_suffix(".json").read_text()) for path in (one, other))
    assert [row["epoch"] for row in rows] == [row["epoch"] for row in told]
    np.testing.assert_allclose(
        [row["val_loss"] for row in told], [row["val_loss"] for row in rows], atol=1e-6
    )


@pytest.fixture
def fit(tmp_path, monkeypatch):
    """Return a function that fits a small network with checkpoints and returns its weights and epochs."""
    import keras

    from healthdash.tasks.records.batches import RowBatches
    from healthdash.training import resumable

    monkeypatch.setattr(resumable, "_LEAST_S", 0)
    monkeypatch.setattr(resumable, "_MOST_SHARE", 1e9)
    x = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)

    def fitted(
        on_epoch=None, *, seed=0, rate=0.01, run="", loss=None, dropout=0.1, precision="float32",
        truth=x[:, :1], held=None, first=(),
    ):  # fmt: skip
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        layers = [keras.layers.Dropout(dropout), keras.layers.Dense(1)]
        for layer in layers:
            layer.dtype_policy = keras.DTypePolicy(precision)
        model = keras.Sequential([keras.Input((3,)), *layers])
        model.compile(keras.optimizers.Adam(rate), loss or "mse")
        told = []

        def tell(row):
            told.append(row["epoch"])
            if on_epoch:
                on_epoch(row)

        with checkpoint.kept_in(tmp_path / "kept"):
            resumable.fit(
                model, RowBatches((x, truth), 8, seed=seed), epochs=4, on_epoch=tell, run=run, first=first,
                validation_data=held,
            )  # fmt: skip
        return model.get_weights(), told

    return fitted


def _stop_after(epoch):
    def on_epoch(row):
        if row["epoch"] == epoch:
            raise TrainingStopped("stopped")

    return on_epoch


def test_a_finished_fit_is_not_done_again_but_told_again(fit, monkeypatch):
    import keras

    weights, told = fit()
    monkeypatch.setattr(keras.Model, "fit", None)
    again, told_again = fit()
    assert told == told_again == [1, 2, 3, 4]
    for a, b in zip(weights, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "other", [{"rate": 0.1}, {"dropout": 0.8}, {"loss": "mae"}, {"precision": "mixed_bfloat16"}]
)
def test_a_fit_of_other_settings_does_not_take_the_checkpoint(fit, tmp_path, other):
    with pytest.raises(TrainingStopped):
        fit(_stop_after(3))
    found, _ = fit(**other)
    (tmp_path / "kept").rename(tmp_path / "old")
    fresh, _ = fit(**other)
    np.testing.assert_array_equal(found[0], fresh[0])


def test_a_fit_with_one_label_corrected_does_not_take_the_checkpoint(fit):
    truth = np.zeros((32, 1), np.float32)
    corrected = truth.copy()
    corrected[-1] = 5
    assert not np.array_equal(fit(truth=truth)[0][0], fit(truth=corrected)[0][0])


def test_a_fit_watched_on_other_labels_does_not_take_the_checkpoint(fit):
    held, told = np.ones((8, 3), np.float32), []
    for truth in (np.zeros((8, 1), np.float32), np.ones((8, 1), np.float32)):
        fit(lambda row: told.append(row["val_loss"]), held=(held, truth))
    assert told[:4] != told[4:]


def test_a_fit_with_another_schedule_does_not_take_the_checkpoint(fit):
    import keras

    class Halving(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.01 / 2**epoch

    assert not np.array_equal(fit()[0][0], fit(first=[Halving()])[0][0])


def test_a_damaged_checkpoint_is_as_none(fit, tmp_path):
    fresh, _ = fit()
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    again, _ = fit()
    np.testing.assert_array_equal(fresh[0], again[0])


def test_fits_of_one_training_keep_their_own(fit, tmp_path):
    fit(run="fold 1")
    fit(run="fold 2", seed=1)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_diverging_loss_leaves_the_last_good_weights(fit, tmp_path):
    import keras

    def loss(truth, output):
        # The loss itself stays finite for the optimizer's eyes until the third epoch.
        return keras.ops.mean((truth - output) ** 2) * step

    step = keras.Variable(1.0)

    def on_epoch(row):
        if row["epoch"] == 2:
            step.assign(math.nan)

    with pytest.raises(TrainingDiverged, match="epoch 3"):
        fit(on_epoch, loss=loss)
    (rescued,) = (tmp_path / "kept").glob("*.keras")
    network = keras.saving.load_model(rescued)
    assert all(np.isfinite(values).all() for values in network.get_weights())


def test_a_full_disk_is_told_in_words_and_keeps_the_last_checkpoint(fit, tmp_path, monkeypatch):
    from healthdash.training import resumable

    with pytest.raises(TrainingStopped):
        fit(_stop_after(3))
    (file,) = (tmp_path / "kept").iterdir()
    before = file.read_bytes()

    def full(opened, **arrays):
        opened.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resumable.np, "savez", full)
    with pytest.raises(TrainingError, match="disk is full"):
        fit()
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_without_a_folder_nothing_is_kept(tmp_path):
    assert checkpoint.folder() is None
    with checkpoint.kept_in(None):
        assert checkpoint.folder() is None
