"""A second upload on the page Train: items without labels, for the pre-training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from healthdash.task import Task
from healthdash.training import TrainSettings
from healthdash.ui import one_file

__all__ = ["KEY", "section"]

#: Name of the upload, which is forgotten when a run has taken it.
KEY = "train:unlabelled"
_FOLDER = "unlabelled"


def section(task: Task, chosen: TrainSettings) -> tuple[TrainSettings, Mapping[str, bytes]]:
    """Offer the upload where a pre-training was chosen for own data.

    Returns
    -------
    settings, beside
        The settings with the place of the items in the folder of the run, and what is to be put there.
    """
    if not (task.is_generic and chosen.pretrain and "unlabelled" in task.heeded(chosen)):
        return chosen, {}
    given = one_file.ask(
        "Items without labels, for the pre-training (optional)", KEY, stem=f"{_FOLDER}/items",
        tip="Of the same kind as the labelled ones: a table with the same columns, or a zip file.",
        given=lambda: None,
    )  # fmt: skip
    if given is None:
        return chosen, {}
    return replace(chosen, unlabelled=given.name), {given.name: given.data}
