"""What a model is and how well it did, in the words and figures of its bundle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from healthdash import settings, tasks
from healthdash.bundles import Bundle
from healthdash.training.evaluation import Evaluation, MetricRow, Points, ReliabilityBin
from healthdash.training.explained import ExplanationQuality
from healthdash.ui.draw import draw
from healthdash.views import Curve, Curves, Grid, Matrix, View

__all__ = ["expander", "figures", "headline", "in_words", "learning_curves", "model_words"]

_HEADLINES = 2
#: Columns of a history that are no curve.
_NO_CURVE = ("run", "epoch", "learning_rate")
#: More runs than this are drawn as their mean and a band.
_MOST_RUNS = 4


def expander(bundle: Bundle) -> None:
    """Show a model's key figures and its card, folded."""
    with st.expander("About this model", icon=":material/info:"):
        for row in headline(bundle):
            st.markdown(f"- {in_words(row)}")
        st.page_link(
            "pages/models.py",
            label="All figures, curves and the training of this model",
            icon=":material/monitoring:",
            query_params={"model": f"{bundle.info.task}/{bundle.name}"},
        )
        st.markdown(bundle.card)


def model_words(bundle: Bundle, name: str = "") -> str:
    """Return what tells a model from others: its title, its name, and whether it is one of the user's own.

    Parameters
    ----------
    name : str
        What it is called where models of several tasks are offered; "" takes its own name.
    """
    own = ", your own" if settings.current().own_models in bundle.path.parents else ""
    return f"{bundle.info.title} ({name or bundle.name}{own})"


def headline(bundle: Bundle) -> Sequence[MetricRow]:
    """Return the figures that the task names, or a recipe put first, without those of the usual class.

    The usual class is the first label.
    """
    rows = bundle.evaluation.metrics
    named = {row.name: row for row in rows}
    key_figures = [named[name] for name in tasks.get(bundle.info.task).key_figures if name in named]
    if key_figures:
        return key_figures
    unusual = [row for row in rows if not row.name.startswith(f"{bundle.info.labels[0]} ")]
    return unusual[: _HEADLINES if len(unusual) == len(rows) else 2 * _HEADLINES]


def in_words(row: MetricRow) -> str:
    """Return a figure with its interval and what it was measured on."""
    interval = f" ({number(row.low)} to {number(row.high)})" if _known(row) else ""
    # A line of a narrow card ends before "n" and not within "n = 522".
    count = f"n = {row.n:,}".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{row.name} **{number(row.value)}**{interval}, {row.part}, {count}"


def number(value: float | None) -> str:
    """Return a figure with three decimals, a count without."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _known(row: MetricRow) -> bool:
    return row.low is not None and row.high is not None and math.isfinite(row.low)


def metric_grid(rows: Sequence[MetricRow], title: str) -> Grid:
    """Return figures as a table."""
    frame = pd.DataFrame(
        {
            "measure": [row.name for row in rows],
            "value": [number(row.value) for row in rows],
            "95 % interval": [f"{number(r.low)} to {number(r.high)}" if _known(r) else "–" for r in rows],
            "n": [row.n for row in rows],
            "measured on": [row.part for row in rows],
            "note": [row.note for row in rows],
        }
    )
    return Grid(title=title, frame=frame)


def figures(evaluation: Evaluation) -> Iterator[View]:
    """Yield the curves and tables of an evaluation, those that it holds."""
    if evaluation.roc:
        caption = "The dotted line is chance."
        yield _points("ROC", evaluation.roc, "1 − specificity", "sensitivity", True, caption)
    if evaluation.precision_recall:
        yield _points("Precision and recall", evaluation.precision_recall, "recall", "precision", False, "")
    if evaluation.confusion:
        yield Matrix(
            title="Confusion matrix",
            caption="Rows are the truth, columns the model output at its operating points.",
            labels=evaluation.confusion.labels,
            counts=np.array(evaluation.confusion.counts, np.int64),
        )
    if evaluation.reliability:
        yield Curves(
            title="Reliability",
            caption="A calibrated model lies on the dotted line. Bars are 95 % intervals.",
            curves=tuple(_reliability(name, bins) for name, bins in evaluation.reliability.items()),
            x_label="estimated probability",
            y_label="observed frequency",
            diagonal=True,
        )
    if evaluation.explanations:
        yield quality_grid(evaluation.explanations)


def quality_grid(quality: ExplanationQuality) -> Grid:
    """Return how good each method's explanations are, as a table."""
    from healthdash.judging.averages import than_chance

    def told(titles: Sequence[str], words: str) -> str:
        return f"The explanations by {' and '.join(titles)} {words}. " if titles else ""

    doubted = [method.title for method in quality.methods if method.is_doubtful]
    doubt = told(doubted, "say little about this model")
    for degree in ("hardly better than chance", "worse than chance"):
        named = [m.title for m in quality.methods if m.beaten and than_chance(m.beaten) == degree]
        doubt += told(named, f"name what it uses {degree}")
    return Grid(
        title="How good its explanations are",
        caption=f"{doubt}{quality.words} {quality.agreement_words} The card says what the columns mean.",
        frame=pd.DataFrame([method.row() for method in quality.methods]),
    )


