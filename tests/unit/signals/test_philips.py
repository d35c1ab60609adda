import base64

import numpy as np
import pytest

from healthdash.signals.formats import read
from healthdash.signals.recording import Recording
from healthdash.task import Upload

RATE_HZ = 500
HEART = np.random.default_rng(7).integers(-200, 200, (3, 1000)).astype("<i2")


def _read(leads: np.ndarray) -> Recording:
    duration_ms = leads.shape[1] * 1000 // RATE_HZ
    text = f"""<?xml version="1.0"?>
<restingecgdata>
  <documentinfo><documenttype>PhilipsECG</documenttype></documentinfo>
  <signalcharacteristics>
    <samplingrate>{RATE_HZ}</samplingrate><resolution>5</resolution>
  </signalcharacteristics>
  <parsedwaveforms durationperchannel="{duration_ms}" numberofleads="{len(leads)}" dataencoding="Base64">
    {base64.b64encode(leads.tobytes()).decode()}
  </parsedwaveforms>
</restingecgdata>"""
    return read([Upload("recording.xml", text.encode())])


def _with_end(end: np.ndarray) -> np.ndarray:
    return np.hstack([HEART, np.tile(end.astype("<i2"), (len(HEART), 1))])


def test_the_calibration_pulse_at_the_end_is_left_out_and_told() -> None:
    recording = _read(_with_end(np.repeat([0, 200, 0], [40, 100, 60])))
    assert [len(channel.values) for channel in recording.channels] == [1000] * 3
    np.testing.assert_array_equal(recording.channels[1].values, HEART[1] * 5.0)
    assert recording.notices == (
        "The last 0.4 s are left out: all leads hold the same values there, as in a calibration pulse.",
    )


@pytest.mark.parametrize(
    "leads",
    [_with_end(np.zeros(99)), HEART[:1], np.zeros((3, 1000), "<i2")],
    ids=["alike for less than 0.2 s", "a single lead", "nothing but a flat line"],
)
def test_other_ends_are_kept(leads: np.ndarray) -> None:
    recording = _read(leads)
    assert [len(channel.values) for channel in recording.channels] == [leads.shape[1]] * len(leads)
    assert not recording.notices
