"""The page of the models: figures, curves, card, data and licence of each."""

from __future__ import annotations

import streamlit as st

from healthdash import bundles
from healthdash.bundles import Bundle
from healthdash.ui import about, compare_models, exchange, problems, shell
from healthdash.ui.downloads import safe_csv
from healthdash.ui.draw import draw
from healthdash.views import Grid

__all__ = ["page"]


@shell.framed
def page() -> None:
    """Show one model, chosen from all that this machine has."""
    st.title("Models", anchor=False)
    for folder, reason in bundles.broken():
        st.warning(f"The model in {folder.parent.name}/{folder.name} cannot be used: {reason}.")
    exchange.incoming_section()
    found = {f"{bundle.info.task}/{bundle.name}": bundle for bundle in bundles.available()}
    if not found:
        st.info("There is no model yet. Train one on the page Train.")
        return
    with problems.shown():
        shown = found[_chosen(list(found), found)]
        _model(shown)
        compare_models.section(shown, [one for one in found.values() if one.info.task == shown.info.task])


def _chosen(names: list[str], found: dict[str, Bundle]) -> str:
    """Return the model that the reader, or `?model=task/name` in the address, chose."""
    wanted = st.query_params.get("model")
    if wanted and wanted not in names:
        st.warning("There is no model of that name. Choose one of these.")
    st.session_state["model-shown"] = (
        wanted if wanted in names else st.session_state.get("model-held", names[0])
    )
    chosen: str = st.selectbox(
        "Model", names, format_func=lambda name: about.model_words(found[name], name), key="model-shown",
        on_change=_follow,
    )  # fmt: skip
    st.session_state["model-held"] = chosen
    return chosen


def _follow() -> None:
    st.query_params["model"] = st.session_state["model-shown"]


def _model(bundle: Bundle) -> None:
    info = bundle.info
    key = f"{info.task}/{bundle.name}/{info.sha256[:8]}"
    with st.container(horizontal=True, gap="large"):
        for row in about.headline(bundle):
            interval = f"95 % interval {about.number(row.low)} to {about.number(row.high)}"
            st.metric(f"{row.name}, {row.part}", about.number(row.value), help=interval, width="content")
        st.metric("Parameters", f"{info.parameters:,}", width="content")
        st.metric("Classes", len(info.labels), width="content")
    names = ["Figures", "Training", "Card, data and licence", "Download"]
    figures, training, card, download = st.tabs(names)
    with figures:
        _figures(bundle, key)
    with training:
        _training(bundle, key)
    with card:
        _card(bundle, key)
    with download:
        exchange.downloads(bundle, key)


def _figures(bundle: Bundle, key: str) -> None:
    evaluation = bundle.evaluation
    st.caption(evaluation.split_rule)
    draw(about.metric_grid(evaluation.metrics, "Measured"), f"{key}/metrics")
    columns = st.columns(2, gap="large")
    views = list(about.figures(evaluation))
    for number, view in enumerate(one for one in views if not isinstance(one, Grid)):
        with columns[number % 2]:
            draw(view, f"{key}/{view.title}")
    for view in (one for one in views if isinstance(one, Grid)):
        draw(view, f"{key}/{view.title}")
    if evaluation.comparisons:
        draw(about.metric_grid(evaluation.comparisons, "Other models on the same rows"), f"{key}/compared")
    if evaluation.subgroups:
        draw(about.metric_grid(evaluation.subgroups, "Subgroups"), f"{key}/subgroups")


def _training(bundle: Bundle, key: str) -> None:
    if bundle.history.empty:
        st.info("This model keeps no history of its training.")
        return
    st.caption("Solid: training. Dashed: validation, rows that the weights were not fitted to.")
    about.show_learning_curves(bundle.history, key)
    st.download_button(
        "Download the history", safe_csv(bundle.history), file_name=f"{bundle.name}-history.csv",
        mime="text/csv", icon=":material/download:", on_click="ignore", key=f"{key}/history",
    )  # fmt: skip


def _card(bundle: Bundle, key: str) -> None:
    data = bundle.info.data
    st.markdown(f"**Data:** {data.name}, {data.rows:,} examples of {data.groups:,} groups")
    st.markdown(f"**Licence:** {data.licence}. **Source:** {data.source}")
    st.download_button(
        "Download the card", bundle.card, file_name=f"{bundle.name}-card.md", mime="text/markdown",
        icon=":material/download:", on_click="ignore", key=f"{key}/card",
    )  # fmt: skip
    with st.container(border=True):
        st.markdown(bundle.card)
