"""A search in the queue: trials of one data set that belong together, compared, and the best trained anew.

Each trial is a run like any other: it can be watched, stopped, resumed and deleted. What belongs
together says a small file in the folder of each run, so that nothing is left over when all are deleted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from healthdash import tasks
from healthdash.runs.folder import RunFolder
from healthdash.runs.queue import Queue
from healthdash.runs.record import Run, new_id
from healthdash.training import flags
from healthdash.training.settings import TrainSettings
from healthdash.training.studio.search.trial import LOSS, NETWORK, settings_of

__all__ = ["Search", "losses_of_others", "retrain", "searches", "submit"]

_NUMBER, _OF, _SCALE = "number", "of", "scale"


@dataclass(frozen=True, slots=True)
class Search:
    """The trials of one search, by their numbers.

    Attributes
    ----------
    id : str
    drawn : tuple of str
        Names of the settings that differ between the trials.
    trials : tuple of (int, Run)
        With their numbers, from 1.
    """

    id: str
    drawn: tuple[str, ...]
    trials: tuple[tuple[int, Run], ...]

    @property
    def name(self) -> str:
        """Name of the model that it looks for."""
        return self.trials[0][1].name.rsplit("-trial-", 1)[0]

    @property
    def is_over(self) -> bool:
        """Whether no trial waits or trains any more."""
        return all(run.is_over for _, run in self.trials)

    @property
    def judged(self) -> list[tuple[int, Run]]:
        """The trials that were trained to their end, the least validation loss first."""
        known = [(n, run) for n, run in self.trials if run.state == "done" and not is_pruned(run)]
        return sorted(known, key=lambda one: one[1].metrics[LOSS]["value"])

    @property
    def measured(self) -> int:
        """How many trials gave figures, ended early or not."""
        return sum(run.state == "done" for _, run in self.trials)

    def rows(self) -> list[dict[str, Any]]:
        """Return what was drawn and what came of it, a row a trial, the best first."""
        ranked = [n for n, _ in self.judged]
        order = sorted(self.trials, key=lambda one: ranked.index(one[0]) if one[0] in ranked else len(ranked))
        return [self._row(number, run) for number, run in order]

    def _row(self, number: int, run: Run) -> dict[str, Any]:
        figures = {name: row["value"] for name, row in run.metrics.items()}
        state = "ended early" if is_pruned(run) else run.state
        drawn = {name: run.settings.get(name) for name in self.drawn}
        error = {"error": asdict(run.error)} if run.error else {}
        return {"trial": number, "state": state, **figures, **drawn, **error}

    def said(self, number: int) -> str:
        """Say in a line that a trial begins, or how it ended and how many are left."""
        trial, run = f"trial {number} of {len(self.trials)}", dict(self.trials)[number]
        if not run.is_over:
            return f"{trial}: begins"
        row = self._row(number, run)
        loss = [f"validation loss {row[LOSS]:.3g}"] if LOSS in row else []
        reason = [run.error.message] if run.error else []
        left = sum(not other.is_over for _, other in self.trials)
        return f"{trial}: {', '.join([row['state'], *loss, *reason])}, {left} left"


def is_pruned(run: Run) -> bool:
    """Say whether a trial was ended before its time, because the others were better."""
    return "ended after" in str(run.metrics.get(LOSS, {}).get("part", ""))


def submit(
    queue: Queue,
    owner: str,
    task: str,
    out: Path,
    drawn: Sequence[TrainSettings],
    names: Sequence[str],
    fill: Callable[[Path], Path],
    *,
    prune: bool = False,
    beside: Mapping[str, bytes] | None = None,
    begun: Search | None = None,
) -> str:
    """Put a run for each of the drawn settings into the queue and return the search's id.

    Parameters
    ----------
    out : Path
        Bundle folder of the model that is looked for; the trials make none.
    drawn : sequence of TrainSettings
        Of each trial.
    names : sequence of str
        The settings that were drawn.
    fill : function of a folder
        As `Queue.submit` takes it; called once: the trials share the files.
    prune : bool
        End trials early that are worse than the median of the others.
    begun : Search or None
        The search of the same draws where it has some of its trials already; only the others are put in.
    """
    search, there = (begun.id, dict(begun.trials)) if begun else (new_id(), {})
    first = next(iter(there.values()), None)
    for number, settings in enumerate(drawn, 1):
        if number in there:
            continue
        told = {"id": search, _NUMBER: number, _OF: len(drawn), "drawn": list(names), "prune": prune}
        told[_SCALE] = [settings.loss, settings.balance]
        files = {**(beside or {}), RunFolder.SEARCH: json.dumps(told).encode()}
        place = out.with_name(f"{out.name}-trial-{number}")
        filling = fill if first is None else _shared(queue, first)
        run = queue.submit(owner, task, place, settings, filling, beside=files)
        queue.store.tag(run.id, owner, [f"search {out.name}"])
        first = first or run
    return search


def searches(queue: Queue, owner: str) -> list[Search]:
    """Return the searches of an owner, the newest first."""
    found: dict[str, list[tuple[int, Run]]] = {}
    told: dict[str, tuple[str, ...]] = {}
    for run in queue.of(owner):
        search = queue.folder(run.id).search
        if search:
            found.setdefault(search["id"], []).append((int(search[_NUMBER]), run))
            told[search["id"]] = tuple(search["drawn"])
    return [
        Search(key, told[key], tuple(sorted(trials, key=lambda one: one[0]))) for key, trials in found.items()
    ]


def retrain(
    queue: Queue, owner: str, search: Search, out: Path, epochs: int | None, *, numbered: bool = False
) -> Run:
    """Put the training of a model with the settings of the best trial into the queue.

    Parameters
    ----------
    epochs : int or None
        Most epochs; None: as the recipe.
    numbered : bool
        As `Queue.submit` takes it.

    Raises
    ------
    IndexError
        No trial was trained to its end.
    """
    number, best = search.judged[0]
    # The same split as the trials had: what they did not look at is what the model is tested on.
    chosen = replace(settings_of(best.settings), epochs=epochs, folds=0)
    # A draw may hold a setting that means nothing beside the others, such as the decay of another optimiser.
    chosen = flags.without(chosen, tasks.get(best.task).heeded(chosen))
    told = {
        "trials": search.measured,
        "best": number,
        "loss": best.metrics[LOSS]["value"],
        "drawn": list(search.drawn),
    }
    files = {
        path.name: path.read_bytes() for path in queue.folder(best.id).path.glob("*.json") if _is_own(path)
    }
    folder = queue.folder(best.id)
    files |= {
        path.relative_to(folder.path).as_posix(): path.read_bytes() for path in folder.unlabelled.glob("*")
    }
    files[RunFolder.SEARCHED] = json.dumps(told).encode()
    fill = _shared(queue, best)
    return queue.submit(owner, best.task, out, chosen, fill, beside=files, numbered=numbered)


def losses_of_others(folder: RunFolder) -> list[list[float]]:
    """Return the validation losses of the trials beside this one that are through; empty without pruning.

    Trials with another loss or other weights of labels are left out: their numbers are on another scale.
    """
    search = folder.search
    if not search.get("prune"):
        return []
    return [list(losses) for losses in _others(folder, search)]


def _others(folder: RunFolder, search: Mapping[str, Any]) -> Iterator[Sequence[float]]:
    for path in sorted(folder.path.parent.glob(f"*/{RunFolder.SEARCH}")):
        other = RunFolder(path.parent)
        is_beside = all(other.search.get(name) == search.get(name) for name in ("id", _SCALE))
        if other.path != folder.path and is_beside and "metrics" in other.answer:
            history = other.history
            if "val_loss" in history:
                # Epochs before those of the whole network, such as of a new end, are no epochs of a trial.
                losses = history.loc[history["run"] == NETWORK, "val_loss"].dropna()
                yield losses.astype(float).tolist()


def _shared(queue: Queue, source: Run) -> Callable[[Path], Path]:
    """Return a `fill` that gives the data of another run, without room of their own where that goes."""
    begins = queue.folder(source.id).path / source.data
    data = queue.folder(source.id).data
    if not begins.is_relative_to(data):  # on the server, where they stay
        return lambda _: begins

    def fill(folder: Path) -> Path:
        shutil.copytree(data, folder, copy_function=_linked, symlinks=True, dirs_exist_ok=True)
        return folder / begins.relative_to(data)

    return fill


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _is_own(path: Path) -> bool:
    """Say whether a file beside a run was given with it, as its cleaning is."""
    return path.name not in (RunFolder.SEARCH, RunFolder.SEARCHED, "live.json")
