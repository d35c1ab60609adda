"""Whether a model of own pictures may see another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Gate

from .familiarity import strangeness
from .gate import SILENT, Finding
from .sample import ImageSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

__all__ = ["judge_own"]

# Standard deviation of grey, and mean difference of the colour channels, over the whole scale.
_SMALLEST_SPREAD, _COLOURED = 0.02, 0.10
_SMALLEST_SHARE, _LONGEST_TIMES = 0.5, 1.6


def judge_own(sample: ImageSample, picture: NDArray[np.float32], bundle: Bundle) -> Gate:
    """Say whether a picture is like those of the training.

    Parameters
    ----------
    picture : float32 (1, size, size, channels), 0 to 1
        The network's input.
    """
    findings = [*_header(sample, bundle), *_form(sample, picture, bundle)]
    if not any(verdict == "refuse" for verdict, _ in findings):
        findings += _content(picture, bundle)
    return Gate.of(
        refuse=[reason for verdict, reason in findings if verdict == "refuse"],
        warn=[reason for verdict, reason in findings if verdict == "warn"],
        hint="This model judges pictures like those it was trained with only." if findings else "",
    )


def _header(sample: ImageSample, bundle: Bundle) -> Iterator[Finding]:
    known = bundle.info.gate.get("modalities", [])
    if known and sample.modality not in (*known, *SILENT):
        yield "refuse", f"expected a picture of {' or '.join(known)}, the file says another modality"
    if sample.is_animal:
        yield "warn", "the file says that the patient is an animal"


def _form(sample: ImageSample, picture: NDArray[np.float32], bundle: Bundle) -> Iterator[Finding]:
    """Look at contrast, size, shape and colour, beside what the training's were."""
    if float(picture.std()) < _SMALLEST_SPREAD:
        yield "refuse", "the picture is blank or of one grey"
    height, width = sample.pixels.shape
    known = bundle.info.gate
    if min(height, width) < _SMALLEST_SHARE * known["smallest_side"]:
        yield "warn", "the picture is far smaller than those of the training: fine detail is lost"
    aspect = height / width
    if not 1 / _LONGEST_TIMES <= aspect / known["aspect"] <= _LONGEST_TIMES:
        yield "warn", "the picture has another shape than those of the training: it is squashed otherwise"
    if picture.shape[-1] == 1 and sample.colours is not None:
        colour = float(np.ptp(sample.colours.astype(np.int16), axis=2).mean()) / 255
        if colour > _COLOURED:
            yield "warn", "the picture is in colour, those of the training were grey"


def _content(picture: NDArray[np.float32], bundle: Bundle) -> Iterator[Finding]:
    distance = float(strangeness(picture, bundle.arrays)[0])
    if distance > bundle.info.gate["refuse_above"]:
        yield "refuse", "the picture does not look like those of the training"
    elif distance > bundle.info.gate["warn_above"]:
        yield "warn", "the picture looks unlike most of those of the training"
