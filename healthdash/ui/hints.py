"""What a reader says of recordings whose files are silent about rate or unit: it goes with these files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import streamlit as st

from healthdash.task import Upload
from healthdash.ui import state

__all__ = ["ask", "carried"]

_UNITS = ("mV", "uV", "V")


def ask(uploads: Sequence[Upload], name: str, *, most_hz: float = 10_000.0) -> list[Upload] | None:
    """Ask what a bare table of numbers does not say; None: nothing else than was said before.

    Parameters
    ----------
    uploads : sequence of Upload
        The files that are loaded, one at least; all have the same hints.
    name : str
        Of the widgets: `state.used_up` makes them anew, with what was said of other files.
    most_hz : float, hertz
        The largest rate that can be entered.

    Returns
    -------
    list of Upload, or None
        The files with what is said of them now.
    """
    given: Mapping[str, Any] = uploads[0].hints
    key = state.fresh_key(name)
    with st.expander("If the file does not say its rate or unit", icon=":material/tune:"):
        left, right = st.columns(2)
        rate_hz = left.number_input(
            "Sampling rate, Hz", min_value=1.0, max_value=most_hz, value=given.get("rate_hz"),
            placeholder="as in the file", step=1.0, key=f"{key}:rate",
        )  # fmt: skip
        unit = right.selectbox(
            "Unit of the signal", _UNITS, placeholder="as in the file", key=f"{key}:unit",
            index=_UNITS.index(given["unit"]) if "unit" in given else None,
        )  # fmt: skip
    told = {what: said for what, said in (("rate_hz", rate_hz), ("unit", unit)) if said is not None}
    return [replace(upload, hints=told) for upload in uploads] if told != given else None


def carried(earlier: Sequence[Upload], uploads: Sequence[Upload]) -> Mapping[str, str | float]:
    """Return the hints of earlier files where new ones are of the same recordings by their names, else none.

    A rate that was said of one file would stretch another one in time without a word.
    """
    return earlier[0].hints if earlier and _stems(uploads) <= _stems(earlier) else {}


def _stems(uploads: Sequence[Upload]) -> set[str]:
    return {PurePath(upload.name).stem for upload in uploads}
