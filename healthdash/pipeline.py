"""The way of the data: the only place that orders the steps.

read -> validate -> gate -> prepare -> predict -> explain
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

import numpy as np

from healthdash import apart, disk, settings
from healthdash.bundles import Bundle
from healthdash.errors import HealthdashError, InputError, InvalidInput, OutOfScope, UnreadableUpload
from healthdash.explain import ExplainRequest
from healthdash.task import Prediction, Report, Task, Upload

__all__ = ["check_size", "explain", "run", "run_many", "upload_of"]

_log = logging.getLogger(__name__)
# Enough pictures to fill one call of the network, few enough to keep decoded ones in memory.
_BLOCK = 64
# Of decoded arrays: volumes are larger than pictures, and small files unfold to a thousand times as much.
_BLOCK_BYTES = 256 << 20
_READERS = 4


def run(
    task: Task, uploads: Sequence[Upload], bundle: Bundle, request: ExplainRequest | None = None
) -> Report:
    """Analyse the files of one input; an error that a user can act on is in the report."""
    return next(run_many(task, [uploads], bundle, request))


def run_many(
    task: Task,
    groups: Sequence[Sequence[Upload]],
    bundle: Bundle,
    request: ExplainRequest | None = None,
) -> Iterator[Report]:
    """Analyse many inputs, each with its own report, in the order given.

    Parameters
    ----------
    groups : sequence of sequences of Upload
        The files of each input, as `task.group` puts them together.
    request : ExplainRequest or None
        Also explain each input.
    """
    task = task.bound(bundle)
    for opened in _blocks(_opened(task, groups, bundle)):
        for report in _predict(task, opened, bundle):
            yield explain(task, report, bundle, request) if request else report


def explain(
    task: Task,
    report: Report,
    bundle: Bundle,
    request: ExplainRequest,
    on_progress: Callable[[float], object] | None = None,
) -> Report:
    """Add the explanation of one item and one class to a report; the share done is told from 0 to 1."""
    if report.prediction is None or report.inputs is None:
        return report
    task, prediction = task.bound(bundle), report.prediction
    if not 0 <= request.item < len(prediction):
        problem = InvalidInput(
            f"expected an item from 0 to {len(prediction) - 1}", hint="Choose another one."
        )
        return replace(report, error=problem)
    request = replace(request, target=request.target or prediction.label(request.item))
    one = {name: values[request.item : request.item + 1] for name, values in report.inputs.items()}
    seconds = dict(report.seconds)
    try:
        with _timed(seconds, "explain"):
            explanation = task.explain(bundle, one, request, on_progress)
    except HealthdashError as error:
        return replace(report, error=error)
    return replace(report, explanation=explanation, explained_item=request.item, seconds=seconds)


def _blocks(opened: Iterator[Report]) -> Iterator[list[Report]]:
    """Yield opened inputs in blocks that are few and small enough to be held."""
    block: list[Report] = []
    held = 0
    for report in opened:
        block.append(report)
        held += report.nbytes
        if len(block) == _BLOCK or held > _BLOCK_BYTES:
            yield block
            block, held = [], 0
    if block:
        yield block


def _opened(task: Task, groups: Sequence[Sequence[Upload]], bundle: Bundle) -> Iterator[Report]:
    """Open inputs in order, a few of them side by side: decoding leaves the interpreter free."""
    if len(groups) == 1:  # a thread would cost more than it saves
        yield _open(task, groups[0], bundle)
        return
    with ThreadPoolExecutor(max_workers=_READERS) as readers:
        begun: deque[Future[Report]] = deque()
        for uploads in groups:
            if len(begun) == _READERS:
                yield begun.popleft().result()
            # In the context of the caller, which says on whose behalf it reads.
            begun.append(readers.submit(copy_context().run, _open, task, uploads, bundle))
        while begun:
            yield begun.popleft().result()


def _open(task: Task, uploads: Sequence[Upload], bundle: Bundle) -> Report:
    """Read, validate, gate and prepare; what goes wrong is kept in the report."""
    report = Report(
        source=uploads[0].name if uploads else "",
        task=task.slug,
        model=bundle.name,
        sha256=bundle.info.sha256,
    )
    seconds: dict[str, float] = {}
    try:
        with _timed(seconds, "read"):
            _check_sizes(uploads)
            sample = apart.sample_of(task, uploads, bundle)  # in a process of its own
        report = replace(report, sample=sample)
        with _timed(seconds, "gate"):
            gate = task.gate(sample, bundle)
        report = replace(report, gate=gate)
        if gate.verdict == "refuse":
            raise OutOfScope("; ".join(gate.reasons), hint=gate.hint)
        with _timed(seconds, "prepare"):
            inputs = task.prepare(sample, bundle.info.preprocessing)
        return replace(report, inputs=inputs, seconds=seconds)
    except HealthdashError as error:
        _log.info("%s: %s", task.slug, type(error).__name__)
        return replace(report, error=error, seconds=seconds)
    except Exception as error:  # a hostile file must not end the batch; the log says where to mend the reader
        _log.error("%s: unforeseen %s", task.slug, apart.unforeseen(error))
        unread = UnreadableUpload(
            f"the file could not be read ({type(error).__name__})",
            hint="It may be damaged: export it again, or try another file.",
        )
        return replace(report, error=unread, seconds=seconds)


def _predict(task: Task, reports: Sequence[Report], bundle: Bundle) -> list[Report]:
    """Run the network once for all inputs that can be predicted."""
    ready = [report for report in reports if report.inputs is not None]
    if not ready:
        return list(reports)
    started = time.perf_counter()
    if len(ready) == 1:
        joined: Mapping[str, np.ndarray] = ready[0].inputs or {}
    else:
        joined = {n: np.concatenate([(r.inputs or {})[n] for r in ready]) for n in bundle.info.inputs}
    prediction = task.predict(bundle, joined)
    share = (time.perf_counter() - started) / len(ready)
    parts = iter(_parts(task, ready, prediction, bundle))
    return [
        replace(report, prediction=next(parts), seconds={**report.seconds, "predict": share})
        if report.inputs is not None
        else report
        for report in reports
    ]


def _parts(task: Task, reports: Sequence[Report], whole: Prediction, bundle: Bundle) -> Iterator[Prediction]:
    """Cut the prediction of a block into that of each input."""
    start = 0
    for report in reports:
        assert report.inputs is not None
        assert report.sample is not None
        n = len(next(iter(report.inputs.values())))
        rows = slice(start, start + n)
        items = task.items(report.sample, bundle.info.preprocessing)
        yield replace(
            whole,
            raw=whole.raw[rows],
            calibrated=whole.calibrated[rows],
            decided=whole.decided[rows],
            items=np.arange(n) if items is None else items,
            unit=task.unit_of(report.sample),
        )
        start += n


def upload_of(path: Path, hints: Mapping[str, str | float] | None = None) -> Upload:
    """Read a file of this machine, unless it is larger than any upload may be.

    Raises
    ------
    InputError
        It cannot be opened, or is too large.
    """
    with disk.opening():
        size = path.stat().st_size
    check_size(size)
    return Upload.from_path(path, hints)


def check_size(n_bytes: int) -> None:
    """Raise `InvalidInput` where an input has more bytes than the settings allow."""
    limit = settings.current().max_upload_mb
    if n_bytes > limit << 20:
        raise InvalidInput(
            f"expected at most {limit} MB, got {n_bytes / (1 << 20):,.1f}",
            hint="Cut the file into smaller parts, or set HEALTHDASH_MAX_UPLOAD_MB to allow more.",
        )


def _check_sizes(uploads: Sequence[Upload]) -> None:
    if not uploads:
        raise InputError("expected a file, got none", hint="Choose a file.")
    check_size(sum(len(upload.data) for upload in uploads))
    if not any(len(upload.data) for upload in uploads):
        raise UnreadableUpload("the file is empty", hint="Export it again; the upload may have been cut off.")


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[step] = time.perf_counter() - started
