"""What a generative network makes while it learns, on the page of its run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from healthdash.training import samples
from healthdash.training.samples import Look

__all__ = ["section"]

_CAPTION = (
    "Made by the network, {label}; no patient is shown. The same noise is used in every epoch, so that you "
    "see one item become what it is. For research and education, not for clinical use."
)


def section(run_folder: Path, key: str) -> None:
    """Show what was made in an epoch that the reader chooses, at first the last; without files nothing."""
    place = run_folder / samples.FOLDER
    epochs = samples.looks(place)
    if not epochs:
        return
    st.subheader("Synthetic items as they are learnt", anchor=False)
    epoch = epochs[-1]
    if len(epochs) > 1:
        # A new epoch makes a new slider, so that it stands at the newest until the reader moves it.
        epoch = st.select_slider("After epoch", epochs, epochs[-1], key=f"{key}/looks/{len(epochs)}")
    try:
        look = samples.read(place, epoch)
    except ValueError:
        st.warning("The samples of this epoch cannot be read.")
        return
    drawn = samples.picture(place, epoch)
    if drawn is not None:
        words = _CAPTION.format(label=f"a line for each label: {', '.join(look.labels)}")
        st.image(drawn.read_bytes(), caption=words, width="content", alt=f"Items made after epoch {epoch}")
    else:
        st.dataframe(frame_of(look), hide_index=True)
        st.caption(_CAPTION.format(label="a row each"))


def frame_of(look: Look) -> pd.DataFrame:
    """Return made rows as a table, codes as their words."""
    columns: dict[str, object] = {"made for": [look.labels[number] for number in look.truth]}
    for at in range(look.items.shape[1]):
        column = look.columns[at] if at < len(look.columns) else {}
        values = look.items[:, at]
        words = column.get("values")
        if words:
            known = ["", *words]
            columns[str(column["name"])] = [
                known[int(np.clip(np.nan_to_num(v), 0, len(words)))] for v in values
            ]
        else:
            columns[str(column.get("name", at + 1))] = [_number(v) for v in values]
    return pd.DataFrame(columns)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.4g}")
