"""A Holter recording: a day of two leads, from its files to a report."""

import numpy as np
import pytest

from healthdash import bundles, pipeline
from healthdash.tasks.ecg import TASKS
from healthdash.tasks.ecg.samples import SyntheticEcg, as_wfdb, synthesise

TASK = next(task for task in TASKS if task.slug == "ecg-beats")


@pytest.mark.tf
@pytest.mark.slow
def test_a_day_of_two_leads_gives_a_label_to_every_beat():
    quarter = synthesise("ventricular", seconds=900)
    day = SyntheticEcg(np.tile(quarter.signal_mv, (96, 1)), quarter.beats, quarter.labels)
    report = pipeline.run(TASK, as_wfdb(day, "day"), bundles.available("ecg-beats")[0])
    assert report.error is None
    assert report.sample.duration_s == pytest.approx(24 * 3600)
    assert len(report.prediction) == pytest.approx(96 * len(quarter.beats), rel=0.01)
    ventricular = report.prediction.decided == report.prediction.labels.index("V")
    assert ventricular.mean() == pytest.approx((quarter.labels == "V").mean(), abs=0.02)
