"""Batch prediction of many files through Ray Data: the same lines as here, in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from healthdash import apart, archive, bundles, export, pipeline, tasks
from healthdash.bundles import Bundle
from healthdash.errors import InputError
from healthdash.explain import ExplainRequest
from healthdash.scale.cluster import connected, cores
from healthdash.task import Task, Upload

__all__ = ["predict"]

#: Inputs that a worker reads and predicts together.
_BATCH = 32
#: What says which files belong together stands in so much: a recording's header, that of a slice.
_HEAD_BYTES = 1 << 16


def predict(
    task: Task,
    bundle: Bundle,
    files: Sequence[Path],
    hints: Mapping[str, Any],
    request: ExplainRequest | None,
) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of `predict` for many files, in their order; a bad one has its own error.

    Parameters
    ----------
    files : sequence of Path
        Where all nodes find them; this process reads their heads only, to see what belongs together.
    """
    ray, groups = connected(), _together(task, files)
    from ray.data import DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    rows = [
        {"place": place, "files": json.dumps([str(path.absolute()) for path in group]),
         "names": json.dumps([str(path) for path in group])}
        for place, group in enumerate(groups)
    ]  # fmt: skip
    found = ray.data.from_items(rows, override_num_blocks=_blocks(len(rows))).map_batches(
        _Predictor, fn_constructor_args=(task.slug, str(bundle.path.absolute()), dict(hints), request),
        batch_size=_BATCH,
        num_cpus=1, concurrency=(1, cores()),
    )  # fmt: skip
    # Ray Data keeps the order of blocks; the places make sure of it.
    for row in sorted(found.iter_rows(), key=lambda one: int(one["place"])):
        yield from json.loads(row["lines"])


def _together(task: Task, files: Sequence[Path]) -> list[list[Path]]:
    """Return the files of each input: which belong together say their names, and their first bytes."""
    uploads = [Upload(str(file), _head(file)) for file in files]
    return [[Path(upload.name) for upload in group] for group in task.group(uploads)]


def _head(file: Path) -> bytes:
    """Return the first bytes of a file; none of an archive, which the worker that reads it opens."""
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD_BYTES)
    except OSError:
        return b""
    return b"" if archive.is_zip(head) else head


def _blocks(inputs: int) -> int:
    """Return into how many blocks the inputs are cut: some for each core, none without an input."""
    return max(1, min(inputs, 4 * cores()))


class _Predictor:
    """One loaded model in one worker."""

    def __init__(
        self, task: str, model: str, hints: Mapping[str, Any], request: ExplainRequest | None
    ) -> None:
        self._bundle = bundles.get(task, model)
        self._task = tasks.get(task).bound(self._bundle)
        self._hints, self._request = dict(hints), request

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the lines of each input of a batch, as JSON."""
        lines = [
            json.dumps(self._lines(json.loads(files), json.loads(names)), allow_nan=False)
            for files, names in zip(batch["files"], batch["names"], strict=True)
        ]
        return {"place": batch["place"], "lines": np.array(lines, dtype=object)}

    def _lines(self, files: list[str], names: list[str]) -> list[dict[str, Any]]:
        uploads: list[Upload] = []
        for file, name in zip(files, names, strict=True):
            try:
                uploads.append(replace(pipeline.upload_of(Path(file), self._hints), name=name))
            except InputError as problem:
                return [{"source": name, "error": export.error(problem)}]
        return [
            dict(line)
            for report in pipeline.run_many(self._task, apart.groups(self._task, uploads), self._bundle)
            for line in export.results(self._task, report, self._bundle, self._request)
        ]
