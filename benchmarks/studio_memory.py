"""Memory of a training on 2 GB of pictures that are read from disk batch by batch."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row

_ITEMS, _SHAPE = 8192, (256, 256, 1)
_BYTES = int(np.prod(_SHAPE)) * 4
_MEBI = 1 << 20
_MOST_MB = 1536


def rows() -> Iterator[Row]:
    """Yield the one row; the training is a process of its own, whose memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pictures.bin"
        rng = np.random.default_rng(0)
        with file.open("wb") as written:
            for _ in range(_ITEMS // 64):
                written.write(rng.random((64, *_SHAPE), dtype=np.float32).tobytes())
        command = [sys.executable, "-m", "benchmarks.studio_memory", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    more = told["peak_mb"] - told["before_mb"]
    yield Row.compared(
        f"memory of a run on {_ITEMS * _BYTES / 1e9:.1f} GB of pictures that stream from disk",
        ours=f"{more:.0f} MB over the model, {told['seconds']:.0f} s an epoch",
        reference=f"{told['before_mb']:.0f} MB with TensorFlow and the compiled model",
        ratio=more,
        at_most=_MOST_MB,
    )


class _Streamed:
    """Pictures that are read when they are wanted."""

    name, shape, preprocessing = "image", _SHAPE, {}

    def __init__(self, file: Path) -> None:
        self._file = file

    def inputs(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        out = np.empty((len(rows), *_SHAPE), np.float32)
        with self._file.open("rb") as opened:
            for place, row in enumerate(rows):
                opened.seek(int(row) * _BYTES)
                out[place] = np.frombuffer(opened.read(_BYTES), np.float32).reshape(_SHAPE)
        return out


def _train(file: Path) -> None:
    """Train one epoch and print what memory it took, from after the first batches on."""
    import keras

    from healthdash.runtime import tensorflow
    from healthdash.training import TrainSettings, memory, resumable
    from healthdash.training.studio import batches
    from healthdash.training.studio.plans import Plan

    tensorflow()
    truth = np.arange(_ITEMS, dtype=np.int64) % 2
    # A light network: what is measured is the way of the data.
    given = keras.Input(_SHAPE, name="image")
    looked = keras.layers.Conv2D(8, 8, strides=8, activation="relu")(given)
    folded = keras.layers.GlobalAveragePooling2D()(looked)
    model = keras.Model(given, keras.layers.Dense(2)(folded))
    model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))

    class _Labelled:
        kind, labels, groups = "picture", ("no", "yes"), np.arange(_ITEMS).astype(str)

        def __len__(self) -> int:
            return _ITEMS

    plan = Plan.of(TrainSettings(batch_size=32, folds=0), _Labelled())

    def fit(rows: NDArray[np.int64]) -> None:
        items = batches.Items(_Streamed(file), truth, rows, 2)
        learnt = batches.training(items, plan, seed=0)
        resumable.fit(model, learnt, epochs=1, on_epoch=lambda row: None)

    fit(np.arange(64))
    before = memory.process_mb()
    import time

    begun = time.perf_counter()
    fit(np.arange(_ITEMS))
    peak = _peak_mb()
    told = {"before_mb": before, "peak_mb": peak, "seconds": time.perf_counter() - begun}
    sys.stdout.write(json.dumps(told) + "\n")


def _peak_mb() -> float:
    """Return the most memory that this process held; `ru_maxrss` would begin with that of its parent."""
    told = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert told is not None  # Linux, see proc(5)
    return int(told[1]) / 1024


if __name__ == "__main__":
    _train(Path(sys.argv[1]))
