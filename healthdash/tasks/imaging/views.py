"""What people see of a picture, of the model's output, and of where the model looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from healthdash.bundles import Bundle
from healthdash.explain import Explanation
from healthdash.task import Attribution, Prediction, Report
from healthdash.views import ClassBars, Grid, Metric, Metrics, Notice, Picture, Sections, View, Window

from .sample import ImageSample, stretched

__all__ = ["cells", "render", "show"]

#: Cells of the explanation on the command line: so many rows and columns.
CELLS = 16
#: Usual settings of CT viewers for lung, soft tissue and bone, in HU.
_CT_WINDOWS = (
    Window(name="lung", center=-600, width=1500),
    Window(name="mediastinum", center=40, width=400),
    Window(name="bone", center=400, width=1800),
)
_LARGEST_GREY = 255
# Pixels of the network are smoothed over about this share of the picture: single ones are noise.
_SMOOTHED_SHARE = 1 / 64


def show(sample: ImageSample, trained_window: Window | None = None) -> tuple[View, ...]:
    """Return the picture as its readers expect it, with what the file says about it.

    Parameters
    ----------
    trained_window : Window or None
        Offered too for values in HU: what the model sees.
    """
    notices = [Notice(level="info", text=text) for text in sample.notices]
    return (_picture(sample, trained_window), *notices, _facts(sample))


def render(report: Report, bundle: Bundle, trained_window: Window | None = None) -> Sections:
    """Return the views of a report: the picture, the output, where the model looked."""
    sample = report.sample
    if not isinstance(sample, ImageSample):
        return Sections()
    result: list[View] = []
    if report.gate is not None and report.gate.verdict == "warn":
        result += [Notice(level="warning", text=_sentence(reason)) for reason in report.gate.reasons]
    if report.prediction is not None:
        result += _output(report.prediction, bundle)
    explanation: tuple[View, ...] = ()
    if report.explanation is not None:
        explanation = _explained(sample, report.explanation, trained_window)
    return Sections(show(sample, trained_window), tuple(result), explanation)


def cells(heat: NDArray[np.float32], grey: NDArray[np.float32]) -> list[Attribution]:
    """Sum an explanation over a grid of cells; the shares add up to its total.

    Parameters
    ----------
    heat, grey : float32 (height, width)
        Attribution and grey value of each pixel of the network's input; sides of at least 16.
    """
    rows, columns = (np.array_split(np.arange(n), CELLS) for n in heat.shape)
    return [
        Attribution(
            feature=f"row {r + 1}, column {c + 1}",
            value=round(float(grey[np.ix_(row, column)].mean()), 4),
            attribution=float(heat[np.ix_(row, column)].sum(dtype=np.float64)),
        )
        for r, row in enumerate(rows)
        for c, column in enumerate(columns)
    ]


def _picture(sample: ImageSample, trained_window: Window | None) -> Picture:
    aspect = sample.spacing_mm[0] / sample.spacing_mm[1] if sample.spacing_mm else 1.0
    caption = "As given. For research and education, not for clinical use."
    if sample.colours is not None:
        return Picture(title="Picture", caption=caption, pixels=sample.colours, aspect=aspect)
    pixels, windows = sample.pixels, tuple(_windows(sample, trained_window))
    if sample.voi_lut is not None:  # a table bends the grey scale as no window can
        pixels = sample.voi_lut(pixels) * _LARGEST_GREY
        windows = (Window(name="table of the file", center=_LARGEST_GREY / 2, width=_LARGEST_GREY),)
    return Picture(
        title="Picture",
        caption=caption,
        pixels=pixels,
        unit=sample.unit,
        windows=windows,
        invert=sample.invert,
        aspect=aspect,
    )


def _windows(sample: ImageSample, trained_window: Window | None) -> Sequence[Window]:
    """Return the windows to choose from, each name once; the first is shown."""
    low, high = float(sample.pixels.min()), float(sample.pixels.max())
    full = Window(name="all values", center=(low + high) / 2, width=max(high - low, 1e-6))
    if sample.unit == "HU":
        trained = () if trained_window is None else (trained_window,)
        found = (*trained, *_CT_WINDOWS, *sample.windows, full)
    else:
        fixed = sample.full_scale
        scale = () if fixed is None else (Window(name="full scale", center=sum(fixed) / 2, width=fixed[1]),)
        found = (*sample.windows, *scale, stretched(sample), full)
    return list({window.name: window for window in reversed(found)}.values())[::-1]


def _facts(sample: ImageSample) -> Grid:
    """Return what the file says, without anything that names the patient."""
    rows = [("Format", sample.format), *sample.facts, ("Values shown in", sample.unit)]
    if sample.spacing_mm:
        rows.append(("Pixel spacing", f"{sample.spacing_mm[0]:.3g} x {sample.spacing_mm[1]:.3g} mm"))
    if sample.frames > 1:
        rows.append(("Frame", f"{sample.frame + 1} of {sample.frames}"))
    stored = sample.stored
    rows.append(("Stored values", f"{stored.minimum:g} to {stored.maximum:g} ({stored.dtype})"))
    frame = pd.DataFrame(rows, columns=["Property", "Value"]).drop_duplicates("Property")
    return Grid(title="What the file says", frame=frame)


def _output(prediction: Prediction, bundle: Bundle) -> list[View]:
    """Return one bar a label, and the figure of each group of labels."""
    probabilities = prediction.probabilities()
    points = {point.label: point for point in bundle.info.operating_points}
    groups = [
        _group(name, members, probabilities, points[name].threshold if name in points else None)
        for name, members in bundle.info.label_groups.items()
    ]
    bars = ClassBars(
        title="Estimated probability",
        caption="Model output, not a diagnosis.",
        labels=tuple(probabilities),
        probabilities=tuple(probabilities.values()),
        predicted=prediction.label(),
    )
    return [Metrics(items=tuple(groups)), bars] if groups else [bars]


def _group(
    name: str, members: Sequence[str], probabilities: Mapping[str, float], threshold: float | None
) -> Metric:
    total = sum(probabilities[member] for member in members)
    decided = "" if threshold is None else f" It is decided from {threshold:.0%}, its operating point."
    return Metric(
        label=name.capitalize(),
        value=f"{total:.1%}",
        help=f"Estimated probability of {' or '.join(members)} together.{decided}",
    )


def _explained(
    sample: ImageSample, explanation: Explanation, trained_window: Window | None
) -> tuple[View, ...]:
    heat = next(iter(explanation.values.values())).sum(axis=-1)
    shown = _picture(sample, trained_window)
    picture = Picture(
        title=f"What spoke for and against {explanation.target}",
        caption="Where the model looked, not where the disease is. Model output, not a diagnosis.",
        pixels=shown.pixels,
        unit=shown.unit,
        windows=shown.windows,
        invert=shown.invert,
        aspect=shown.aspect,
        heat=_on_picture(heat, sample.pixels.shape),
        heat_label=explanation.target,
    )
    return picture, _sums(explanation)


def _on_picture(heat: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Smooth the explanation, and stretch it over the picture."""
    from scipy.ndimage import gaussian_filter  # the first page must not wait for it

    smooth = gaussian_filter(heat, heat.shape[0] * _SMOOTHED_SHARE).astype(np.float32)
    stretched_heat = Image.fromarray(smooth).resize(shape[1::-1], Image.Resampling.BILINEAR)
    return np.asarray(stretched_heat, np.float32)


def _sums(explanation: Explanation) -> Metrics:
    output = Metric(label="Output", value=f"{explanation.output:.1%}", help=explanation.target)
    spent = f"{explanation.method}, {explanation.samples} evaluations, {explanation.seconds:.1f} s."
    if not explanation.is_additive:
        return Metrics(
            caption=f"The values of this method do not add up to the output. {spent}", items=(output,)
        )
    total = explanation.output - explanation.base - explanation.residual
    return Metrics(
        caption=f"Start, plus all shares, plus what the method missed, give the output. {spent}",
        items=(
            Metric(label="Start", value=f"{explanation.base:.1%}", help="Mean output for the background."),
            Metric(label="All shares", value=f"{total:+.1%}"),
            Metric(label="Missed", value=f"{explanation.residual:+.2%}", help="The method is sampled."),
            output,
        ),
    )


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."
