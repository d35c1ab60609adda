"""A second upload on the page Train: items without labels, for the pre-training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

import streamlit as st

from healthdash import settings
from healthdash.task import Task
from healthdash.training import TrainSettings
from healthdash.ui import state

__all__ = ["KEY", "section"]

#: Name of the widget, which is emptied when a run has taken what it holds.
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
    uploaded = st.file_uploader(
        "Items without labels, for the pre-training (optional)", key=state.fresh_key(KEY),
        max_upload_size=settings.current().max_upload_mb,
        help="Of the same kind as the labelled ones: a table with the same columns, or a zip file.",
    )  # fmt: skip
    if uploaded is None:
        return chosen, {}
    # The user's own name is not trusted, and a patient's name may stand in it.
    name = f"{_FOLDER}/items{PurePath(uploaded.name).suffix.lower()[:8]}"
    return replace(chosen, unlabelled=name), {name: uploaded.getvalue()}
