"""What people see of a picture, of the model's output, and of where the model looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from healthdash import DISCLAIMER
from healthdash.bundles import Bundle
from healthdash.explain import Explanation
from healthdash.task import Attribution, Prediction, Report
from healthdash.views import (
    ClassBars,
    GreyTable,
    Grid,
    Header,
    HeaderEntry,
    Metric,
    Metrics,
    Notice,
    Picture,
    Profile,
    Sections,
    View,
    Volume,
    Window,
)

from .along import suspicion
from .prepare import INPUT
from .sample import Document, ImageSample, VoiLut
from .volume import VolumeSample
from .windows import of_file, windows_of

__all__ = ["cells", "of_document", "render", "show"]

#: Cells of the explanation on the command line: so many rows and columns.
CELLS = 16
_LARGEST_GREY = 255
_CAPTION = f"As given. {DISCLAIMER}"
# Pixels of the network are smoothed over about this share of the picture: single ones are noise.
_SMOOTHED_SHARE = 1 / 64


def of_document(document: Document) -> tuple[View, ...]:
    """Return the text of a report, a line a row; nothing of what holds no text."""
    lines = document.text.replace("  ", "\u2003").splitlines()  # spaces at the start of a cell are not shown
    if not lines:
        return ()
    caption = "Names and identifiers are left out. No model reads this text."
    return (Grid(title="Text of the report", caption=caption, frame=pd.DataFrame({document.content: lines})),)


def show(sample: ImageSample | VolumeSample, trained_window: Window | None = None) -> tuple[View, ...]:
    """Return the picture or volume as its readers expect it, with what the file says about it.

    Parameters
    ----------
    trained_window : Window or None
        Offered too for values in HU: what the model sees.
    """
    notices = [Notice(level="info", text=text) for text in sample.notices]
    if isinstance(sample, VolumeSample):
        told = _facts(sample.slice(len(sample) // 2), _part_of(sample))
        return (_volume(sample, trained_window), *notices, told, *_header(sample.header))
    return (_picture(sample, trained_window), *notices, _facts(sample), *_header(sample.header))


def render(report: Report, bundle: Bundle, trained_window: Window | None = None, item: int = 0) -> Sections:
    """Return the views of a report: the picture, the output, where the model looked."""
    sample = report.sample
    if not isinstance(sample, ImageSample | VolumeSample):
        return Sections()
    result: list[View] = []
    if report.gate is not None and report.gate.verdict == "warn":
        result += [Notice(level="warning", text=_sentence(reason)) for reason in report.gate.reasons]
    if report.prediction is not None:
        result += _output(report.prediction, bundle, item)
    explanation: tuple[View, ...] = ()
    if report.explanation is not None:
        number = _slice_of(report, item)
        shown = sample.slice(number) if isinstance(sample, VolumeSample) else sample
        explanation = _explained(shown, report.explanation, trained_window)
    picture, *others = show(sample, trained_window)
    return Sections((_seen(picture, report, item), *others), tuple(result), explanation)


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
    aspect = sample.spacing_mm[0] / sample.spacing_mm[1] if sample.spacing_mm else sample.aspect
    is_colour = sample.colours is not None
    return Picture(
        title="Picture",
        caption=_CAPTION,
        pixels=sample.pixels if sample.colours is None else sample.colours,
        unit="grey value" if is_colour else sample.unit,
        windows=() if is_colour else tuple(windows_of(sample, trained_window)),
        invert=sample.invert and not is_colour,
        aspect=aspect,
        spacing_mm=sample.spacing_mm,
        distances=sample.distances,
        table=None if is_colour else _table(sample.voi_lut),
        padding=sample.padding,
    )


def _volume(sample: VolumeSample, trained_window: Window | None) -> Volume:
    middle = len(sample) // 2
    windows = () if sample.colours else tuple(windows_of(sample.slice(middle), trained_window))
    own = [of_file(sample.slice_windows[k][:1], sample.function) for k in range(len(sample.slice_windows))]
    return Volume(
        title="Cine" if sample.is_time else "Volume",
        caption=_CAPTION,
        voxels=sample.voxels,
        slopes=sample.slopes,
        intercepts=sample.intercepts,
        unit=sample.unit,
        windows=windows,
        slice_windows=tuple(window for found in own for window in found) if own and all(own) else (),
        table=None if sample.colours else _table(sample.voi_lut),
        invert=sample.invert and not sample.colours,
        padding=sample.padding,
        spacing_mm=sample.spacing_mm,
        steps_mm=sample.steps_mm,
        aspect=sample.aspect,
        distances=sample.distances,
        directions=sample.directions,
        is_time=sample.is_time,
        frame_time_ms=sample.frame_time_ms,
        start=middle,
    )


def _seen(view: View, report: Report, item: int) -> View:
    """Add what the network saw, and of a volume the probability along its slices."""
    inputs = None if report.inputs is None else report.inputs.get(INPUT)
    grey = None if inputs is None else _bytes_of(inputs)
    prediction = report.prediction
    if isinstance(view, Picture):
        return view if grey is None else replace(view, model_input=grey[item])
    if not isinstance(view, Volume) or prediction is None:
        return view
    label, values = suspicion(prediction)
    profile = Profile(label=label, slices=prediction.items, values=values)
    start = int(prediction.items[item])
    return replace(view, profile=profile, start=start, model_inputs=grey, model_slices=prediction.items)


def _slice_of(report: Report, item: int) -> int:
    return 0 if report.prediction is None else int(report.prediction.items[item])


def _bytes_of(inputs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return what the network saw as grey bytes, (n, height, width)."""
    grey = inputs.mean(axis=-1)
    return np.asarray(np.rint(_LARGEST_GREY * np.clip(grey, 0, 1)), np.uint8)


