"""The commands `search` and `trial`: settings by random search, each trial a run of its own.

The trials and the queue that they wait in lie beside the bundle, in DIR-trials. A search that was ended
goes on when the same command is given once more.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from healthdash import bundle_folder, bundles, labelled, settings, tasks
from healthdash import options as shared
from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput, TrainingError
from healthdash.progress import Progress
from healthdash.runs import search as runs
from healthdash.runs.asked import asked, with_whole_paths
from healthdash.runs.folder import RunFolder, locked
from healthdash.runs.places import dispatched
from healthdash.runs.queue import Queue, place_of
from healthdash.runs.record import Run
from healthdash.runs.store import RunStore, sqlite_url
from healthdash.task import Task
from healthdash.training import TrainSettings, checkpoint, flags, live
from healthdash.training.settings import abouts
from healthdash.training.studio.items import as_labelled
from healthdash.training.studio.search.space import MOST_TRIALS, default_space, posed, read_space

__all__ = ["COMMANDS", "add_parsers", "found_by", "told"]

_OWNER = "command line"
_TRIALS = 20
#: What the search in a folder depends on.
_ASKED = "asked.json"
#: Held as long as a command looks after the search in a folder.
_LOCK = "search.lock"
Lines = Iterator[Mapping[str, Any]]


def add_parsers(commands: Any) -> None:
    """Add both commands to the subparsers of the command line."""
    search = commands.add_parser("search", help="find settings by random search, then train the best")
    search.add_argument("--trials", type=int, default=_TRIALS, help=f"default: {_TRIALS}")
    search.add_argument(
        "--space", type=Path, help="JSON file of the ranges to draw from; default: usual ones"
    )
    search.add_argument("--trial-epochs", type=int, help="most epochs of a trial; default: as --epochs")
    search.add_argument("--prune", action="store_true", help="end trials that are worse than half the others")
    search.add_argument("--at-once", type=int, default=0, help="trials beside each other")
    trial = commands.add_parser("trial", help="one trial of a search: validation figures, no model")
    trial.add_argument("--history", type=Path, help=shared.HISTORY)
    trial.add_argument("--checkpoints", type=Path, help=shared.CHECKPOINTS)
    for command in (search, trial):
        command.add_argument("task", help=shared.TASK)
        labelled.add(command)
        command.add_argument("--out", required=True, type=Path, help=shared.OUT)
        flags.add(command)


def found_by(searched: Path | None) -> str:
    """Return in words how settings were found, from the file that a search wrote; empty of None."""
    if searched is None:
        return ""
    try:
        found = json.loads(searched.read_bytes())
        words = (
            f"the best of {found['trials']} trials of a random search over {', '.join(found['drawn'])}, by "
            f"the loss of the validation part ({found['loss']:.4g}); "
            "its test part was not looked at in the search"
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput("expected the JSON file of a search", hint="Check --searched.") from error
    return words.replace("_", " ")


def told(bundle: Bundle, words: str) -> Bundle:
    """Say in a model's card how its settings were found; no words change nothing."""
    return bundles.with_recipe(bundle, {"settings found by": words}) if words else bundle


def trial(options: argparse.Namespace) -> Lines:
    """Train one network and print its validation figures."""
    from healthdash.training.studio.search import trial as trying

    task, chosen = tasks.get(options.task), flags.settings(options)
    learnt = as_labelled(task.load_dataset(options.data, chosen))
    others, shown = [], None
    if options.history:
        others = runs.losses_of_others(RunFolder(options.history.parent))
        shown = options.history.with_name(live.LIVE)
    progress = Progress(options.history)
    with checkpoint.kept_in(options.checkpoints), live.shown_in(shown, learnt.labels):
        outcome = trying.run(learnt, chosen, progress, others=others)
    yield {"task": task.slug, "metrics": outcome.metrics()}


def search(options: argparse.Namespace) -> Lines:
    """Draw, train all trials, and then a model with the settings of the best; one command at a time."""
    task, base = tasks.get(options.task), with_whole_paths(flags.settings(options))
    bundle_folder.check(options.out)
    root = options.out.with_name(f"{options.out.name}-trials").absolute()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(root / _LOCK) as is_ours:
        if not is_ours:
            raise TrainingError(
                f"expected no other search in {root.name}, got one that goes on",
                hint="Wait for its end, or choose another --out.",
            )
        queue = Queue(RunStore(sqlite_url(root / "runs.db")), root, wake=lambda _: None)
        _submit(queue, root, task, base, options)
        _go_on(queue, root, options.at_once)
        found = runs.searches(queue, _OWNER)[0]
        yield from ({"task": task.slug, **row} for row in found.rows())
        if not found.judged:
            raise TrainingError("no trial was trained to its end", hint="The lines of the trials say why.")
        yield _best(queue, root, task, found, options)


COMMANDS = {"search": search, "trial": trial}


def _check(options: argparse.Namespace) -> None:
    if not 1 <= options.trials <= MOST_TRIALS:
        raise TrainingError(f"expected 1 to {MOST_TRIALS} trials", hint="Choose another number.")
    most, epochs = abouts()["epochs"], options.trial_epochs
    if epochs is not None and not most.low <= epochs <= most.high:
        problem = f"--trial-epochs: expected {most.low:g} to {most.high:g}, got {epochs}"
        raise InvalidInput(problem, hint="Choose another number.")


