"""Settings of runs against a figure: parallel coordinates, a line a run."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from healthdash.ui.charts import laid_out
from healthdash.ui.palette import Paper

__all__ = ["figure"]

# Viridis' ends are far apart in brightness, so that the order is seen without colour too.
_SCALE = "Viridis"


def figure(table: pd.DataFrame, paper: Paper) -> go.Figure:
    """Return an axis for each column; lines are coloured by the last one, the figure.

    Parameters
    ----------
    table : table, a row a run
        Numbers and texts, as `runs.compare.settings_against` returns them.
    """
    measure = table.columns[-1]
    lines = go.Parcoords(
        dimensions=[_axis(str(name), table[name]) for name in table.columns],
        line={"color": table[measure], "colorscale": _SCALE, "showscale": len(table) > 1},
        labelfont={"color": paper.ink},
        tickfont={"color": paper.ink},
        rangefont={"color": paper.muted},
    )
    drawn = go.Figure(lines)
    laid_out(drawn, height=380, paper=paper)
    drawn.update_layout(margin={"l": 70, "r": 60, "t": 70, "b": 30})
    return drawn


def _axis(name: str, column: pd.Series) -> dict[str, object]:
    """Return an axis; texts stand at whole numbers."""
    if pd.api.types.is_numeric_dtype(column):
        return {"label": name, "values": column}
    texts = sorted(set(column))
    return {
        "label": name,
        "values": [texts.index(text) for text in column],
        "tickvals": list(range(len(texts))),
        "ticktext": texts,
    }
