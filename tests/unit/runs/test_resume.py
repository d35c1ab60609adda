"""A real training that is killed with -9 goes on, through the real dispatcher, to the same model."""

from __future__ import annotations

import time
from pathlib import Path

import keras
import numpy as np
import pytest

from healthdash import archive, settings, tasks
from healthdash.runs import Run
from healthdash.runs.queue import Queue, opened
from healthdash.training import TrainSettings

pytestmark = [pytest.mark.tf, pytest.mark.slow]
_PATIENCE_S = 900.0


def _until(queue: Queue, run: Run, is_so) -> Run:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        now = queue.store.get(run.id)
        if is_so(now):
            return now
        assert not now.is_over, f"{now.state}: {now.error}\n{queue.folder(run.id).log}"
        time.sleep(0.02)
    raise TimeoutError(queue.folder(run.id).log)


def _weights(bundle: Path) -> list[np.ndarray]:
    return keras.saving.load_model(bundle / "model.keras", compile=False).get_weights()


def test_killed_and_resumed_equals_unbroken(tmp_path):
    task = tasks.get("heart-disease")
    (upload,) = task.training_examples()[0].make()
    data = archive.placed(upload.name, upload.data, tmp_path)
    chosen = TrainSettings(epochs=8, folds=2, seed=5)
    task.train(task.load_dataset(data, chosen), chosen, tmp_path / "unbroken", lambda row: None)

    queue = Queue(opened(settings.current()), settings.current().runs)
    run = queue.submit(
        "ann", task.slug, tmp_path / "resumed", chosen,
        lambda folder: archive.placed(upload.name, upload.data, folder),
    )  # fmt: skip
    folder = queue.folder(run.id)
    # In the second of its three networks, so that there are a finished one and a begun one.
    _until(queue, run, lambda _: len(folder.history) > 10)
    folder.signal(9)
    lost = _until(queue, run, lambda now: now.state == "lost")
    assert "SIGKILL" in lost.error.message
    queue.resume(lost)
    done = _until(queue, run, lambda now: now.state == "done")
    assert done.attempt == 2
    assert len(folder.history) == 24
    for a, b in zip(_weights(tmp_path / "unbroken"), _weights(tmp_path / "resumed"), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
