"""Models that come and go on the page Models: a bundle is brought in, or taken elsewhere in some form."""

from __future__ import annotations

from functools import partial

import streamlit as st

from healthdash import settings, tasks
from healthdash.bundles import Bundle
from healthdash.exchange import incoming, outgoing
from healthdash.exchange.outgoing import FORMS, Form
from healthdash.ui import problems, state

__all__ = ["downloads", "incoming_section"]

_WIDGET = "models:incoming"
_TAKEN = "work:taken-in"
_MADE = "work:exported"
_PAGES = {"images": "pages/images.py", "ecg": "pages/ecg.py", "records": "pages/records.py"}


def incoming_section() -> None:
    """Offer to bring a model in, and tell of the one that came last."""
    _told()
    with st.expander("Bring in a model", icon=":material/upload_file:"):
        st.markdown(
            "A model that healthdash exported, as a zip file. Before anything of it is loaded its files, "
            "texts, sizes and layers are checked; then it is tried in a process of its own, with little "
            "memory and time. Still: take models only from people whom you trust, and read the card."
        )
        uploaded = st.file_uploader(
            "Model as a zip file", key=state.fresh_key(_WIDGET),
            max_upload_size=settings.current().max_upload_mb,
        )  # fmt: skip
        if st.button("Check and keep it", icon=":material/verified_user:", disabled=uploaded is None):
            assert uploaded is not None
            with problems.shown():
                _take(uploaded.getvalue())


def _take(data: bytes) -> None:
    """Check, try and keep a bundle; the page then shows it."""
    with st.status("Checking the files", expanded=False) as status:
        bundle = incoming.accept(data, lambda step: status.update(label=step))
    state.used_up(_WIDGET)
    st.session_state[_TAKEN] = (bundle.info.task, bundle.name)
    st.query_params["model"] = f"{bundle.info.task}/{bundle.name}"
    st.rerun()


def _told() -> None:
    """Tell once that a model was taken in, and where it can be used."""
    if _TAKEN not in st.session_state:
        return
    slug, name = st.session_state.pop(_TAKEN)
    st.success(f"The model {name} was checked, tried and kept.", icon=":material/check:")
    kind = tasks.get(slug).kind
    if kind in _PAGES:
        st.page_link(
            _PAGES[kind], label="Use it", icon=":material/play_circle:",
            query_params={"task": slug, "model": name},
        )  # fmt: skip


def downloads(bundle: Bundle, key: str) -> None:
    """Offer a model in every form in which it can leave."""
    st.caption(
        "Every form carries the card's sentence: for research and education, not for clinical use. "
        "None holds a row of one patient."
    )
    for form in FORMS:
        with st.container(border=True):
            st.markdown(f"**{form.title}.** {form.told}")
            if form.is_heavy:
                _heavy(bundle, form, key)
            else:
                _button(bundle, form, partial(form.make, bundle), key)


def _heavy(bundle: Bundle, form: Form, key: str) -> None:
    """Make a form in a child process when it is asked for, and keep the last one of this session."""
    place = (bundle.info.sha256, form.slug)
    held = st.session_state.get(_MADE)
    if held is None or held[0] != place:
        if not st.button("Make the file", icon=":material/build:", key=f"{key}/make/{form.slug}"):
            return
        with problems.shown(), st.spinner(f"Making and checking: {form.title}", show_time=True):
            held = st.session_state[_MADE] = (place, outgoing.made_apart(bundle, form.slug))
    if held is not None and held[0] == place:
        _button(bundle, form, held[1], key)


def _button(bundle: Bundle, form: Form, data: object, key: str) -> None:
    st.download_button(
        f"Download {form.title}", data, file_name=f"{bundle.name}{form.suffix}",  # type: ignore[arg-type]
        icon=":material/download:", on_click="ignore", key=f"{key}/{form.slug}",
    )  # fmt: skip
