"""The networks of one run: each is fitted once, and kept beside the bundle until it is complete."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import keras

from healthdash.training import checkpoint
from healthdash.training.history import EpochRow

from .dataset import LabelledPictures
from .fitting import Part, fit
from .plans import Recipe

__all__ = ["Finished", "fitted_member"]

OnEpoch = Callable[[EpochRow], None]


class Finished:
    """Keeps each network of a run, so that the same command goes on where it was stopped.

    Parameters
    ----------
    out : Path
        Folder of the bundle; the networks are kept with the checkpoints, or else in a hidden
        folder beside it.
    """

    def __init__(self, out: Path) -> None:
        kept = checkpoint.folder()
        self._folder = kept / "members" if kept else out.parent / f".members-{out.name}"

    def get(
        self, run: str, key: object, report: OnEpoch, fit: Callable[[OnEpoch], keras.Model]
    ) -> keras.Model:
        """Return a network that was finished before with the same key, or fit and keep it.

        Parameters
        ----------
        key : object
            Its `repr` names all that the network depends on.
        report : function
            Gets every epoch, also those of a network that was finished before.
        """
        stem = hashlib.sha256(f"{run} {key!r}".encode()).hexdigest()[:24]
        weights, epochs = self._folder / f"{stem}.keras", self._folder / f"{stem}.json"
        if epochs.is_file():
            for row in json.loads(epochs.read_text()):
                report(row)
            return keras.saving.load_model(weights, compile=False)
        rows: list[EpochRow] = []

        def both(row: EpochRow) -> None:
            rows.append({name: v if isinstance(v, (str, int)) else float(v) for name, v in row.items()})
            report(row)

        network = fit(both)
        self._folder.mkdir(parents=True, exist_ok=True)
        network.save(weights)
        epochs.write_text(json.dumps(rows))
        return network

    def forget(self) -> None:
        """Remove what was kept."""
        shutil.rmtree(self._folder, ignore_errors=True)


def fitted_member(
    recipe: Recipe,
    dataset: LabelledPictures,
    train: Part,
    validation: Part,
    run: tuple[int, str],
    report: OnEpoch,
    finished: Finished,
) -> keras.Model:
    """Return one network, fitted now or in a run that was stopped; `run` is its seed and name."""
    seed, name = run
    shape = recipe.network(len(dataset.names))
    key = (shape, recipe.fit, recipe.draw_against_shortcuts, seed, dataset.fingerprint, len(train.labels))

    def fitted(on_epoch: OnEpoch) -> keras.Model:
        return fit(shape, recipe.fit, train, validation, on_epoch, seed=seed, run=name)

    return finished.get(name, key, report, fitted)