def _table(voi_lut: VoiLut | None) -> GreyTable | None:
    return None if voi_lut is None else GreyTable(first=voi_lut.first, levels=voi_lut.levels)


def _facts(sample: ImageSample, more: Sequence[tuple[str, str]] = ()) -> Grid:
    """Return what the file says, without anything that names the patient."""
    rows = [("Format", sample.format), *sample.facts, *more, ("Values shown in", sample.unit)]
    if sample.spacing_mm:
        rows.append(("Pixel spacing", f"{sample.spacing_mm[0]:.3g} x {sample.spacing_mm[1]:.3g} mm"))
    if sample.frames > 1:
        rows.append(("Frame", f"{sample.frame + 1} of {sample.frames}"))
    stored = sample.stored
    rows.append(("Stored values", f"{stored.minimum:g} to {stored.maximum:g} ({stored.dtype})"))
    frame = pd.DataFrame(rows, columns=["Property", "Value"]).drop_duplicates("Property")
    return Grid(title="What the file says", frame=frame)


def _part_of(sample: VolumeSample) -> list[tuple[str, str]]:
    return [("Volume", f"{sample.part + 1} of {sample.parts}")] if sample.parts > 1 else []


def _header(entries: tuple[HeaderEntry, ...]) -> tuple[View, ...]:
    return (Header(entries=entries),) if entries else ()


def _output(prediction: Prediction, bundle: Bundle, item: int) -> list[View]:
    """Return one bar a label, and the figure of each group of labels."""
    probabilities = prediction.probabilities(item)
    points = {point.label: point for point in bundle.info.operating_points}
    groups = [
        _group(name, members, probabilities, points[name].threshold if name in points else None)
        for name, members in bundle.info.label_groups.items()
    ]
    # The point of a group is told beside the group's sum.
    alone = next((point for name, point in points.items() if name in probabilities), None)
    bars = ClassBars(
        title="Estimated probability",
        caption="Model output, not a diagnosis.",
        labels=tuple(probabilities),
        probabilities=tuple(probabilities.values()),
        predicted=prediction.label(item),
        threshold=alone.threshold if alone else None,
        threshold_label=alone.label if alone else None,
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
    picture = replace(
        shown,
        title=f"What spoke for and against {explanation.target}{_where(sample)}",
        caption="Where the model looked, not where the disease is. Model output, not a diagnosis.",
        heat=_on_picture(heat, sample.pixels.shape),
        heat_label=explanation.target,
    )
    return picture, _sums(explanation)


def _where(sample: ImageSample) -> str:
    """Return which slice was explained, for the words of its volume stand beside it."""
    return f", slice {sample.frame + 1} of {sample.frames}" if sample.frames > 1 else ""


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
