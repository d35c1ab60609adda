"""What is shown of a recording that a model of own signals has seen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from healthdash.task import Prediction, Report
from healthdash.tasks.ecg import own_views, read
from healthdash.tasks.ecg.samples import as_wfdb, synthesise
from healthdash.views import Trace


def test_a_flat_lead_is_flagged_for_models_of_own_signals_too() -> None:
    ecg = synthesise("normal", seconds=30.0)
    ecg.signal_mv[:, 1] = 0.0
    sample = read.read(as_wfdb(ecg, "drawn"))
    half = np.full((1, 2), 0.5, np.float32)
    prediction = Prediction(
        labels=("a", "b"),
        raw=half,
        calibrated=half,
        items=np.array([0]),
        decided=np.array([0]),
        unit="window",
        is_calibrated=False,
    )
    report = SimpleNamespace(sample=sample, prediction=prediction, explanation=None, inputs=None)
    info = SimpleNamespace(preprocessing={"form": "windows"}, decide=lambda mean: mean.argmax(axis=1))
    found = own_views.sections(cast(Report, report), cast(Any, SimpleNamespace(info=info)), 0)
    (trace,) = (view for view in found.input if isinstance(view, Trace))
    assert trace.flags == sample.flags
    assert trace.flags[1]
    assert [marker.label for marker in trace.markers] == ["a"]
