"""A picture with its explanation as a figure: zoom, and values with units under the pointer."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from healthdash.ui import radiograph
from healthdash.ui.charts import readable
from healthdash.ui.palette import Paper
from healthdash.views import Picture

__all__ = ["Regions", "figure", "png", "squares"]

#: Squares along the longer side that have a value of their own under the pointer.
_SQUARES = 32
_HEIGHT_PX = 520


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of a picture that have a share each.

    Attributes
    ----------
    owner : intp (height, width)
        Number of each pixel's region, at the size of the network's input.
    names : sequence of str
    shares : float32 (n_regions,), probability
    """

    owner: NDArray[np.intp]
    names: Sequence[str]
    shares: NDArray[np.float32]

    def told(self, rows: int, columns: int) -> list[list[str]]:
        """Return what each square of a picture says: the region in its middle, and that region's share."""
        down, right = (
            ((np.arange(n) + 0.5) * side / n).astype(int)
            for n, side in zip((rows, columns), self.owner.shape, strict=True)
        )
        words = [
            f"{name}<br>its share: {100 * float(share):+.2f} percentage points"
            for name, share in zip(self.names, self.shares, strict=True)
        ]
        return [[words[number] for number in row] for row in self.owner[np.ix_(down, right)].tolist()]


def figure(
    view: Picture,
    look: radiograph.Look,
    paper: Paper,
    n_shares: int = 0,
    regions: Regions | None = None,
) -> go.Figure:
    """Return the picture as a reader wants to see it, with values of squares under the pointer.

    Parameters
    ----------
    n_shares : int
        How many values of the network's input the heat stands for, when they are shares of the
        probability: then a square says the sum of those in it. 0: a square says its mean.
    regions : Regions or None
        Where regions have a share each, a square says that of its region.
    """
    pixels = radiograph.rendered(view, look)
    height, width = pixels.shape[:2]
    drawn = go.Figure()
    drawn.add_layout_image(
        source=f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}", xref="x", yref="y",
        x=0, y=0, sizex=width, sizey=height, sizing="stretch", layer="below",
    )  # fmt: skip
    _add_values(drawn, view, height, width, n_shares, regions)
    drawn.update_layout(
        height=_HEIGHT_PX, margin={"l": 0, "r": 0, "t": 26, "b": 0}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)", font={"color": paper.ink},
    )  # fmt: skip
    readable(drawn, paper)
    drawn.update_xaxes(visible=False, range=[0, width], constrain="domain")
    drawn.update_yaxes(visible=False, range=[height, 0], scaleanchor="x", constrain="domain")
    return drawn


def squares(values: NDArray[Any], rows: int, columns: int) -> NDArray[np.float64]:
    """Return the mean of each square of a picture, (rows, columns), rows and columns at most its sides."""
    down, right = (
        np.arange(n) * length // n for n, length in zip((rows, columns), values.shape, strict=True)
    )
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), down, axis=0), right, axis=1)
    counts = np.outer(np.diff([*down, values.shape[0]]), np.diff([*right, values.shape[1]]))
    return np.asarray(sums / counts, np.float64)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a picture as a PNG file without any header of where it came from."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _add_values(
    drawn: go.Figure, view: Picture, height: int, width: int, n_shares: int, regions: Regions | None
) -> None:
    """Lay invisible squares over the picture that say their values."""
    grey = view.pixels if view.pixels.ndim == 2 else view.pixels.mean(axis=2)
    scale = _SQUARES / max(height, width)
    rows, columns = (max(1, min(round(scale * n), *sides)) for n, sides in _sides(view, grey, height, width))
    values = squares(np.nan_to_num(grey), rows, columns)
    told = f"{view.unit} %{{customdata:.4g}}"
    shares = np.zeros_like(values)
    if view.heat is not None:
        shares = squares(view.heat, rows, columns)
        if regions is not None:
            told += "<br>%{text}"
        elif n_shares:
            shares *= 100 * n_shares / shares.size
            told += "<br>share of this square: %{z:+.3f} percentage points"
        else:
            told += "<br>value of this square: %{z:+.4g}"
    drawn.add_trace(
        go.Heatmap(
            z=shares,
            customdata=values,
            text=None if regions is None else regions.told(rows, columns),
            opacity=0,
            showscale=False,
            hovertemplate=f"{told}<extra></extra>",
            x0=width / columns / 2,
            dx=width / columns,
            y0=height / rows / 2,
            dy=height / rows,
        )
    )


def _sides(view: Picture, grey: NDArray[Any], height: int, width: int) -> list[tuple[int, tuple[int, ...]]]:
    """Return each side of the figure, with the sides of the arrays that are cut into squares."""
    heat = grey if view.heat is None else view.heat
    return [(height, (grey.shape[0], heat.shape[0])), (width, (grey.shape[1], heat.shape[1]))]
