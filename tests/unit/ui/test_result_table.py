"""The table of many results: verdicts where a task gives them, otherwise what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash import pipeline
from healthdash.task import Upload
from healthdash.ui.result_table import table
from tests import fakes


class Measuring(fakes.FakeSignal):
    """A task without a verdict; a recording of zeros has no interval."""

    def figures(self, report, bundle):
        height = float(np.ptp(report.sample.values))
        return {"height, mV": height, "interval, ms": 120.0 if height else None, "beats": 3}


def _table(task, *files):
    bundle = fakes.fake_bundle(task)
    return table(task, bundle, [pipeline.run(task, [file], bundle) for file in files])


def test_a_recording_with_a_verdict_is_counted_by_class():
    task = fakes.FakeSignal()
    (line,) = _table(task, task.file(task.example)).to_dict("records")
    assert line["result"] == "mostly low"
    assert (line["low beats"], line["high beats"]) == (2, 1)


def test_a_recording_without_a_verdict_has_its_figures_and_no_class():
    task = Measuring()
    files = [task.file([0.0, 2.0]), task.file([0.0, 0.0]), Upload("bad.json", b"?")]
    found = _table(task, *files)
    assert list(found["result"]) == ["measured", "measured", "failed"]
    assert not [name for name in found if "low" in name or "high" in name or "mostly" in name]
    assert found["height, mV"].tolist() == pytest.approx([2.0, 0.0, np.nan], nan_ok=True)
    assert found["interval, ms"].dtype == float
    assert list(found)[-3:] == ["gate", "message", "what to do"]
    assert found["what to do"].iloc[-1]
