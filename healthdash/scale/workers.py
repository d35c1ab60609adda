"""One network on several workers of the cluster: each takes a part of every batch, gradients are averaged.

Ray Train's TensorflowTrainer sets TF_CONFIG and runs `keras.Model.fit`, which Keras 3 does not do over
several hosts (see `training.devices`; ray-project/ray#47464, #48910). So the workers are actors of
Ray, TF_CONFIG is set here, and the network is trained by `fit_fold` as everywhere else.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthdash import settings as configured
from healthdash.errors import TrainingError
from healthdash.scale.cluster import RETRIES, cause, connected, resources
from healthdash.training import TrainSettings, checkpoint
from healthdash.training.history import EpochRow

if TYPE_CHECKING:
    from healthdash.training.studio.fitting import Fitted, Part
    from healthdash.training.studio.items import Labelled

__all__ = ["fit_across", "fit_each_across"]

_LOOK_S = 0.5


def fit_across(
    labelled: Labelled,
    settings: TrainSettings,
    part: Part,
    on_epoch: Callable[[EpochRow], None],
    workers: int,
) -> Fitted:
    """Fit one network on several workers at once.

    Parameters
    ----------
    workers : int
        The batch is cut into so many parts; the network is that of one worker but for rounding, for the
        parts of a batch are shuffled, left out at random and normalised each by itself.
    on_epoch : function of a row
        May raise `TrainingStopped`.

    Raises
    ------
    TrainingError
        Workers were lost again and again.
    """
    ray = connected()
    told: set[tuple[object, object]] = set()

    def tell(row: EpochRow) -> None:
        # Those before a worker was lost come once more, from the checkpoint.
        if (key := (row.get("run"), row["epoch"])) not in told:
            told.add(key)
            on_epoch(row)

    for _ in range(RETRIES + 1):
        team = _Team(ray, workers)
        try:
            return team.fit(labelled, settings, part, tell)
        except ray.exceptions.RayActorError:
            # One was lost, and the others wait for it for ever: all begin anew from the checkpoint.
            continue
        except ray.exceptions.RayTaskError as error:
            raise cause(error) from error
        finally:
            team.end()
    raise TrainingError("the workers of the training were lost again and again", hint="Look at the cluster.")


def fit_each_across(
    labelled: Labelled, settings: TrainSettings, on_epoch: Callable[[EpochRow], None]
) -> Callable[[Sequence[Part]], Sequence[Fitted]]:
    """Return the function that fits parts one after the other, each on as many workers as the settings say.

    Parameters
    ----------
    on_epoch : function of a row
        May raise `TrainingStopped`.
    """
    workers = configured.current().ray_workers
    return lambda parts: [fit_across(labelled, settings, part, on_epoch, workers) for part in parts]


class _Team:
    """Some workers, each a process of its own that TensorFlow was not used in before."""

    def __init__(self, ray: Any, workers: int) -> None:
        self._ray = ray
        asked = {name: value for name, value in resources().items() if name != "max_retries"}
        worker = ray.remote(**asked)(_Worker)
        self._workers = [worker.remote() for _ in range(workers)]

    def fit(
        self, labelled: Labelled, settings: TrainSettings, part: Part, on_epoch: Callable[[EpochRow], None]
    ) -> Fitted:
        """Train until the first worker, which keeps the checkpoints, has the network."""
        ray = self._ray
        addresses = ray.get([worker.address.remote() for worker in self._workers])
        folder, shared = checkpoint.folder(), ray.put(labelled)
        place = str(folder.absolute()) if folder else None
        fits = [
            worker.fit.remote(number, addresses, shared, settings, part, place)
            for number, worker in enumerate(self._workers)
        ]
        seen = 0
        while True:
            done, _ = ray.wait(fits, num_returns=1, timeout=_LOOK_S)
            rows = ray.get(self._workers[0].told.remote(seen))
            for row in rows:
                on_epoch(row)
            seen += len(rows)
            if done:
                found: Fitted = ray.get(fits)[0]
                return found

    def end(self) -> None:
        """End the processes."""
        for worker in self._workers:
            self._ray.kill(worker)


class _Worker:
    """One process of a team."""

    def __init__(self) -> None:
        self._rows: list[EpochRow] = []
        self._probe = socket.socket()
        self._probe.bind(("", 0))

    def address(self) -> str:
        """Return where the others find this worker."""
        return f"{connected().util.get_node_ip_address()}:{self._probe.getsockname()[1]}"

    def told(self, seen: int) -> list[EpochRow]:
        """Return the epochs after those that were seen."""
        return self._rows[seen:]

    def fit(
        self, number: int, addresses: list[str], labelled: Labelled, settings: TrainSettings, part: Part,
        place: str | None,
    ) -> Fitted | None:  # fmt: skip
        """Train a part of every batch; the first worker returns the network."""
        self._probe.close()
        task = {"type": "worker", "index": number}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
        from healthdash.runtime import tensorflow

        strategy = tensorflow().distribute.MultiWorkerMirroredStrategy()
        from healthdash.training import devices
        from healthdash.training.studio.fitting import fit_fold

        with (
            checkpoint.kept_in(Path(place) if place else None),
            devices.spread(strategy, is_chief=number == 0),
        ):
            found = fit_fold(labelled, settings, part, self._rows.append)
        return found if number == 0 else None