def _points(title: str, lines: dict[str, Points], x: str, y: str, diagonal: bool, caption: str) -> Curves:
    curves = tuple(Curve(name=name, x=np.array(p.x), y=np.array(p.y)) for name, p in lines.items())
    return Curves(title=title, curves=curves, x_label=x, y_label=y, diagonal=diagonal, caption=caption)


def _reliability(name: str, bins: Sequence[ReliabilityBin]) -> Curve:
    return Curve(
        name=name,
        x=np.array([b.predicted for b in bins]),
        y=np.array([b.observed for b in bins]),
        low=np.array([b.low for b in bins]),
        high=np.array([b.high for b in bins]),
        points=True,
    )


def learning_curves(history: pd.DataFrame) -> Iterator[Curves]:
    """Yield one plot a measure: training solid, validation dashed, the best epoch marked.

    Parameters
    ----------
    history : table
        One row an epoch; `run` tells members and folds apart, `val_loss` goes with `loss`.
    """
    if history.empty or "epoch" not in history:
        return
    measures = [c for c in history.columns if c not in _NO_CURVE and not c.startswith("val_")]
    runs = history["run"].nunique() if "run" in history else 1
    best = _best_epoch(history)
    for measure in measures:
        curves = tuple(_joined(history, measure) if runs > _MOST_RUNS else _lines(history, measure))
        if curves:
            yield Curves(
                title=measure.replace("_", " ").capitalize(),
                caption=f"Mean, lowest and highest of {runs} runs." if runs > _MOST_RUNS else "",
                curves=curves,
                x_label="epoch",
                y_label=measure.replace("_", " "),
                mark_x=best,
                mark_label=f"best epoch {best:g}" if best is not None else "",
            )


def _best_epoch(history: pd.DataFrame) -> float | None:
    """Return the epoch of the lowest validation loss; of the lowest mean where there are several runs.

    A run that stopped early is taken to have stayed at its last loss.
    """
    if "val_loss" not in history or history["val_loss"].isna().all():
        return None
    runs = history["run"] if "run" in history else pd.Series("", index=history.index)
    losses = history.assign(run=runs).pivot_table("val_loss", "epoch", "run").ffill()
    return float(losses.index.to_numpy(float)[losses.mean(axis=1).argmin()])


def _lines(history: pd.DataFrame, measure: str) -> Iterator[Curve]:
    """Yield the training and the validation curve of each run."""
    runs = history.groupby("run", sort=False) if "run" in history else [("", history)]
    for run, part in runs:
        for column, word in ((measure, "training"), (f"val_{measure}", "validation")):
            known = part[part[column].notna()] if column in part else part.iloc[:0]
            if len(known):
                yield Curve(
                    name=f"{run} {word}".strip(),
                    x=known["epoch"].to_numpy(float),
                    y=known[column].to_numpy(float),
                    dashed=word == "validation",
                )


def _joined(history: pd.DataFrame, measure: str) -> Iterator[Curve]:
    """Yield the mean over many runs with the band from the lowest to the highest."""
    for column, word in ((measure, "training"), (f"val_{measure}", "validation")):
        if column in history and history[column].notna().any():
            over = history.groupby("epoch")[column].agg(["mean", "min", "max"]).dropna()
            yield Curve(
                name=word,
                x=over.index.to_numpy(float),
                y=over["mean"].to_numpy(float),
                low=over["min"].to_numpy(float),
                high=over["max"].to_numpy(float),
                dashed=word == "validation",
            )


def show_learning_curves(history: pd.DataFrame, key: str) -> None:
    """Draw the training of a model: the measures side by side."""
    columns = st.columns(2)
    for number_, view in enumerate(learning_curves(history)):
        with columns[number_ % 2]:
            draw(view, f"{key}/{view.title}")
