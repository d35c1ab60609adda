"""A training as it goes on: how far it is, how quickly, its loss over the batches, some of its outputs."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from healthdash.runs import Run
from healthdash.runs.folder import RunFolder
from healthdash.runs.live import read
from healthdash.training.live import Output, Snapshot
from healthdash.training.overfitting import hint
from healthdash.ui.draw import draw
from healthdash.views import Curve, Curves

__all__ = ["batch_curves", "current", "duration", "section", "warn"]

#: Older than this, what was written last is no longer how the training stands.
_STALE_S = 60.0
_GIBI = 1024
#: The last line of the log, once a new model is trained: see `healthdash.progress.Shares`.
_MEASURED = re.compile(r"^explanations (\d+)%\s*\Z", re.MULTILINE)


def current(run: Run, folder: RunFolder) -> Snapshot | None:
    """Return how a run that trains stands; None before its first batches, and once it is over."""
    now = None if run.is_over else read(folder.live_file)
    # What an attempt before this one wrote is not how this one stands.
    return None if now is None or now.written < (run.started or 0.0) else now


def section(run: Run, now: Snapshot, log: str) -> None:
    """Show how a run that trains stands; `log` is what it wrote last."""
    measured = _MEASURED.search(log)
    is_trained = measured is not None or (now.epoch, now.batch) == (now.epochs, now.batches)
    _figures(now, is_trained=is_trained)
    if measured:
        share = int(measured[1])
        st.progress(share, f"Measuring the explanations, {share} %")
    elif is_trained:
        st.caption("This network has learnt. Another one, or measuring the model, comes next.")
    with st.container(key="live-curves"):
        columns = st.columns(2)
        for number, view in enumerate(batch_curves(now)):
            with columns[number % 2]:
                draw(view, f"live/{run.id}/{view.title}")
    if now.outputs:
        st.markdown("**Some validation items, as the network sees them now**")
        st.dataframe(_items(now), hide_index=True, column_config=_bars(now))
        st.caption("Outputs while it learns, not calibrated. The items stay the same; labels take turns.")


def warn(history: pd.DataFrame) -> None:
    """Say in words where the curves show over-fitting."""
    words = hint(history)
    if words:
        st.warning(words, icon=":material/trending_up:")


def _figures(now: Snapshot, *, is_trained: bool) -> None:
    with st.container(horizontal=True, gap="large"):
        _metric("Epoch", f"{now.epoch} of {now.epochs}", f"of {now.run}" if now.run else "")
        _metric("Batch", f"{now.batch:,} of {now.batches:,}")
        if now.seconds_left is not None and not is_trained:
            told = "To the last epoch of this network; early stopping may end it before."
            network = f" for {now.run}" if now.run else ""
            _metric(f"Time left{network}, at most", duration(now.seconds_left), told)
        if now.examples_per_s is not None:
            _metric("Examples a second", f"{now.examples_per_s:,.0f}")
        _metric("Learning rate", f"{now.learning_rate:.2g}")
        if now.memory_mb is not None:
            _metric("Memory", _size(now.memory_mb), "Of the training process.")
        if now.device_memory_mb is not None:
            _metric("GPU memory", _size(now.device_memory_mb))
    if time.time() - now.written > _STALE_S:
        st.caption(f"As of {duration(time.time() - now.written)} ago.")


def _metric(label: str, value: str, told: str = "") -> None:
    st.metric(label, value, help=told or None, width="content")


def batch_curves(now: Snapshot) -> list[Curves]:
    """Return one plot a measure over the batches of the network that trains now."""
    epochs = np.asarray(now.curve.get("epoch", ()), float)
    if len(epochs) < 2:
        return []
    part = f" of {now.run}" if now.run else ""
    return [
        Curves(
            title=f"{name.replace('_', ' ').capitalize()} over the batches{part}",
            curves=(Curve(name=name, x=epochs, y=np.asarray(values, float)),),
            x_label="epoch",
            y_label=name.replace("_", " "),
            caption="Each point is the mean of the batches since the one before.",
        )
        for name, values in sorted(now.curve.items(), key=lambda one: one[0] != "loss")
        if name != "epoch"
    ]


def _items(now: Snapshot) -> pd.DataFrame:
    return pd.DataFrame([_item(one, now) for one in now.outputs])


def _item(one: Output, now: Snapshot) -> dict[str, object]:
    names = _names(now)
    says = int(np.argmax(one.probabilities))
    return {
        "item": f"no. {one.item}",
        "truth": names[one.truth],
        "says": names[says],
        "": "✓" if says == one.truth else "✗",
        **dict(zip(names, one.probabilities, strict=True)),
    }


def _names(now: Snapshot) -> list[str]:
    """Return the labels; a network with other outputs than the task has labels gets numbers."""
    k = len(now.outputs[0].probabilities)
    return list(now.labels) if len(now.labels) == k else [f"label {number + 1}" for number in range(k)]


def _bars(now: Snapshot) -> dict[str, Any]:
    return {
        name: st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format="percent")
        for name in _names(now)
    }


def duration(seconds: float) -> str:
    """Return a time in words: 40 s, 3 min 20 s, 2 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _size(mebibytes: float) -> str:
    return f"{mebibytes / _GIBI:.1f} GB" if mebibytes >= _GIBI else f"{mebibytes:.0f} MB"
