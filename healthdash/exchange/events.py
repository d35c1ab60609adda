"""`python -m healthdash.exchange.events FOLDER`: read the scalars of event files, within bounds.

Run by `curves` in a process of its own. The reader is TensorBoard's; TensorFlow is not loaded for it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from . import child

__all__ = ["scalars_below"]

_BOUNDS = child.Bounds(memory_mib=1_024, cpu_s=60)
_MOST_FILES = 200
_MOST_TAGS = 100
_MOST_POINTS = 5_000
#: Curves are drawn of so many points; a longer one is thinned when it is read to its end.
_KEPT_POINTS = 100_000


def scalars_below(folder: Path) -> dict[str, dict[str, list[list[float]]]]:
    """Return step and value of every scalar, by the folder of its file and its tag."""
    found: dict[str, dict[str, list[list[float]]]] = {}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in files[:_MOST_FILES]:
        place = path.parent.relative_to(folder).as_posix().removeprefix(".")
        run = found.setdefault(place, {})
        for tag, step, value in _scalars(path):
            points = run.setdefault(tag, []) if tag in run or len(run) < _MOST_TAGS else []
            if len(points) < _KEPT_POINTS:
                points.append([step, value])
    return {place: {tag: _thinned(p) for tag, p in run.items()} for place, run in found.items() if run}


def _scalars(path: Path) -> Iterator[tuple[str, int, float]]:
    """Yield tag, step and value; a file that breaks off gives what stands before."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto import event_pb2

    try:
        for record in RawEventFileLoader(str(path)).Load():
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                number = _value(value)
                if number is not None:
                    yield value.tag[:200], event.step, number
    except Exception:
        # Whatever a broken file raises in protobuf or in the reader.
        return


def _value(value: Any) -> float | None:
    """Return the one number of a summary; None for pictures, texts and histograms."""
    from tensorboard.util import tensor_util

    if value.WhichOneof("value") == "simple_value":
        number = float(value.simple_value)
    elif value.WhichOneof("value") == "tensor" and not any(d.size > 1 for d in value.tensor.tensor_shape.dim):
        array = tensor_util.make_ndarray(value.tensor)
        if array.size != 1 or array.dtype.kind not in "fiu":
            return None
        number = float(array.reshape(-1)[0])
    else:
        return None
    return number if math.isfinite(number) else None


def _thinned(points: list[list[float]]) -> list[list[float]]:
    step = -(-len(points) // _MOST_POINTS)
    return points[::step]


if __name__ == "__main__":
    # With this module TensorBoard takes its own small reader instead of TensorFlow's.
    sys.modules["tensorboard.compat.notf"] = ModuleType("tensorboard.compat.notf")
    child.bounded(_BOUNDS)
    child.answer({"runs": scalars_below(Path(sys.argv[1]))})
