"""Warm latency: file to report, against the bare compiled network and the decoding of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks.rows import Row, alternate, missing
from benchmarks.shipped import with_examples
from healthdash import pipeline, runtime
from healthdash.bundles import Bundle
from healthdash.task import Report, Task, Upload

_BUDGET_S = 8.0
#: A tenth of a second after an upload is read, a process is forked for the next one. Without a rest that
#: would fall into the next round, which no single user's upload meets.
_REST_S = 0.2


def rows() -> Iterator[Row]:
    """Yield a row for each task that ships samples."""
    for task, bundle in with_examples():
        example = task.examples()[0]
        name = f"{task.slug}: file to report ({example.title})"
        if bundle is None:
            yield missing(name, "no model ships yet")
            continue
        yield _row(name, task, bundle, task.group(example.make())[0])


def _row(name: str, task: Task, bundle: Bundle, uploads: Sequence[Upload]) -> Row:
    report = pipeline.run(task, uploads, bundle)
    if report.inputs is None or report.prediction is None:
        return missing(name, f"the sample gives no prediction: {report.error}")
    bare = _bare(bundle, report)
    ours, shown, forward, decoding = alternate(
        [
            lambda: pipeline.run(task, uploads, bundle),
            lambda: task.render(report, bundle),
            bare,
            lambda: task.read(uploads),
        ],
        budget_s=_BUDGET_S,
        rest_s=_REST_S,
    )
    difference = np.abs(_softmax(bare()) - report.prediction.raw).max()
    return Row.compared(
        name,
        ours=f"{1e3 * ours:.1f} ms (+ {1e3 * shown:.1f} ms for the views)",
        reference=f"{1e3 * forward:.1f} ms forward + {1e3 * decoding:.1f} ms decoding",
        ratio=ours / (forward + decoding),
        at_most=2,
        check=f"probability {difference:.0e}",
        equal=bool(difference < 1e-4),
    )


def _bare(bundle: Bundle, report: Report) -> Callable[[], np.ndarray]:
    """Return the network in a `tf.function` of exactly this shape, its inputs already tensors."""
    tf = runtime.tensorflow()
    assert report.inputs is not None
    arrays = [tf.constant(report.inputs[name]) for name in bundle.info.inputs]
    compiled = tf.function(
        lambda *parts: bundle.network(list(parts) if len(parts) > 1 else parts[0], training=False)
    ).get_concrete_function(*arrays)
    return lambda: compiled(*arrays).numpy()


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
