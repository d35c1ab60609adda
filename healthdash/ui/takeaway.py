"""What a reader takes away: a table, a picture, and a report that opens without any network.

A file's name and header may name a patient: neither is in any of them.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from healthdash import DISCLAIMER, __version__, explain
from healthdash.ui import charts, ecg_paper, heatmap, share_charts
from healthdash.ui.downloads import safe_csv
from healthdash.ui.explaining import base_in_words
from healthdash.ui.palette import LIGHT
from healthdash.ui.radiograph import Look, default_window, rendered, suited
from healthdash.views import Grid, Picture, Trace, View, Waterfall

if TYPE_CHECKING:
    from healthdash.explain import Explanation
    from healthdash.ui.shown import Shown

__all__ = ["csv", "html", "png"]

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_LINES = 40
_TRACE_S = 30.0


def csv(shown: Sequence[Shown]) -> bytes:
    """Return every value of the explanations, one line each, with what they are of."""
    return safe_csv(pd.concat([_lines(one) for one in shown], ignore_index=True))


def png(shown: Sequence[Shown], look: Look | None) -> bytes:
    """Return the explanations side by side as a picture, with what they are of and the disclaimer."""
    from healthdash.ui import plots  # matplotlib takes its time

    columns = [plots.Column(_title(one), _small_print(one), one.views) for one in shown]
    return plots.png(columns, look, DISCLAIMER)


def html(shown: Sequence[Shown], look: Look | None, address: str = "") -> bytes:
    """Return one page that holds everything it shows: figures with their values under the pointer.

    Parameters
    ----------
    address : str
        Of the view in the app; holds choices, never an input.
    """
    from plotly.offline import get_plotlyjs

    from healthdash.ui import shown as ready

    scale = ready.scale_in_words([one.report for one in shown])
    templates = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    text = templates.get_template("explanation.html").render(
        title=f"{shown[0].side.task.title}: what moved the model's output",
        disclaimer=DISCLAIMER,
        version=__version__,
        made=datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        address=address,
        scale=scale,
        sides=[_section(one, look) for one in shown],
        plotly=Markup(get_plotlyjs()),  # noqa: S704  (the library's own script)
    )
    return text.encode()


def _lines(one: Shown) -> pd.DataFrame:
    explanation, side, lines = one.explanation, one.side, one.lines
    return pd.DataFrame(
        {
            "input": _input(one),
            "class": explanation.target,
            "feature": [line.feature for line in lines],
            "value": [line.value for line in lines],
            "share": [line.attribution for line in lines],
            "base": explanation.base,
            "output": explanation.output,
            "residual": explanation.residual,
            "method": explanation.method,
            "samples": explanation.samples,
            "model": side.bundle.name,
            "sha256": side.bundle.info.sha256,
            "note": DISCLAIMER,
        }
    )


def _stand_in(explanation: Explanation) -> str:
    if not explain.uses(explanation.method, "baseline"):
        return "nothing is left out"
    return explanation.baseline or "the background stored with the model"


def _division(one: Shown) -> str:
    players = one.explanation.players
    return f"{len(players)} {players.title}" if players is not None else "each value of the input"


def _title(one: Shown) -> str:
    return f"{explain.title(one.explanation.method)}: {one.side.target_words}"


def _small_print(one: Shown) -> str:
    explanation, info = one.explanation, one.side.bundle.info
    return (
        f"{info.title}, sha256 {info.sha256[:12]}. {explanation.method}, {explanation.samples:,} evaluations."
        " "
        f"{base_in_words(explanation).capitalize()} {charts.percent(explanation.base)}, "
        f"output {charts.percent(explanation.output)}, {_residual(one)}."
    )


def _residual(one: Shown) -> str:
    residual = one.explanation.residual
    if np.isnan(residual):
        return "values are no shares of the output"
    points = round(100 * residual, 3) + 0.0  # -0.0 reads as if something were wrong
    return f"residual {points:+.3f} percentage points"


def _input(one: Shown) -> str:
    """Say what was explained without the name of a file."""
    work = one.side.work
    kind = f"synthetic sample {work.title}" if work.origin.startswith("sample:") else "an input of the reader"
    return f"{kind}, {one.side.item_words}".rstrip(", ")


def _heading(one: Shown) -> str:
    """Return what tells a side from the other one, without the name of a file."""
    if one.heading == one.side.input_words:
        words = _input(one)
        return f"{words[0].upper()}{words[1:]}"
    return one.heading or _title(one)


def _section(one: Shown, look: Look | None) -> dict[str, Any]:
    """Return what the template shows of one side."""
    explanation, info = one.explanation, one.side.bundle.info
    facts = {
        "Task": one.side.task.title,
        "Input": _input(one),
        "Model": f"{info.title} ({one.side.bundle.name})",
        "sha256 of the weights": info.sha256,
        "Trained on": f"{info.data.name}, {info.data.licence}",
        "Class": one.side.target_words,
        "Estimated probability": charts.percent(explanation.output),
        f"{base_in_words(explanation).capitalize()} output": charts.percent(explanation.base),
        "Method": f"{explain.title(explanation.method)} ({explanation.method})",
        "Samples asked for": f"{one.side.asked.samples:,}",
        "Model evaluations": f"{explanation.samples:,} in {explanation.seconds:.1f} s",
        "Who shares it out": _division(one),
        "Stands in for what is left out": _stand_in(explanation),
        "Residual": _residual(one),
    }
    lines = sorted(one.lines, key=lambda line: -abs(line.attribution))
    return {
        "heading": _heading(one),
        "facts": facts,
        "figures": [_figure(view, look, one) for view in one.views],
        "lines": lines[:_MOST_LINES],
        "left_out": max(0, len(lines) - _MOST_LINES),
        "checks": one.checks,
        "doubt": one.doubt,
        "limits": info.limits,
        "intended_use": info.intended_use,
    }


def _figure(view: View, look: Look | None, one: Shown) -> dict[str, Any]:
    """Return a view as a figure, a picture or a table, whichever it is."""
    made: dict[str, Any] = {
        "title": view.title,
        "caption": view.caption,
        "plot": "",
        "picture": "",
        "table": None,
    }
    if isinstance(view, Picture):
        seen = suited(look or Look(default_window(view)), view)
        made["plot"] = _plot(heatmap.figure(view, seen, LIGHT, one.n_shares, one.regions))
        made["picture"] = _data_uri(heatmap.png(rendered(view, seen)))
    elif isinstance(view, Waterfall):
        made["plot"] = _plot(share_charts.waterfall(view, LIGHT))
    elif isinstance(view, Trace):
        length_s = min(len(view.signal) / view.rate_hz, _TRACE_S)
        made["plot"] = _plot(ecg_paper.figure(view, 0.0, length_s, LIGHT))
    elif isinstance(view, Grid):
        made["table"] = view.frame.head(_MOST_LINES)
    return made


def _plot(figure: Any) -> Markup:
    """Return a figure as HTML; Plotly escapes what stands in it."""
    config = {"displaylogo": False, "responsive": True}
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, config=config))  # noqa: S704


def _data_uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
