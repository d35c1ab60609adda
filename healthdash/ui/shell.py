"""What stands on every page: the disclaimer, the device, and the way to remove one's data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from healthdash import DISCLAIMER, __version__, apart, runtime
from healthdash.ui import owner, state

__all__ = ["ICON", "device_line", "frame", "framed"]

P = ParamSpec("P")
_PAGES = Path(__file__).resolve().parents[2] / "pages"
_ART = Path(__file__).parent / "art"
#: A file of our own: a named icon would be fetched from the web.
ICON = str(_ART / "icon.svg")
_in_frame: ContextVar[bool] = ContextVar("in_frame", default=False)

#: Time in which the browser fetches what the first page shows, before the import takes the processor.
_FIRST_PAGE_S = 3.0
_LOOK_AGAIN_S = 2.0
#: What is told where uploads are less apart from this machine than they could be.
_LACKS = {
    "network": "Uploads are read with the network in reach: this machine lets no process give it up.",
    "files": "Uploads are read with this user's files in reach: this machine has no Landlock.",
    "everything": "Uploads are read in the server itself, not in a process of their own.",
}
# An explanation that does not depend on the model is shown, but as one that says nothing.
# A long name of a link takes a second line; Streamlit would cut it off.
# Paper keeps its scale on a narrow screen and scrolls; Streamlit would squeeze it.
# Figures keep the colours of the theme that they were made for: their letters on the page itself must not.
_STYLE = """<style>
[class*="st-key-paper-"] { overflow-x: auto; }
[class*="st-key-paper-"] [data-testid="stFullScreenFrame"],
[class*="st-key-paper-"] [data-testid="stElementContainer"],
[class*="st-key-paper-"] [data-testid="stPlotlyChart"] { max-width: none !important; overflow: visible; }
[data-testid="stPageLink"] * { white-space: normal; overflow: visible; }
[class*="st-key-doubted-"] { opacity: 0.35; filter: grayscale(1); }
[data-testid="stPlotlyChart"] :is(.bartext-outside, .legendtext, .gtitle, .colorbar text) {
  fill: currentColor !important;
}
</style>"""


@contextmanager
def frame() -> Iterator[None]:
    """Put the sidebar before a page and the footer after it."""
    context = get_script_run_ctx()
    apart.serves(context.session_id if context else "")
    st.html(_STYLE)
    st.logo((_ART / "logo.svg").read_text(), size="large")
    with st.sidebar:
        st.markdown(f":material/science: **{DISCLAIMER}**")
        device_line()
    entered = _in_frame.set(True)
    yield
    _in_frame.reset(entered)
    _footer()
    owner.remember()
    _warm_up_soon()


def framed(page: Callable[P, None]) -> Callable[P, None]:
    """Make a page function always run inside `frame`.

    When the first address that a server is asked for is one of pages/, Streamlit runs that file by
    itself, without app.py, until `st.navigation` was called once.
    """

    @wraps(page)
    def inside(*args: P.args, **kwargs: P.kwargs) -> None:
        if not _in_frame.get():
            st.navigation(sorted(_PAGES.glob("*.py")), position="hidden")
            st.rerun()
        page(*args, **kwargs)

    return inside


def device_line() -> None:
    """Say where models run; looks again until TensorFlow is there, and never imports it."""
    st.fragment(_device, run_every=None if runtime.is_ready() else _LOOK_AGAIN_S)()


def _device() -> None:
    # No rerun of the page when the device is there: it could take back an upload that is on its way.
    if runtime.is_ready():
        st.caption(f":material/memory: {runtime.device()}")
    else:
        st.caption(":material/hourglass_top: Device: loading")
    for one in apart.lacks():
        st.caption(f":material/lock_open: {_LACKS[one]}")


def _footer() -> None:
    st.divider()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"**{DISCLAIMER}** Model outputs are estimated probabilities. Nothing leaves this machine. "
            f"healthdash {__version__}"
        )
        st.button(
            "Remove my data",
            icon=":material/delete:",
            help="Forget every upload and result of this session, and every training run of this browser.",
            on_click=state.forget,
        )


@st.cache_resource
def _warm_up_soon() -> threading.Timer:
    """Start the process that reads uploads and import TensorFlow, once, after the first page was served."""
    timer = threading.Timer(_FIRST_PAGE_S, _warm_up)
    timer.daemon = True
    timer.start()
    return timer


def _warm_up() -> None:
    apart.start()
    runtime.warm_up()
    apart.wait()  # and hear what this machine does not close to readers
