"""What the command line offers of the exchange: export, import, curves, compare."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from healthdash import bundles, comparison, export, labelled, tasks
from healthdash import options as shared
from healthdash.errors import HealthdashError
from healthdash.task import Upload
from healthdash.training import TrainSettings

__all__ = ["COMMANDS", "add_parsers"]

_FORMS = ("zip", "savedmodel", "onnx", "script")
Lines = Iterator[Mapping[str, Any]]


def add_parsers(commands: Any) -> None:
    """Add the four commands to the subparsers of the command line."""
    outgoing = commands.add_parser(
        "export", help="write a model as a bundle, SavedModel, ONNX or Keras script"
    )
    outgoing.add_argument("task", help=shared.TASK)
    outgoing.add_argument("--model", required=True, help=shared.MODEL_OF_SEVERAL)
    outgoing.add_argument(
        "--as", dest="form", choices=_FORMS, default="zip", help="form to write; default: zip"
    )
    outgoing.add_argument("--out", required=True, type=Path, help="file or folder to write")
    incoming = commands.add_parser("import", help="take a model in, after it was checked and tried")
    incoming.add_argument("paths", nargs="+", type=Path, help="bundles as zip archives")
    curves = commands.add_parser("curves", help="training curves from elsewhere: JSON, CSV, TensorBoard")
    curves.add_argument("paths", nargs="+", type=Path, help="files")
    compare = commands.add_parser("compare", help="measure models on the same labelled data, in pairs")
    compare.add_argument("task", help=shared.TASK)
    labelled.add(compare)
    compare.add_argument("--models", nargs="+", required=True, help=shared.MODEL_OF_SEVERAL)
    compare.add_argument("--target", help=shared.TARGET)
    compare.add_argument("--group", help=shared.GROUP)
    compare.add_argument("--seed", type=int, default=0, help=shared.SEED)


def _export(options: argparse.Namespace) -> Lines:
    from .outgoing import write

    bundle = bundles.get(tasks.get(options.task).slug, options.model)
    size = write(bundle, options.form, options.out)
    yield {
        "task": bundle.info.task, "model": bundle.name, "sha256": bundle.info.sha256, "as": options.form,
        "path": str(options.out), "bytes": size,
    }  # fmt: skip


def _import(options: argparse.Namespace) -> Lines:
    from .incoming import accept

    for path in options.paths:
        try:
            bundle = accept(Upload.from_path(path).data, lambda step: sys.stderr.write(f"{step}\n"))
        except HealthdashError as error:
            yield {"source": str(path), "error": export.error(error) | _reason(error)}
        else:
            info = bundle.info
            yield {
                "source": str(path), "task": info.task, "model": info.name, "path": str(bundle.path),
                "sha256": info.sha256,
            }  # fmt: skip


def _curves(options: argparse.Namespace) -> Lines:
    from .curves import read_curves

    for path in options.paths:
        try:
            found = read_curves(Upload.from_path(path).data)
        except HealthdashError as error:
            yield {"source": str(path), "error": export.error(error)}
        else:
            rows = found.history.astype(object).where(found.history.notna(), None).to_dict("records")
            yield {
                "source": str(path), "format": found.format, "measures": found.measures,
                "epochs": int(found.history["epoch"].nunique()), "history": rows,
            }  # fmt: skip


def _compare(options: argparse.Namespace) -> Lines:
    task = tasks.get(options.task)
    chosen = [bundles.get(task.slug, name) for name in options.models]
    settings = TrainSettings(target=options.target, group=options.group)
    with labelled.opened(task, options.data) as path:
        found = comparison.compare(task, chosen, path, settings, seed=options.seed)
    yield {"task": task.slug, **found.as_json()}


def _reason(error: HealthdashError) -> dict[str, str]:
    reason = getattr(error, "reason", None)
    return {"reason": reason} if reason else {}


COMMANDS: Mapping[str, Callable[[argparse.Namespace], Lines]] = {
    "export": _export,
    "import": _import,
    "curves": _curves,
    "compare": _compare,
}
