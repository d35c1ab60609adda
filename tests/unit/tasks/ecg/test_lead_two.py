"""Lead II comes first in a recording, unless it is noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from healthdash.tasks.ecg import read
from healthdash.tasks.ecg.gate import GATE, gate
from healthdash.tasks.ecg.sample import EcgSample
from healthdash.tasks.ecg.samples import as_wfdb, synthesise


@pytest.fixture
def good() -> EcgSample:
    return read.read(as_wfdb(synthesise("normal", seconds=60.0), "drawn"))


def _with_noise(sample: EcgSample, sizes_mv: tuple[float, float]) -> EcgSample:
    noise = np.random.default_rng(0).standard_normal(sample.signal_mv.shape) * sizes_mv
    return replace(sample, signal_mv=(sample.signal_mv + noise).astype(np.float32))


def test_lead_ii_comes_first_where_it_is_clear(good: EcgSample) -> None:
    assert good.leads == ("II", "V1")
    assert good.model_leads == [0, 1]
    assert gate(good, GATE).verdict == "pass"


def test_a_noisy_lead_ii_is_set_aside_and_named_and_the_recording_is_no_refusal(good: EcgSample) -> None:
    noisy = _with_noise(good, (0.4, 0.0))
    assert noisy.model_leads == [1, 0]
    found = gate(noisy, GATE)
    assert found.verdict == "warn"
    (reason,) = found.reasons
    assert reason.startswith("Complexes hardly stand out in lead II (")
    assert reason.endswith("V1 takes its place.")


def test_a_recording_that_is_noise_in_every_lead_is_refused(good: EcgSample) -> None:
    found = gate(_with_noise(good, (2.0, 2.0)), GATE)
    assert found.verdict == "refuse"
    assert "not look like an ECG" in found.reasons[0]


def test_lead_ii_comes_first_by_its_longer_names_too(good: EcgSample) -> None:
    turned = replace(good, signal_mv=good.signal_mv[:, ::-1], leads=("ECG Lead V1", "ECG Lead II"))
    assert turned.model_leads == [1, 0]
