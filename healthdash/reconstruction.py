"""What a model of usual and unusual items expected in the place of an input, as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash import DISCLAIMER
from healthdash.bundles import Bundle
from healthdash.explain.reconstruction import restored
from healthdash.task import Arrays
from healthdash.training.studio.generative.form import Form, form_of
from healthdash.views import Curve, Curves, Grid, Picture, View, Window

__all__ = ["expected", "views"]

_MOST_LEADS = 3
_MISSING = "missing"

Floats = NDArray[np.float32]


def expected(bundle: Bundle, inputs: Arrays) -> tuple[Floats, Floats] | None:
    """Return what the model makes of inputs and the error at each place, both (m, *shape) of its input.

    None where the model does not restore its input. The restored items are in the unit of the input.
    """
    stored = bundle.info.preprocessing.get("restored")
    if stored is None:
        return None
    out, errors = restored(bundle.forward, inputs)
    return form_of(stored).decode(out), errors


def views(bundle: Bundle, inputs: Arrays, item: int) -> tuple[View, ...]:
    """Return an item as it was given beside what the model expected, and where they differ.

    Parameters
    ----------
    inputs : dict of float32 (m, ...)
        Of the report.
    item : int
        Place in the prediction.

    Returns
    -------
    tuple of View
        Empty where the model does not restore its input.
    """
    one = {name: values[item : item + 1] for name, values in inputs.items()}
    found = expected(bundle, one)
    if found is None:
        return ()
    config = bundle.info.preprocessing
    (name,) = bundle.info.inputs
    form, given = form_of(config["restored"]), one[name][0]
    if form.kind == "picture":
        return _pictures(given, found[0][0])
    if form.kind == "signal":
        return _traces(given, found[0][0], form, config)
    return (_table(given, found[0][0], found[1][0], config["columns"]),)


def _pictures(given: Floats, made: Floats) -> tuple[View, ...]:
    """Return both pictures in the same greys, and their difference over the given one."""
    seen, wanted = given.mean(axis=-1), made.mean(axis=-1)
    low, high = float(seen.min()), float(seen.max())
    window = Window(name="as given", center=(low + high) / 2, width=max(high - low, 1e-6))
    return (
        Picture(title="As the model was given it", caption=DISCLAIMER, pixels=seen, windows=(window,)),
        Picture(
            title="As the model expected it", pixels=wanted, windows=(window,),
            caption=f"Made by the model from what it learnt of usual items. {DISCLAIMER}",
        ),
        Picture(
            title="The difference", pixels=seen, windows=(window,), heat=np.abs(seen - wanted),
            heat_label="a difference between the given picture and the expected one",
            caption=f"Orange where they differ. A difference is not a finding. {DISCLAIMER}",
        ),
    )  # fmt: skip


def _traces(given: Floats, made: Floats, form: Form, config: Mapping[str, Any]) -> tuple[View, ...]:
    """Return a plot for each of the leads that differ most: as given, and as expected."""
    given = given - given.mean(axis=0)  # as the model sees it, whatever the level of the electrodes
    rate = float(config.get("rate_hz") or 1.0)
    seconds = np.arange(len(given)) / rate
    leads = config.get("leads") or [f"lead {number + 1}" for number in range(given.shape[1])]
    differences = np.square((given - made) / np.asarray(form.stored()["spread"])).mean(axis=0)
    worst = np.sort(np.argsort(-differences)[:_MOST_LEADS])
    return tuple(
        Curves(
            title=f"{leads[lead]}: as given, and as the model expected it",
            caption=f"Where the lines part, the model saw what it did not learn. {DISCLAIMER}",
            curves=(
                Curve(name="as given", x=seconds, y=given[:, lead].astype(np.float64)),
                Curve(name="as expected", x=seconds, y=made[:, lead].astype(np.float64), dashed=True),
            ),
            x_label="seconds" if config.get("rate_hz") else "samples",
            y_label=str(config.get("unit", "mV")),
        )
        for lead in worst
    )


def _table(given: Floats, made: Floats, errors: Floats, columns: Sequence[Mapping[str, Any]]) -> View:
    """Return a line for each column, the least expected first."""
    order = np.argsort(-errors, kind="stable")
    total = max(float(errors.sum()), 1e-12)
    frame = pd.DataFrame(
        {
            "column": [str(columns[at].get("name", at + 1)) for at in order],
            "given": [_cell(given[at], columns[at]) for at in order],
            "expected": [_cell(made[at], columns[at]) for at in order],
            "share of the error": [float(errors[at]) / total for at in order],
        }
    )
    return Grid(
        title="As given, and as the model expected it",
        caption=f"The least expected values first. {DISCLAIMER}",
        frame=frame,
        percent=("share of the error",),
    )


def _cell(value: float, column: Mapping[str, Any]) -> str:
    if np.isnan(value):
        return _MISSING
    if column["kind"] == "number":
        return f"{float(value):.4g}"
    codes = ["missing or not known", *column["values"]]
    return str(codes[min(int(value), len(codes) - 1)])
