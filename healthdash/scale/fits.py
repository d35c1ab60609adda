"""The fits of one training side by side on the cluster: folds and members, each a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthdash.scale.cluster import cause, connected, resources
from healthdash.training import TrainSettings, checkpoint
from healthdash.training.history import EpochRow

if TYPE_CHECKING:
    from healthdash.training.studio.fitting import Fitted, Part
    from healthdash.training.studio.items import Labelled

__all__ = ["fit_all"]

_LOOK_S = 0.5


def fit_all(
    labelled: Labelled, settings: TrainSettings, on_epoch: Callable[[EpochRow], None]
) -> Callable[[Sequence[Part]], Sequence[Fitted]]:
    """Return the function that fits parts on the cluster; the same parts give the same networks as here.

    Parameters
    ----------
    on_epoch : function of a row
        Gets the epochs of all parts as they come; may raise `TrainingStopped`, which ends them all.
    """

    def fit(parts: Sequence[Part]) -> Sequence[Fitted]:
        ray = connected()
        told = ray.remote(num_cpus=0, max_restarts=-1)(_Told).remote()
        # Sent once, however many parts there are.
        shared = ray.put(labelled)
        folder = checkpoint.folder()
        task = ray.remote(**resources())(_fit)
        place = str(folder.absolute()) if folder else None
        waiting = [task.remote(shared, settings, part, told, place) for part in parts]
        try:
            return _awaited(ray, waiting, told, on_epoch)
        except BaseException:
            for one in waiting:
                ray.cancel(one, force=True)
            raise

    return fit


class _Told:
    """Holds the epochs that parts tell until they are asked for; a part that begins anew tells anew."""

    def __init__(self) -> None:
        self._rows: list[Mapping[str, Any]] = []
        self._seen: set[tuple[Any, Any]] = set()

    def add(self, row: Mapping[str, Any]) -> None:
        """Take an epoch; one that was told before its worker was lost is not told twice."""
        key = (row.get("run"), row.get("epoch"))
        if key not in self._seen:
            self._seen.add(key)
            self._rows.append(row)

    def take(self) -> list[Mapping[str, Any]]:
        """Return what was told since the last time."""
        rows, self._rows = self._rows, []
        return rows


def _awaited(ray: Any, waiting: list[Any], told: Any, on_epoch: Callable[[EpochRow], None]) -> list[Fitted]:
    """Return what comes of the tasks, in their order; epochs are passed on meanwhile."""
    left = list(waiting)
    while left:
        done, left = ray.wait(left, num_returns=1, timeout=_LOOK_S)
        for row in ray.get(told.take.remote()):
            on_epoch(row)
        for one in done:
            try:
                ray.get(one)
            except ray.exceptions.RayTaskError as error:
                raise cause(error) from error
    found: list[Fitted] = ray.get(waiting)
    return found


def _fit(labelled: Labelled, settings: TrainSettings, part: Part, told: Any, place: str | None) -> Fitted:
    """Fit one part in a worker."""
    import keras

    from healthdash.training.studio.fitting import fit_fold

    with checkpoint.kept_in(Path(place) if place else None):
        try:
            return fit_fold(labelled, settings, part, lambda row: told.add.remote(_plain(row)))
        finally:
            keras.backend.clear_session()


def _plain(row: EpochRow) -> dict[str, Any]:
    """Return a row of plain numbers and words."""
    return {name: v if isinstance(v, (str, int)) else float(v) for name, v in row.items()}
