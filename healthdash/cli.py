"""The command line: JSON Lines on stdout, logs on stderr.

Exit codes: 0 all good; 1 at least one error; 2 wrong usage; 130 ended by Ctrl-C; 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from healthdash import (
    apart,
    bundle_folder,
    bundles,
    export,
    judging,
    labelled,
    matching,
    pipeline,
    runtime,
    scale,
    searching,
    settings,
    tasks,
)
from healthdash import options as shared
from healthdash.bundles import Bundle
from healthdash.datasets import commands as checked
from healthdash.disk import of_system
from healthdash.errors import CorruptModel, HealthdashError, InputError
from healthdash.exchange import commands as exchange
from healthdash.explain import METHODS, ExplainRequest
from healthdash.judging import commands as judged
from healthdash.progress import Progress, Shares
from healthdash.task import Task, Upload
from healthdash.training import TrainSettings, checkpoint, flags, live, samples
from healthdash.training.evaluation import flat_metrics
from healthdash.training.studio import elsewhere

__all__ = ["main"]

_log = logging.getLogger("healthdash")
_LAST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)  # a training puts its own in the place of it
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings.current()
    except InputError as error:  # wrong usage of the command, whichever it is
        parser.error(f"{error.message}; {error.hint}")
    command = _COMMANDS[options.command]
    try:
        return _print_lines(command(options))
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        _print_lines([{"error": export.error(HealthdashError("stopped"))}])
        return 128 + signal.SIGINT
    except HealthdashError as error:
        _print_lines([{"error": export.error(error)}])
    except OSError as error:
        _print_lines([{"error": export.error(of_system(error))}])
    return 1


def _end(*_: object) -> NoReturn:
    """End as by a Ctrl-C, so that files of patients which were unpacked are removed."""
    raise SystemExit(128 + signal.SIGTERM)


def _port(text: str) -> int:
    """Return the number of a port."""
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"expected 1 to {_LAST_PORT:,}, got {text}")
    return int(text)


class _Parser(argparse.ArgumentParser):
    """Takes options by their whole names: `--rate` of one command is not another's `--rate-hz`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **given})


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m healthdash", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tasks", help="every task, one JSON object a line")
    commands.add_parser("models", help="every model, one JSON object a line")
    predict = commands.add_parser("predict", help="run a model on files or folders")
    predict.add_argument("task", help=shared.TASK)
    predict.add_argument("paths", nargs="+", type=Path, help=shared.PATHS)
    predict.add_argument("--model", help=shared.MODEL)
    # `--explain FILE` must not swallow a path, so the method is one of a closed list.
    predict.add_argument(
        "--explain", nargs="?", const="default", choices=["default", *METHODS],
        help="explain each result, by the task's own method or the one named",
    )  # fmt: skip
    predict.add_argument(
        "--target", default="", help="label whose probability is explained; default: the decided one"
    )
    predict.add_argument(
        "--samples", type=int, default=0, help="of the explanation; 0: the task's own number"
    )
    evaluate = commands.add_parser("evaluate", help="measure a model on labelled data")
    evaluate.add_argument("task", help=shared.TASK)
    evaluate.add_argument("--model", help=shared.MODEL)
    train = commands.add_parser("train", help="train a model on labelled data")
    train.add_argument("task", help=shared.TASK)
    train.add_argument("--out", required=True, type=Path, help=shared.OUT)
    train.add_argument("--history", type=Path, help=shared.HISTORY)
    train.add_argument("--checkpoints", type=Path, help=shared.CHECKPOINTS)
    train.add_argument("--searched", type=Path, help="JSON file: the search that found these settings")
    find = commands.add_parser("find-rate", help="the learning rate to begin with, by a short training")
    find.add_argument("task", help=shared.TASK)
    for command in (train, find):
        flags.add(command)
    searching.add_parsers(commands)
    for command in (train, evaluate, find):
        labelled.add(command)
    evaluate.add_argument("--target", help=shared.TARGET)
    evaluate.add_argument("--group", help=shared.GROUP)
    checked.add_parsers(commands)
    judged.add_parsers(commands)
    exchange.add_parsers(commands)
    inspect = commands.add_parser("inspect", help="what a file is, without any model")
    inspect.add_argument("paths", nargs="+", type=Path, help=shared.PATHS)
    for command in (predict, inspect):
        command.add_argument("--rate", type=float, help="sampling rate in hertz, where the file is silent")
        command.add_argument(
            "--unit", choices=["mV", "uV", "V"], help="unit of a signal, where the file is silent"
        )
        command.add_argument(
            "--part", type=int, help="which volume of a file or series of several, from 1; 1 if not said"
        )
    matching.add_parsers(commands, predict)
    serve = commands.add_parser("serve", help="start the app")
    serve.add_argument("--port", type=_port, default=8501, help="default: 8501")
    return parser


