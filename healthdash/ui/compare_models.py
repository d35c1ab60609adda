"""Models of one task beside each other: their stored curves, and in pairs on data of the user."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
import streamlit as st

from healthdash import archive, comparison, settings, tasks
from healthdash.apart import leftovers
from healthdash.bundles import Bundle
from healthdash.comparison import CAUTION, Comparison
from healthdash.task import Upload
from healthdash.training import TrainSettings
from healthdash.training.evaluation import Points, ReliabilityBin
from healthdash.ui import problems, state
from healthdash.ui.draw import draw
from healthdash.views import Curve, Curves

__all__ = ["reliability_curves", "roc_curves", "section"]

_MOST = 6
_WORK = "work:comparison"
_WIDGET = "models:comparison"
_OWN_ROWS = (
    "Each curve is of the model's own test items, as its card tells: of other items each may look better "
    "or worse. Which model is better can be told only on the same items, below."
)


def section(shown: Bundle, bundles: Sequence[Bundle]) -> None:
    """Offer to compare a model with others of its task; shows nothing where there is no other."""
    others = {bundle.name: bundle for bundle in bundles if bundle.name != shown.name}
    if not others:
        return
    st.subheader("Compare", anchor=False)
    chosen = st.multiselect(
        "With which other models of this task", list(others), max_selections=_MOST - 1,
        format_func=lambda name: others[name].info.title + f" ({name})", placeholder="One or more",
        key=f"compare:{shown.info.task}/{shown.name}",
    )  # fmt: skip
    if not chosen:
        return
    compared = [shown, *(others[name] for name in chosen)]
    _stored(compared)
    _paired(compared)


def _stored(compared: Sequence[Bundle]) -> None:
    """Draw the curves that the bundles keep, one plot a label that all of them were measured on."""
    by_name = {bundle.name: bundle.evaluation for bundle in compared}
    labels = [
        label for label in by_name[compared[0].name].roc if all(label in e.roc for e in by_name.values())
    ]
    if not labels:
        st.info("These models were measured on other labels: their stored curves say nothing together.")
        return
    label = _label(labels, "stored")
    left, right = st.columns(2, gap="large")
    with left:
        draw(roc_curves({name: e.roc[label] for name, e in by_name.items()}, label), "compared/roc")
    with right:
        bins = {name: e.reliability[label] for name, e in by_name.items() if label in e.reliability}
        draw(reliability_curves(bins, label), "compared/reliability")
    st.caption(_OWN_ROWS)


def _label(labels: Sequence[str], key: str) -> str:
    if len(labels) == 1:
        return labels[0]
    chosen: str = st.selectbox("Label", labels, key=f"compared:{key}:label")
    return chosen


def roc_curves(lines: Mapping[str, Points], label: str) -> Curves:
    """Return the ROC of several models over one pair of axes."""
    curves = tuple(Curve(name=name, x=np.array(p.x), y=np.array(p.y)) for name, p in lines.items())
    return Curves(
        title=f"ROC: {label}", caption="The dotted line is chance.", curves=curves,
        x_label="1 − specificity", y_label="sensitivity", diagonal=True,
    )  # fmt: skip


def reliability_curves(bins: Mapping[str, Sequence[ReliabilityBin]], label: str) -> Curves:
    """Return how often several models were right, by what they estimated."""
    curves = tuple(
        Curve(
            name=name, points=True,
            x=np.array([one.predicted for one in found]), y=np.array([one.observed for one in found]),
            low=np.array([one.low for one in found]), high=np.array([one.high for one in found]),
        )
        for name, found in bins.items()
    )  # fmt: skip
    return Curves(
        title=f"Reliability: {label}",
        caption="A calibrated model lies on the dotted line. Bars are 95 % intervals.",
        curves=curves, x_label="estimated probability", y_label="observed frequency", diagonal=True,
    )  # fmt: skip


def _paired(compared: Sequence[Bundle]) -> None:
    """Compare the models on labelled data that the reader gives."""
    st.markdown(f"**Which one is better, on the same labelled data?** {CAUTION}")
    task = tasks.get(compared[0].info.task)
    uploaded = st.file_uploader(
        "Labelled data for the comparison", key=state.fresh_key(_WIDGET),
        max_upload_size=settings.current().max_upload_mb,
    )  # fmt: skip
    target, group = None, None
    if task.kind == "records":
        left, right = st.columns(2)
        target = left.text_input("Column of the outcome", placeholder="as the model", key="compared:target")
        group = right.text_input("Column of the patient", placeholder="as the model", key="compared:group")
    of = (hashlib.sha256(uploaded.getvalue()).hexdigest() if uploaded else "", target, group)
    if st.button("Compare on these data", icon=":material/balance:", disabled=uploaded is None):
        assert uploaded is not None
        # Neither a name nor a value of the file is kept; only its ending says what kind of table it is.
        given = Upload(f"data{PurePath(uploaded.name).suffix.lower()[:8]}", uploaded.getvalue())
        chosen = TrainSettings(target=target or None, group=group or None)
        with problems.shown(), st.spinner("Running the models", show_time=True):
            st.session_state.pop(_WORK, None)
            st.session_state[_WORK] = (_names(compared), of, _compared(compared, given, chosen))
    held = st.session_state.get(_WORK)
    # Without an upload, as after another page, what was compared last still stands.
    if held is not None and held[0] == _names(compared) and (uploaded is None or held[1] == of):
        _result(held[2])


def _names(compared: Sequence[Bundle]) -> str:
    return hashlib.sha256("/".join(bundle.info.sha256 for bundle in compared).encode()).hexdigest()


def _compared(compared: Sequence[Bundle], given: Upload, chosen: TrainSettings) -> Comparison:
    task = tasks.get(compared[0].info.task)
    with leftovers.made() as folder:
        path = archive.placed(given.name, given.data, folder)
        return comparison.compare(task, compared, path, chosen)


def _result(found: Comparison) -> None:
    """Show the differences in words, then the curves on the same items."""
    st.caption(f"{found.items:,} items of {found.groups:,} groups; whole groups are drawn for the intervals.")
    for pair, differences in found.differences.items():
        for one in differences:
            icon = ":material/balance:" if one.winner is None else ":material/trending_up:"
            st.markdown(f"{icon} {problems.sentence(one.words(pair))}")
    label = _label(list(found.roc), "paired")
    left, right = st.columns(2, gap="large")
    with left:
        draw(roc_curves(found.roc[label], label), "paired/roc")
    with right:
        draw(reliability_curves(found.reliability[label], label), "paired/reliability")
