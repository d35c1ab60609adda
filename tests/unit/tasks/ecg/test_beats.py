"""Finding beats, preparing them, simulating rhythms, counting by EC57."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from healthdash.task import Upload
from healthdash.tasks.ecg import detect, prepare, read, resample, retime, runs
from healthdash.tasks.ecg.examples import label_beats, matched
from healthdash.tasks.ecg.gate import GATE, gate
from healthdash.tasks.ecg.measure import Counted, count, evaluation
from healthdash.tasks.ecg.sample import Annotation, EcgSample
from healthdash.tasks.ecg.samples import as_csv, as_wfdb, synthesise
from healthdash.tasks.ecg.views import trace_of
from healthdash.training.evaluation import Evaluation


def drawn(kind: str, seconds: float = 60.0) -> EcgSample:
    return read.read(as_wfdb(synthesise(kind, seconds=seconds), "drawn", annotated=True))


@pytest.mark.parametrize("kind", ["normal", "ventricular", "supraventricular", "fibrillation"])
@pytest.mark.parametrize("rate_hz", [125.0, 250.0, 500.0])
def test_every_drawn_beat_is_found_at_any_rate(kind: str, rate_hz: float) -> None:
    ecg = synthesise(kind, seconds=60.0, rate_hz=rate_hz)
    found = detect.find_beats(ecg.signal_mv, rate_hz)
    pairs = matched(ecg.beats, found, 0.15 * rate_hz)
    assert (pairs >= 0).mean() >= 0.99
    assert len(found) <= len(ecg.beats) + 1


def test_turning_or_scaling_a_lead_moves_no_beat() -> None:
    ecg = synthesise("normal", seconds=30.0)
    found = detect.find_beats(ecg.signal_mv, 250.0)
    assert np.array_equal(found, detect.find_beats(-7.0 * ecg.signal_mv, 250.0))


@pytest.mark.parametrize("signal", [np.zeros((5000, 1)), np.ones((5000, 2)), np.zeros((10, 1))])
def test_a_flat_signal_has_no_beats(signal: np.ndarray) -> None:
    assert len(detect.find_beats(signal.astype(np.float32), 250.0)) == 0


@pytest.mark.parametrize("noise_mv", [0.0, 0.003, 0.01])
@pytest.mark.parametrize("leads", [(0, 1), (0,), (1,)])
def test_no_beat_is_found_where_electrodes_are_off(noise_mv: float, leads: tuple[int, ...]) -> None:
    ecg = synthesise("normal", seconds=180.0)
    signal = ecg.signal_mv.copy()
    off = slice(60 * 250, 130 * 250)
    for lead in leads:
        signal[off, lead] = np.random.default_rng(lead).normal(0.4, noise_mv, off.stop - off.start)
    found = detect.find_beats(signal, 250)
    away = (ecg.beats < off.start - 250) | (ecg.beats > off.stop + 250)
    assert (matched(ecg.beats[away], found, 0.15 * 250) >= 0).mean() >= 0.99
    lost = ((found > off.start + 250) & (found < off.stop - 250)).sum()
    there = ((ecg.beats > off.start + 250) & (ecg.beats < off.stop - 250)).sum()
    assert lost == 0 if len(leads) == 2 else abs(lost - there) <= 2


@pytest.mark.parametrize("rate_hz", [333.33, 1001.0, 1024.0, 2048.0])
def test_beats_stay_at_their_complexes_for_hours(rate_hz: float) -> None:
    seconds = 3600
    at = np.rint(np.arange(1, seconds) * rate_hz).astype(np.int64)
    signal = np.zeros((round(seconds * rate_hz), 1), np.float32)
    shape = np.hanning(round(0.05 * rate_hz))
    signal[at[:, None] + np.arange(len(shape)) - len(shape) // 2, 0] = shape
    found = detect.find_beats(signal, rate_hz)
    assert len(found) == len(at)
    assert abs(found - at).max() <= 0.03 * rate_hz


def test_a_lead_that_is_flat_for_minutes_leaves_every_input_finite() -> None:
    sample = drawn("ventricular", 400.0)
    flat = sample.signal_mv.copy()
    flat[: 300 * 250, 1] = 0.0
    flat = replace(sample, signal_mv=flat)
    inputs = prepare.beat_inputs(flat.signal_mv, 250.0, flat.beats, prepare.CONFIG)
    assert all(np.isfinite(values).all() for values in inputs.values())


def test_beats_and_intervals_leave_a_gap_out() -> None:
    times, wave = _long_normal()
    times[len(times) // 2 :] += 30.0
    sample = read.read([_csv(times, wave)])
    (gap,) = sample.gaps_s
    assert gap[1] - gap[0] == pytest.approx(30, abs=0.01)
    assert sample.known_s == pytest.approx(len(wave) / 250, abs=0.1)
    assert not ((sample.beats > gap[0] * 250) & (sample.beats < gap[1] * 250)).any()
    whole = read.read([_csv(np.arange(len(wave)) / 250, wave)])
    assert abs(len(sample.beats) - len(whole.beats)) <= 1


def _long_normal() -> tuple[np.ndarray, np.ndarray]:
    ecg = synthesise("normal", seconds=120.0)
    return np.arange(len(ecg.signal_mv)) / 250, ecg.signal_mv[:, 0]


def _csv(times: np.ndarray, wave: np.ndarray) -> Upload:
    rows = "\n".join(f"{t:.3f},{v:.5f}" for t, v in zip(times, wave, strict=True))
    return Upload("a.csv", f"time_s,II_mV\n{rows}\n".encode())


@pytest.mark.parametrize("seconds", [0.5, 60.0, 620.0])
def test_a_recording_whose_clarities_are_known_has_the_same_beats(seconds: float) -> None:
    whole = drawn("normal", max(seconds, 10.0))
    ecg = replace(whole, signal_mv=whole.signal_mv[: round(seconds * whole.rate_hz)])
    assert ecg.clarities == [detect.clarity(lead, resample.WORKING_HZ) for lead in ecg.working_mv.T]
    assert np.array_equal(ecg.beats, detect.find_beats(ecg.signal_mv, ecg.rate_hz))


def test_inputs_have_the_documented_shapes_and_are_finite() -> None:
    sample = drawn("ventricular")
    inputs = prepare.beat_inputs(prepare.model_leads(sample), sample.rate_hz, sample.beats, prepare.CONFIG)
    n = len(sample.beats)
    assert {k: v.shape for k, v in inputs.items()} == {
        "window": (n, 120, 4), "intervals": (n, 11, 6), "shapes": (n, 11, 20), "rhythm": (n, 6),
        "alike": (n, 18),
    }  # fmt: skip
    assert all(np.isfinite(v).all() and v.dtype == np.float32 for v in inputs.values())


def test_the_amplitude_of_a_recording_changes_nothing() -> None:
    sample = drawn("normal", 30.0)
    one, five = (
        prepare.beat_inputs(k * prepare.model_leads(sample), sample.rate_hz, sample.beats, prepare.CONFIG)
        for k in (np.float32(1), np.float32(5))
    )
    for name in one:
        assert np.allclose(one[name], five[name], atol=2e-3)


def test_one_lead_takes_both_places() -> None:
    sample = drawn("normal", 30.0)
    inputs = prepare.beat_inputs(sample.signal_mv[:, :1], sample.rate_hz, sample.beats, prepare.CONFIG)
    assert np.array_equal(inputs["window"][..., :2], inputs["window"][..., 2:])


def test_early_beats_have_short_intervals_and_ventricular_ones_another_shape() -> None:
    sample = drawn("ventricular")
    inputs = prepare.beat_inputs(prepare.model_leads(sample), sample.rate_hz, sample.beats, prepare.CONFIG)
    assert sample.annotation is not None
    labels = label_beats(sample.beats, sample.annotation, sample.rate_hz)
    interval, likeness = inputs["intervals"][:, 5, 0], inputs["shapes"][:, 5, 0]
    assert np.median(interval[labels == 2]) < -0.8 < np.percentile(interval[labels == 0], 5)
    assert np.median(likeness[labels == 2]) < 0.9 < np.median(likeness[labels == 0])


def test_three_beats_are_enough_to_prepare() -> None:
    sample = drawn("normal", 6.0)
    inputs = prepare.beat_inputs(
        prepare.model_leads(sample), sample.rate_hz, sample.beats[:3], prepare.CONFIG
    )
    assert len(inputs["window"]) == 3
    one = prepare.beat_inputs(prepare.model_leads(sample), sample.rate_hz, sample.beats[:1], prepare.CONFIG)
    assert np.isfinite(one["intervals"]).all()


def rhythm(kind: str = "normal") -> retime.Rhythm:
    ecg = synthesise(kind, seconds=100.0)
    labels = np.where(ecg.labels == "V", 2, 0)
    return retime.Rhythm(ecg.signal_mv, 250.0, ecg.beats, labels)


def test_a_fibrillating_copy_is_irregular_and_its_beats_are_where_it_says() -> None:
    made = retime.fibrillating(rhythm(), np.random.default_rng(0), keep=(0, 2))
    gaps = np.diff(made.beats)
    assert gaps.std() / gaps.mean() > 0.12
    pairs = matched(made.beats, detect.find_beats(made.leads_mv, 250.0), 0.1 * 250)
    assert (pairs >= 0).mean() > 0.97


def test_early_copies_mark_the_beats_that_were_moved() -> None:
    made = retime.with_early_beats(rhythm(), np.random.default_rng(3), normal=0, early=1)
    gaps = np.diff(made.beats, prepend=np.nan)
    assert (made.labels == 1).any()
    assert np.nanmax(gaps[made.labels == 1]) < np.nanmedian(gaps[made.labels == 0])


@pytest.mark.parametrize("run", [runs.VENTRICULAR, runs.SUPRAVENTRICULAR])
def test_runs_repeat_a_beat_and_stand_where_they_say(run: runs.Run) -> None:
    original = rhythm("ventricular")
    made = runs.with_runs(original, np.random.default_rng(0), label=2, run=run)
    assert (made.labels == 2).sum() > 2 * (original.labels == 2).sum()
    assert (made.labels == 0).sum() == (original.labels == 0).sum()
    inside = (made.labels[1:] == 2) & (made.labels[:-1] == 2)
    gaps_s = np.diff(made.beats)[inside] / made.rate_hz
    assert run.interval_s[0] * 0.85 < gaps_s.min()
    assert gaps_s.max() < run.interval_s[1] * 1.15
    assert np.isfinite(made.leads_mv).all()
    assert made.beats[-1] < len(made.leads_mv)
    pairs = matched(made.beats, detect.find_beats(made.leads_mv, made.rate_hz), 0.1 * made.rate_hz)
    assert (pairs >= 0).mean() > 0.97


def test_without_a_beat_to_repeat_there_are_no_runs() -> None:
    original = rhythm("normal")
    assert runs.with_runs(original, np.random.default_rng(0), label=2, run=runs.VENTRICULAR) is original


def test_matching_counts_no_beat_twice() -> None:
    pairs = matched(np.array([100, 200, 300]), np.array([98, 104, 290, 500]), 20)
    assert pairs.tolist() == [0, -1, 2]


def test_figures_follow_from_the_counts() -> None:
    annotation = Annotation(np.array([100, 200, 300, 400]), np.array(["N", "V", "S", "F"]))
    record = count("a", annotation, np.array([100, 200, 300, 400, 490]), np.array([0, 2, 0, 2, 2]), 100.0)
    measured = evaluation(
        [record],
        part="p",
        split_rule="r",
        truth=np.array([0]),
        probabilities=np.full((1, 5), 0.2, np.float32),
        recordings=np.array([0]),
    )
    assert measured.metric("V sensitivity").value == 1.0
    assert measured.metric("V +P").value == pytest.approx(1 / 3)
    assert measured.metric("V +P by EC57").value == pytest.approx(1 / 2)
    assert measured.metric("S sensitivity").value == 0.0
    assert measured.metric("beat detection +P").value == pytest.approx(4 / 5)


def _counts(name: str, cells: dict[tuple[int, int], int]) -> Counted:
    counts = np.zeros((6, 6), np.int64)
    for cell, number in cells.items():
        counts[cell] = number
    return Counted(name, counts)


def _evaluated(*records: Counted) -> Evaluation:
    return evaluation(
        records, part="p", split_rule="r", truth=np.zeros(1, np.int64),
        probabilities=np.full((1, 5), 0.2, np.float32), recordings=np.zeros(1, np.int64),
    )  # fmt: skip


def test_each_share_is_counted_among_its_own_beats_and_a_share_of_nothing_is_left_out() -> None:
    found = _evaluated(
        _counts("a", {(0, 0): 90, (2, 2): 8, (2, 0): 2, (0, 2): 30}), _counts("b", {(4, 0): 5})
    )
    assert found.metric("V sensitivity").n == 10
    assert found.metric("V +P").n == 38
    assert found.metric("Q sensitivity").value == 0
    assert not [row for row in found.metrics if row.name in ("Q +P", "S +P", "F sensitivity")]


def test_beats_called_v_where_there_are_none_are_told() -> None:
    found = _evaluated(_counts("a", {(0, 0): 900, (0, 2): 300}), _counts("b", {(0, 0): 900}))
    assert found.metric("V +P").value == found.metric("V +P by EC57").value == 0
    assert found.metric("V +P").n == 300
    assert not [row for row in found.metrics if row.name == "V sensitivity"]
    (of_record,) = found.subgroups
    assert (of_record.name, of_record.note) == ("a: V +P", "0 of 0 found, 300 other beats so called")


def test_where_no_beat_is_found_all_are_missed() -> None:
    annotation = Annotation(np.array([100, 200, 300]), np.array(["N", "V", "N"]))
    record = count("a", annotation, np.zeros(0, np.int64), np.zeros(0, np.int64), 100.0)
    assert record.counts[:, -1].tolist() == [2, 0, 1, 0, 0, 0]
    assert record.counts.sum() == 3


def test_flutter_is_left_out() -> None:
    annotation = Annotation(np.array([100]), np.array(["N"]), ((200, 400),))
    record = count("a", annotation, np.array([100, 300]), np.array([0, 2]), 100.0)
    assert record.counts.sum() == 1


@pytest.mark.parametrize("kind", ["normal", "ventricular", "supraventricular", "fibrillation"])
def test_the_gate_lets_drawn_ecgs_pass(kind: str) -> None:
    assert gate(drawn(kind), GATE).verdict == "pass"


def _made(signal: np.ndarray, header: str = "II_mV") -> EcgSample:
    text = "\n".join([f"# rate_hz: 250\n{header}", *(f"{v:.5g}" for v in signal)])
    return read.read([Upload("x.csv", text.encode())])


_RNG = np.random.default_rng(0)
_T = np.arange(15_000) / 250


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (_made(np.zeros(15_000)), "flat"),
        (_made(synthesise("normal", seconds=2.0).signal_mv[:, 0]), "at least 5 s"),
        (_made(1000 * synthesise("normal", seconds=60.0).signal_mv[:, 0]), "microvolts"),
        (_made(0.001 * synthesise("normal", seconds=60.0).signal_mv[:, 0]), "another unit"),
        (_made(_RNG.standard_normal(15_000)), "not look like an ECG"),
        (_made(np.sin(2 * np.pi * 1.2 * _T)), "ECG|heartbeat"),
        (_made(np.cumsum(_RNG.standard_normal(15_000)) / 50), "ECG|heartbeat"),
        (_made(synthesise("normal", seconds=60.0).signal_mv[:, 0], "EEG Fp1_mV"), "another signal"),
    ],
)
def test_the_gate_refuses_what_is_no_ecg(sample: EcgSample, reason: str) -> None:
    import re

    found = gate(sample, GATE)
    assert found.verdict == "refuse"
    assert re.search(reason, " ".join(found.reasons))
    assert found.hint


def test_an_unknown_unit_is_warned_about() -> None:
    sample = read.read([Upload("x.csv", as_csv(synthesise("normal"), "d")[0].data.replace(b"_mV", b""))])
    assert gate(sample, GATE).verdict == "warn"


@pytest.mark.data("signals/mitdb")
def test_the_detector_reaches_its_floor_on_real_recordings(data) -> None:
    import wfdb

    right = beats = found_beats = 0
    for name in ("101", "108", "201", "208"):
        path = str(data / "signals" / "mitdb" / name)
        read_signal, marks = wfdb.rdrecord(path), wfdb.rdann(path, "atr")
        reference = np.asarray(
            [s for s, c in zip(marks.sample, marks.symbol, strict=True) if c in "NLRejAaJSVEF/fQ"]
        )
        found = detect.find_beats(read_signal.p_signal.astype(np.float32), 360.0)
        right += int((matched(reference, found, 54) >= 0).sum())
        beats, found_beats = beats + len(reference), found_beats + len(found)
    assert right / beats > 0.99
    assert right / found_beats > 0.98


def test_a_turned_copy_has_two_other_leads_and_the_same_beats() -> None:
    original = rhythm()
    made = retime.turned(original, np.random.default_rng(0))
    assert made.leads_mv.shape == (len(original.leads_mv), 2)
    np.testing.assert_array_equal(made.beats, original.beats)
    # In the plane that the leads span: they explain the new ones fully.
    explained = np.linalg.lstsq(original.leads_mv, made.leads_mv, rcond=None)[0]
    np.testing.assert_allclose(original.leads_mv @ explained, made.leads_mv, atol=1e-4)
    assert abs(np.corrcoef(made.leads_mv[:, 0], original.leads_mv[:, 0])[0, 1]) < 0.999


def test_a_gap_is_drawn_as_no_line() -> None:
    times, wave = _long_normal()
    times[len(times) // 2 :] += 30.0
    sample = read.read([_csv(times, wave)])
    drawn = trace_of(sample).signal
    ((start, stop),) = sample.gaps
    assert np.isnan(drawn[start:stop]).all()
    assert np.isfinite(drawn[:start]).all()
    assert np.isfinite(sample.signal_mv).all()