def _tasks(_: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    for task in tasks.all_tasks():
        yield {
            "task": task.slug,
            "title": task.title,
            "summary": task.summary,
            "kind": task.kind,
            "unit": task.unit,
            "labels": dict(task.labels),
            "accepts": list(task.accepts),
            "explanations": list(task.methods),
        }


def _models(_: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    for bundle in bundles.available():
        try:
            yield _model(bundle)
        except CorruptModel as error:
            yield _unusable(bundle.path, error.message)
    for path, reason in bundles.broken():
        yield _unusable(path, reason)


def _model(bundle: Bundle) -> Mapping[str, Any]:
    info = bundle.info
    return {
        "task": info.task,
        "model": info.name,
        "title": info.title,
        "labels": list(info.labels),
        "sha256": info.sha256,
        "parameters": info.parameters,
        "data": info.data.name,
        "licence": info.data.licence,
        "metrics": flat_metrics(bundle.evaluation),
    }


def _unusable(path: Path, reason: str) -> Mapping[str, Any]:
    return {
        "model": path.name,
        "task": path.parent.name,
        "error": {"type": "CorruptModel", "message": reason},
    }


def _predict(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    bundle = bundles.get(task.slug, options.model)
    task = task.bound(bundle)
    request = None
    if options.explain:
        method = None if options.explain == "default" else options.explain
        request = ExplainRequest(method=method, target=options.target, samples=options.samples)
    yield from _empty_folders(options)
    if scale.is_on():
        from healthdash.scale import predicting

        yield from predicting.predict(task, bundle, _files(options), _hints(options), request)
        return
    apart.start()
    uploads, missing = _uploads(options)
    yield from missing
    for report in pipeline.run_many(task, apart.groups(task, uploads), bundle):
        yield from export.results(task, report, bundle, request)


def _evaluate(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    bundle = bundles.get(task.slug, options.model)
    task = task.bound(bundle)
    chosen = TrainSettings(target=options.target, group=options.group)
    with labelled.opened(task, options.data) as path:
        dataset = task.load_dataset(path, chosen)
    evaluation = task.evaluate(bundle, dataset)
    yield {
        "task": task.slug,
        "model": bundle.name,
        "sha256": bundle.info.sha256,
        "metrics": flat_metrics(evaluation),
        "confusion": evaluation.confusion.model_dump() if evaluation.confusion else None,
    }


def _train(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    task = tasks.get(options.task)
    chosen = flags.settings(options)
    flags.check(chosen, task.heeded(chosen), f"a model of {task.slug}")
    shown = options.history and options.history.with_name(live.LIVE)
    made = options.history and options.history.with_name(samples.FOLDER)
    bundle_folder.check(options.out, own=(options.history, shown, made, options.checkpoints))
    found_by = searching.found_by(options.searched)
    with labelled.opened(task, options.data) as path:
        dataset = task.load_dataset(path, chosen)
    if options.history:
        options.history.parent.mkdir(parents=True, exist_ok=True)
    progress = Progress(options.history)
    labels = _label_names(task, dataset)
    with (
        checkpoint.kept_in(options.checkpoints),
        live.shown_in(shown, labels),
        samples.kept_in(made),
        elsewhere.fitted_by(scale.fitting()),
    ):
        runtime.ready_to_train()
        trained = task.train(dataset, chosen, options.out, progress)
    trained = searching.told(trained, found_by)
    bundle = judging.after_training(task, trained, progress.explained)
    yield {
        "task": task.slug,
        "model": bundle.name,
        "path": str(bundle.path),
        "sha256": bundle.info.sha256,
        "metrics": flat_metrics(bundle.evaluation),
    }


def _label_names(task: Task, dataset: Any) -> tuple[str, ...]:
    """Return the labels in order: those that the data set names, else those of the task."""
    named = (getattr(dataset, attribute, None) for attribute in ("names", "labels"))
    return next((found for found in named if isinstance(found, tuple)), tuple(task.labels))


def _find_rate(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from healthdash.training.studio.items import as_labelled

    task, chosen = tasks.get(options.task), flags.settings(options)
    flags.check(chosen, task.heeded(chosen), f"a model of {task.slug}")
    with labelled.opened(task, options.data) as path:
        learnt = as_labelled(task.load_dataset(path, chosen))
    from healthdash.training.studio.rates import find_rate  # loads Keras, which refusals need not wait for

    found = find_rate(learnt, chosen, Shares("steps"))
    yield {"task": task.slug, **found.as_json()}


def _inspect(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    yield from _empty_folders(options)
    apart.start()
    uploads, missing = _uploads(options)
    yield from missing
    yield from export.inspections(uploads)


def _serve(options: argparse.Namespace) -> NoReturn:
    app = Path(__file__).resolve().parent.parent / "app.py"
    command = [
        sys.executable,
        "-m",
        "healthdash.ui.server",
        "run",
        str(app),
        "--server.port",
        str(options.port),
    ]
    settings.current()  # makes relative paths of the environment absolute, before the folder changes
    os.chdir(app.parent)  # where .streamlit/config.toml lies
    os.execv(sys.executable, command)  # noqa: S606  (one process: what stops the command stops the app)


_COMMANDS = {
    "tasks": _tasks,
    "models": _models,
    "predict": _predict,
    "evaluate": _evaluate,
    "train": _train,
    "find-rate": _find_rate,
    "inspect": _inspect,
    "serve": _serve,
    **checked.COMMANDS,
    **judged.COMMANDS,
    **exchange.COMMANDS,
    **matching.COMMANDS,
    **searching.COMMANDS,
}


def _empty_folders(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    """Yield an error for each folder named that holds no file."""
    for folder in options.paths:
        if folder.is_dir() and not any(path.is_file() for path in folder.rglob("*")):
            problem = InputError("expected files below the folder, found none", hint="Check the path.")
            yield {"source": str(folder), "error": export.error(problem)}


def _uploads(options: argparse.Namespace) -> tuple[list[Upload], list[Mapping[str, Any]]]:
    """Read every file named, and every file below a folder named, sorted."""
    given = _hints(options)
    uploads: list[Upload] = []
    missing: list[Mapping[str, Any]] = []
    for file in _files(options):
        try:
            uploads.append(pipeline.upload_of(file, given))
        except InputError as problem:
            missing.append({"source": str(file), "error": export.error(problem)})
    return uploads, missing


def _hints(options: argparse.Namespace) -> dict[str, Any]:
    hints = {"rate_hz": options.rate, "unit": options.unit, "part": options.part, **matching.hints(options)}
    return {name: value for name, value in hints.items() if value is not None}


def _files(options: argparse.Namespace) -> list[Path]:
    """Return each file once, in the order named, each followed by its companions."""
    readers = [tasks.get(options.task)] if "task" in options else list(tasks.all_tasks())
    found: list[Path] = []
    for path in options.paths:
        if path.is_dir():
            found.extend(sorted(p for p in path.rglob("*") if p.is_file()))
        else:
            found.extend([path, *(file for task in readers for file in task.companions(path))])
    return list(dict.fromkeys(found))


def _as_json(line: Mapping[str, Any]) -> str:
    try:
        return json.dumps(line, ensure_ascii=False, allow_nan=False)
    except ValueError:
        # One file must not take the lines of all others with it.
        problem = InputError("the result holds a number that is none", hint="Check the file's header.")
        told = {name: line[name] for name in ("task", "source") if isinstance(line.get(name), str)}
        return json.dumps(told | {"error": export.error(problem)}, ensure_ascii=False)


def _print_lines(lines: Iterable[Mapping[str, Any]]) -> int:
    failed = False
    for line in lines:
        text = _as_json(line)
        failed = failed or "error" in line or '"error": ' in text
        # A name of a file may hold bytes that are no UTF-8; JSON has an escape for what stands for them.
        sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")
        sys.stdout.flush()
    return 1 if failed else 0
