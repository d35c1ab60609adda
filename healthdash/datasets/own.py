"""What the tasks that learn from labelled files of a user's share, whatever the files hold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import TooLittleData
from healthdash.task import Task
from healthdash.training import TrainSettings

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.training.evaluation import Evaluation
    from healthdash.training.history import EpochRow
    from healthdash.training.studio.items import ItemKind

    from .looked import Looked
    from .survey import OnProgress

__all__ = ["OwnFiles", "numbered_as"]


class OwnFiles(Task):
    """A task that learns in the studio; its `load_dataset` returns `studio.items.Labelled`."""

    is_generic = True
    #: Which networks of the studio fit.
    item_kind: ClassVar[ItemKind]

    @abstractmethod
    def look(self, folder: Path, target: str | None, on_progress: OnProgress | None = None) -> Looked:
        """Look at every labelled file of a folder once."""

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return what the studio takes for such items, and how to find their labels."""
        from healthdash.training.studio.plans import heeded

        return heeded(self.item_kind, settings) | {"target", "group"}

    def check(self, path: Path, settings: TrainSettings) -> Mapping[str, Any]:
        """Return the data report of labelled files as plain data."""
        from . import checked

        return checked.files(path, settings, self.look)

    def train(
        self, dataset: Any, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        """Train a network of the studio."""
        from healthdash.training.command import command_line
        from healthdash.training.studio.training import train

        return train(dataset, settings, out, on_epoch, command=command_line())

    def evaluate(self, bundle: Bundle, dataset: Any) -> Evaluation:
        """Measure a bundle on labelled files that it was not trained on."""
        from .measured import measured

        return measured(self.answers(bundle, dataset), dataset.unit)


def numbered_as(
    labels: tuple[str, ...], truth: NDArray[np.int64], wanted: tuple[str, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which items have one of a model's labels, and those numbered as the model does.

    Parameters
    ----------
    labels : tuple of str
        Of the items.
    truth : int64 (n,)
        Number of each item's label among them.
    wanted : tuple of str
        Those of the model, in its order.

    Returns
    -------
    bool (n,), int64 (m,)

    Raises
    ------
    TooLittleData
        Fewer than two of the labels are there.
    """
    own = np.asarray(labels)[truth]
    kept = np.isin(own, wanted)
    if len(np.unique(own[kept])) < 2:
        raise TooLittleData(f"expected two of the labels {', '.join(wanted)}", hint="Measure on other data.")
    return kept, np.asarray([wanted.index(one) for one in own[kept]], np.int64)
