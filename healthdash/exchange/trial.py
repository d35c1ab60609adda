"""`python -m healthdash.exchange.trial FOLDER`: load a bundle from outside and try it, within bounds.

Run by `incoming` in a process of its own. What goes wrong in here ends this process and no other.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from healthdash import bundles, pipeline, tasks
from healthdash.bundles import Bundle
from healthdash.errors import HealthdashError, OutOfScope, RefusedModel
from healthdash.runtime import tensorflow

from . import child, network_file

__all__ = ["tried"]

#: Beyond what TensorFlow takes by itself. The bundles that ship take at most 150 MiB and 6 s of two cores.
BOUNDS = child.Bounds(memory_mib=2_048, cpu_s=120)


def tried(folder: Path) -> Mapping[str, Any]:
    """Load the bundle of a folder and let it answer; return what is wrong, or an empty object."""
    bundle = bundles.open_folder(folder)
    try:
        stored = network_file.check(bundle.path / "model.keras", values=True)
        _check_signature(bundle, stored)
        bundle.verify()
        _check_answers(bundle)
    except RefusedModel as error:
        return {"reason": error.reason, "detail": error.detail}
    except HealthdashError as error:
        return {"reason": "golden numbers", "detail": error.message}
    except MemoryError:
        return {"reason": "its memory", "detail": "it took more memory than it may"}
    except Exception as error:
        # Whatever Keras makes of a configuration that is wrong: its class tells enough, and its text
        # would repeat what the stranger wrote.
        exhausted = "Exhausted" in type(error).__name__ or "memory" in str(error).lower()
        reason = "its memory" if exhausted else "a network that cannot be loaded"
        return {"reason": reason, "detail": f"Keras raised {type(error).__name__}"}
    return {}


def _check_signature(bundle: Bundle, stored: int) -> None:
    """Raise unless the network is the one that `bundle.json` describes, with all its weights."""
    network, info = bundle.network, bundle.info
    found = {i.name: tuple(i.shape[1:]) for i in network.inputs}
    if found != {name: tuple(shape) for name, shape in info.inputs.items()}:
        raise RefusedModel("another signature", "the network has other inputs than bundle.json says")
    if len(network.outputs) != 1 or network.output_shape != (None, len(info.labels)):
        raise RefusedModel("its labels", "the network has not one output for each label")
    held = sum(int(np.prod(variable.shape)) for variable in network.weights)
    if held != stored:
        raise RefusedModel(
            "other weights", f"the network takes {held:,} numbers, and {stored:,} are stored with it"
        )


def _check_answers(bundle: Bundle) -> None:
    """Raise unless the model answers the synthetic samples of its task with probabilities.

    The constants of `prepare` and of the gate are used here for the first time.
    """
    task = tasks.get(bundle.info.task).bound(bundle)
    for example in task.examples():
        report = pipeline.run(task, example.make(), bundle)
        if report.error is not None and not isinstance(report.error, OutOfScope):
            raise RefusedModel("its answers", "it cannot read the samples of its own task")
        if report.prediction is not None:
            told = report.prediction.calibrated
            if not np.isfinite(told).all() or not np.allclose(told.sum(axis=1), 1.0, atol=1e-3):
                raise RefusedModel("its answers", "its answers are no probabilities")


if __name__ == "__main__":
    tensorflow()
    tasks.all_tasks()
    child.bounded(BOUNDS)
    child.answer(tried(Path(sys.argv[1])))