def _submit(queue: Queue, root: Path, task: Task, base: TrainSettings, options: argparse.Namespace) -> None:
    """Put the trials into the queue that are not there yet: all, or those that an ended command left out."""
    _check(options)
    depends = asked(task.slug, base, options, made=[root, options.out.absolute()])
    kept = root / _ASKED
    begun = next(iter(runs.searches(queue, _OWNER)), None)
    if begun and not (kept.exists() and kept.read_text(encoding="utf-8") == depends):
        raise TrainingError(
            f"expected the data and settings of the search in {root.name}, got others",
            hint=f"Choose another --out, or remove the folder {root.name}.",
        )
    if begun and {number for number, _ in begun.trials}.issuperset(range(1, options.trials + 1)):
        return
    drawn, names = _drawn(task, base, options)
    if not begun:
        kept.write_text(depends, encoding="utf-8")
    runs.submit(
        queue, _OWNER, task.slug, options.out.absolute(), drawn, names,
        lambda folder: _given(task, options.data, folder), prune=options.prune, begun=begun,
    )  # fmt: skip


def _drawn(
    task: Task, base: TrainSettings, options: argparse.Namespace
) -> tuple[list[TrainSettings], list[str]]:
    """Return the settings of each trial and what was drawn; what is wrong with data or space shows."""
    with labelled.opened(task, options.data) as path:
        kind = as_labelled(task.load_dataset(path, base)).kind
    shared = posed(kind, base)
    space = read_space(options.space) if options.space else default_space(kind, shared)
    shared = replace(shared, epochs=options.trial_epochs or base.epochs)
    drawn = space.draw(shared, options.trials, seed=base.seed)
    # What was asked for must mean something in a trial: one that draws pre-training heeds unlabelled items.
    heeded = frozenset[str]().union(*map(task.heeded, drawn))
    flags.check(replace(base, network=shared.network), heeded, f"a model of {task.slug}")
    return drawn, list(space.ranges)


def _given(task: Task, data: Path, folder: Path) -> Path:
    """Put labelled data into an empty folder: by a link, unless they are the task's own small set."""
    if found := labelled.synthetic(task, data, folder):
        return found
    place = folder / f"data{data.suffix}"
    place.symlink_to(data.absolute())
    return place


def _best(
    queue: Queue, root: Path, task: Task, found: runs.Search, options: argparse.Namespace
) -> dict[str, Any]:
    """Train the model with the settings of the best trial, unless that is done."""
    run = _final(queue)
    told = queue.folder(run.id).searched if run else {}
    if run is None or (told["best"], told["trials"]) != (found.judged[0][0], found.measured):
        # A trial that was added or went on since may be the best, and the card tells how many there are.
        run = runs.retrain(queue, _OWNER, found, options.out.absolute(), options.epochs)
    elif run.can_resume:
        queue.resume(run)
    _serve(queue, root, options.at_once)
    done, told = queue.store.get(run.id), queue.folder(run.id).searched
    if done is None or done.state != "done":
        raise done.error.error if done and done.error else TrainingError("the training was ended")
    return {
        "task": task.slug, "model": done.name, "path": done.out, "trial": told["best"],
        "trials": told["trials"], "metrics": dict(done.metrics),
    }  # fmt: skip


def _final(queue: Queue) -> Run | None:
    """Return the newest training of a best trial."""
    return next((run for run in queue.of(_OWNER) if queue.folder(run.id).searched), None)


def _go_on(queue: Queue, root: Path, at_once: int) -> None:
    """Train the trials that wait, and once more each that an earlier command left without figures."""
    left = {run.id for run in queue.of(_OWNER) if run.state not in ("queued", "done")}
    _serve(queue, root, at_once)  # tells, too, which of them are lost: until now they count as running
    again = [run for run in queue.of(_OWNER) if run.id in left and run.can_resume]
    again = [run for run in again if queue.folder(run.id).search]
    for run in again:
        queue.resume(run)
    if again:
        _serve(queue, root, at_once)


def _serve(queue: Queue, root: Path, at_once: int) -> None:
    """Train what waits, here, until nothing is left; stopped, stop what trains."""
    signal.signal(signal.SIGTERM, _stop)
    at_once = at_once or settings.current().runs_at_once
    dispatcher = dispatched(queue.store, root, at_once, partial(_tell, queue))
    try:
        dispatcher.serve()
    except (KeyboardInterrupt, SystemExit):
        for run in queue.store.active(place_of(root)):
            queue.stop(run)
        dispatcher.serve()
        sys.stderr.write("the search was stopped; the same command lets it go on\n")
        raise


def _tell(queue: Queue, run_id: str) -> None:
    """Tell on stderr that a trial, or the training of the model, has begun or ended."""
    number, run = queue.folder(run_id).search.get("number"), queue.get(run_id, _OWNER)
    if number:
        sys.stderr.write(f"{runs.searches(queue, _OWNER)[0].said(number)}\n")
    elif run:
        sys.stderr.write(f"the model: {run.state if run.is_over else 'begins'}\n")


def _stop(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)
