"""Training curves from elsewhere on the page Train: drawn as own ones are, and comparable with them."""

from __future__ import annotations

from pathlib import PurePath

import pandas as pd
import streamlit as st

from healthdash.exchange.curves import Curves, read_curves
from healthdash.ui import about, problems, state

__all__ = ["histories", "section"]

_HELD = "work:curves"
_WIDGET = "train:curves"
_SHOWN = "train:curves:shown"
_MOST = 8


def histories() -> dict[str, pd.DataFrame]:
    """Return the curves that this session looks at, by the name that their reader knows."""
    held: dict[str, Curves] = st.session_state.get(_HELD, {})
    return {name: found.history for name, found in held.items()}


def section() -> None:
    """Offer to look at curves from elsewhere."""
    held: dict[str, Curves] = st.session_state.setdefault(_HELD, {})
    with st.expander("Look at curves from elsewhere", icon=":material/query_stats:", expanded=bool(held)):
        st.markdown(
            "The history of a Keras training as JSON, a file of CSVLogger, a TensorBoard event file, or a "
            "zip of a folder of such files. They are only drawn; nothing is kept when the session ends."
        )
        uploaded = st.file_uploader("Curves", key=state.fresh_key(_WIDGET), max_upload_size=64)
        if uploaded is not None:
            with problems.shown(), st.spinner("Reading"):
                _take(held, PurePath(uploaded.name).stem, read_curves(uploaded.getvalue()))
        if held:
            _shown(held)


def _take(held: dict[str, Curves], stem: str, found: Curves) -> None:
    """Keep curves under a name of their own; the oldest go when there are many."""
    plain = "".join(c if c.isalnum() or c in " ._-" else "_" for c in stem)[:40] or "curves"
    name, number = plain, 2
    while name in held:
        name, number = f"{plain} ({number})", number + 1
    held[name] = found
    while len(held) > _MOST:
        held.pop(next(iter(held)))
    state.used_up(_WIDGET)
    st.session_state[_SHOWN] = name
    st.rerun()


def _shown(held: dict[str, Curves]) -> None:
    name = st.selectbox("Curves of", list(held)[::-1], key=_SHOWN)
    found = held[name]
    epochs = found.history["epoch"].nunique()
    st.caption(f"{found.format}, {epochs:,} epochs. With two or more trainings, compare them above.")
    about.show_learning_curves(found.history, f"curves/{name}")
    st.button("Remove these curves", icon=":material/delete:", on_click=_remove, args=(name,))


def _remove(name: str) -> None:
    st.session_state.get(_HELD, {}).pop(name, None)
