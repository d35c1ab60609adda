"""From the click to the first epoch: what the queue adds, against importing TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.rows import Row, seconds_of
from healthdash import archive, tasks
from healthdash.runs.queue import Queue
from healthdash.runs.store import RunStore, sqlite_url
from healthdash.training import TrainSettings

_PATIENCE_S = 120.0
_SETTINGS = TrainSettings(epochs=2, network="mlp", folds=0, target="outcome")


def rows() -> Iterator[Row]:
    """Yield the one row."""
    tensorflow, _ = seconds_of(_import_tensorflow)
    with tempfile.TemporaryDirectory() as folder:
        direct = _directly(Path(folder) / "direct")
        queued = _through_the_queue(Path(folder) / "home")
    added = queued - direct
    yield Row.compared(
        "queue: from the click to the first batches of a small table",
        ours=f"{queued:.1f} s, {added:+.2f} s of it the queue's",
        reference=f"{tensorflow:.1f} s to import TensorFlow and Keras; {direct:.1f} s by the command line",
        ratio=added / tensorflow,
    )


def _import_tensorflow() -> None:
    code = "from healthdash.runtime import tensorflow; tensorflow(); import keras"
    subprocess.run([sys.executable, "-c", code], check=True, env=_environment())


def _directly(folder: Path) -> float:
    """Return the seconds from the start of the command to its first epoch."""
    folder.mkdir()
    history = folder / "history.csv"
    command = [sys.executable, "-m", "healthdash", "train", "table", "--data", str(_data(folder))]
    command += [
        "--out",
        str(folder / "own"),
        "--history",
        str(history),
        "--checkpoints",
        str(folder / "kept"),
    ]
    for name, value in asdict(_SETTINGS).items():
        if value is not None and not isinstance(value, bool):
            command += [f"--{name.replace('_', '-')}", str(value)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    seconds = _until(history, begun)
    process.wait()
    return seconds


def _through_the_queue(home: Path) -> float:
    """Return the seconds from the submission to the first epoch, the dispatcher's start included."""
    runs = home / "runs"
    queue = Queue(RunStore(sqlite_url(runs / "runs.db")), runs)
    begun = time.perf_counter()
    run = queue.submit("me", "table", home / "own", _SETTINGS, _data)
    seconds = _until(queue.folder(run.id).history_file, begun)
    deadline = time.perf_counter() + _PATIENCE_S
    while not queue.store.get(run.id).is_over and time.perf_counter() < deadline:
        time.sleep(0.1)
    queue.remove_all("me")
    return seconds


def _data(folder: Path) -> Path:
    (upload,) = tasks.get("table").training_examples()[0].make()
    return archive.placed(upload.name, upload.data, folder)


def _until(file: Path, begun: float) -> float:
    while not file.exists():
        if time.perf_counter() - begun > _PATIENCE_S:
            raise TimeoutError("no epoch within two minutes")
        time.sleep(0.01)
    return time.perf_counter() - begun


def _environment() -> Mapping[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
