import numpy as np
import pytest

from healthdash.tasks.ecg.quality import flags
from healthdash.tasks.ecg.samples import synthesise

RATE = 250.0


def _good():
    return synthesise("normal", seconds=30).signal_mv[:, 0]


def _flag(lead):
    return flags(np.asarray(lead, np.float32)[:, None], RATE)[0]


def test_a_good_lead_has_no_flag():
    assert flags(synthesise("normal", seconds=30).signal_mv, RATE) == ("", "")


def _hum(lead, hertz, size):
    return lead + size * np.sin(2 * np.pi * hertz * np.arange(len(lead)) / RATE)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda x: np.full_like(x, 1.7), "off"),
        (lambda x: 0.01 * x, "flat"),
        (lambda x: np.clip(x, -0.05, 0.35), "clipped"),
        (lambda x: 0.3 * np.random.default_rng(0).standard_normal(len(x)), "noisy"),
        (lambda x: _hum(x, 50, 0.1), "mains: 0.20 mV at 50 Hz"),
        (lambda x: _hum(x, 60, 0.05), "at 60 Hz"),
    ],
)
def test_what_is_wrong_is_named(spoil, word):
    assert word in _flag(spoil(_good()))


def test_each_lead_is_judged_by_itself():
    good = _good()
    assert flags(np.stack([good, np.zeros_like(good)], axis=1), RATE)[0] == ""


def test_short_and_empty_leads_do_no_harm():
    assert flags(np.zeros((0, 2), np.float32), RATE) == ("off: nothing was recorded",) * 2
    assert isinstance(_flag(_good()[:40]), str)
