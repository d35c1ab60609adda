import json

import numpy as np
import pytest

from healthdash import archive, bundles, export, pipeline, tasks
from healthdash.tasks.ecg.moments import beats_of
from healthdash.tasks.ecg.sample import EcgSample, Stored
from healthdash.tasks.ecg.waves.changed import Lead, changed
from healthdash.tasks.ecg.waves.condition import CONFIG, conditioned, window_starts, windows
from healthdash.tasks.ecg.waves.delineate import Delineation, Found, delineate, delineator_of, found_in
from healthdash.tasks.ecg.waves.limits import Limits, load, parsed, targets
from healthdash.tasks.ecg.waves.matched import count
from healthdash.tasks.ecg.waves.parts import parted
from healthdash.tasks.ecg.waves.samples import drawn, training_set
from healthdash.tasks.ecg.waves.shown import measured
from healthdash.training import TrainSettings
from healthdash.ui.result_table import table


def _sample(signal, rate_hz, leads):
    values = np.asarray(signal, np.float32)
    stored = Stored(values.shape, "float32", float(values.min()), float(values.max()), "mV", leads)
    return EcgSample(
        source="drawn",
        kind="signal",
        format="drawn",
        signal_mv=values,
        rate_hz=rate_hz,
        leads=leads,
        stored=stored,
    )


def _limits(*rows):
    table = np.asarray(rows, float).reshape(-1, 4)
    return Limits(table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3])


# -- annotations -----------------------------------------------------------------------------


def test_waves_are_read_from_their_brackets_and_a_missing_limit_is_unknown():
    found = parsed(list("(p)(N)t)"), np.array([0, 10, 20, 30, 40, 50, 70, 90]), 100.0)
    assert found.kind.tolist() == [1, 2, 3]
    assert found.onset_s[:2].tolist() == [0.0, 0.3]
    assert np.isnan(found.onset_s[2])
    assert found.offset_s.tolist() == [0.2, 0.5, 0.9]
    assert found.span_s == (0.0, 0.9)


def test_waves_of_a_time_resolution_of_their_own_keep_their_time(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    place = {"write_dir": str(tmp_path)}
    wfdb.wrsamp("r", 250, ["mV"], ["II"], np.sin(np.arange(2500) / 9)[:, None], fmt=["16"], **place)
    wfdb.wrann("r", "ii", np.array([1000, 1050, 1100]), ["(", "N", ")"], fs=1000, **place)
    (waves,) = load(tmp_path)[0].limits
    assert (waves.onset_s[0], waves.peak_s[0], waves.offset_s[0]) == (1.0, 1.05, 1.1)


def test_ends_that_nobody_annotated_are_no_background():
    label, known = targets(_limits((2, 1.0, 1.05, 1.1), (3, 1.3, 1.4, 1.5)), 300, 100.0)
    assert known[:100].sum() == 0
    assert known[151:].sum() == 0
    assert known[100:151].all()
    assert label[100:111].tolist() == [2] * 11
    half = parsed(list("(N)t)"), np.array([100, 105, 110, 140, 150]), 100.0)
    label, known = targets(half, 300, 100.0)
    assert known[111:151].sum() == 0  # the T wave begins somewhere in here
    assert (label == 3).sum() == 0


# -- counting --------------------------------------------------------------------------------


def test_a_limit_within_150_ms_is_a_hit_and_each_counts_once():
    truth = _limits((1, 1.0, 1.05, 1.1), (1, 2.0, 2.05, 2.1), (1, 3.0, 3.05, 3.1))
    found = _limits((1, 1.02, 1.06, 1.12), (1, 1.05, 1.06, 1.1), (1, 2.2, 2.25, 2.3))
    onset, offset = count("a", "II", truth, found)[:2]
    assert (onset.hits, onset.missed, onset.invented) == (1, 2, 2)
    assert onset.errors_s == pytest.approx([0.02])
    assert (offset.hits, offset.errors_s.tolist()) == (1, [0.0])
    assert (onset.hits, onset.missed, onset.invented) == (1, 2, 2)


def test_nothing_outside_the_annotated_stretch_is_invented():
    truth = _limits((2, 1.0, 1.05, 1.1), (3, 1.3, 1.4, 1.5))
    found = _limits((2, 0.2, 0.25, 0.3), (2, 1.0, 1.05, 1.1), (3, 1.3, 1.4, 1.5), (1, 1.8, 1.85, 1.9))
    assert sum(one.invented for one in count("a", "II", truth, found)) == 0


# -- from probabilities to waves -------------------------------------------------------------


def test_gaps_are_closed_and_scraps_left_out():
    probability = np.zeros((500, 4), np.float32)
    probability[:, 0] = 0.6
    for start, stop, kind in [(100, 112, 2), (115, 125, 2), (200, 203, 1), (300, 340, 3), (490, 500, 2)]:
        probability[start:stop, kind] = 0.9
    found = found_in(probability, np.zeros(500, np.float32), 250.0)
    assert found.limits.kind.tolist() == [2, 3]  # the complex at the end is cut off by the recording
    assert found.limits.onset_s.tolist() == [0.4, 1.2]
    assert found.limits.offset_s == pytest.approx([124 / 250, 339 / 250])


# -- preprocessing ---------------------------------------------------------------------------


def test_what_the_network_sees_does_not_depend_on_the_gain():
    one = drawn(rr_s=np.full(8, 0.8)).signal_mv[:, None]
    seen = conditioned(one, 250.0, CONFIG)
    assert conditioned(50 * one, 250.0, CONFIG) == pytest.approx(seen, abs=1e-3)
    assert conditioned(np.zeros_like(one), 250.0, CONFIG) == pytest.approx(0)


@pytest.mark.parametrize("length", [10, 300, 512, 1024, 2500, 400_000])
def test_windows_cover_a_recording_and_a_long_one_is_thinned(length):
    starts = window_starts(length, CONFIG)
    assert 1 <= len(starts) <= CONFIG["most_windows"]
    cut = windows(np.ones(length, np.float32), starts, CONFIG)
    assert cut.shape == (len(starts), CONFIG["samples"], 1)
    margin = (CONFIG["samples"] - CONFIG["core"]) // 2
    if length < CONFIG["core"] * CONFIG["most_windows"] and length > CONFIG["core"]:
        seen = np.zeros(length, bool)
        for start in starts + margin:
            seen[start : start + CONFIG["core"]] = True
        assert seen.all()


def test_changes_move_the_labels_with_the_signal():
    one = drawn(rr_s=np.full(12, 0.8), noise_mv=0.0)
    label, known = targets(one.limits, len(one.signal_mv), one.rate_hz)
    lead = Lead(one.signal_mv.astype(float), label, known)
    rng = np.random.default_rng(3)
    for _ in range(40):
        other = changed(lead, one.rate_hz, rng)
        assert len(other.signal) == len(other.label) == len(other.known)
        assert np.isfinite(other.signal).all()
        assert set(np.unique(other.label)) <= {0, 1, 2, 3}
    assert (label == 1).any()  # the given lead is left alone


# -- measurements ----------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "Lead ", "ECG ", "ECG_", "EKG ", "EKG_"])
def test_the_axis_is_measured_whatever_word_stands_before_the_leads(before):
    one = drawn(rr_s=np.full(8, 0.8), noise_mv=0.0)
    heights = one.signal_mv[:, None] * np.float32([1.0, 0.5, 0.01])  # I, II and aVF of an axis of 0.7 degrees
    leads = tuple(f"{before}{name}" for name in ("I", "II", "aVF"))
    found = Found(one.limits, np.ones(len(one.limits.kind)))
    delineation = Delineation(leads, (found,) * 3, found)
    figures = measured(_sample(heights, one.rate_hz, leads), beats_of(one.limits), delineation)
    (axis,) = (figure for figure in figures if figure.name == "qrs_axis")
    assert axis.value == pytest.approx(0.7, abs=0.1)


# -- data ------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    (upload,) = training_set().make()
    return load(archive.placed(upload.name, upload.data, tmp_path))


def test_a_folder_of_records_becomes_patients_with_their_waves(data):
    assert len(data) == 12
    assert sum(one.has_p_waves for one in data) == 9
    split = parted(data, 0)
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(12))


@pytest.mark.tf
def test_a_training_makes_a_bundle_that_is_measured(data, tmp_path):
    task = tasks.get("ecg-waves")
    rows = []
    settings = TrainSettings(epochs=1, batch_size=8)
    bundle = task.train(data, settings, tmp_path / "bundle", rows.append)
    assert len(rows) == 1
    assert "worth nothing" in bundle.card
    assert {row.name for row in bundle.evaluation.metrics} >= {"QRS onset, sensitivity", "P offset, +P"}
    assert task.evaluate(bundle, data[:2]).metrics
    bundle.verify()


# -- the shipped network ---------------------------------------------------------------------


def _found(signal, rate_hz, leads=("II",)):
    bundle = bundles.get("ecg-waves")
    sample = _sample(signal, rate_hz, leads)
    return delineate(sample, delineator_of(bundle), bundle.info.preprocessing)


@pytest.mark.tf
@pytest.mark.parametrize("rate_hz", [125.0, 250.0, 360.0, 1000.0])
@pytest.mark.parametrize("gain", [1.0, -0.2, 40.0])
def test_drawn_waves_are_found_at_any_rate_gain_and_polarity(rate_hz, gain):
    one = drawn(rr_s=np.full(11, 0.85), pr_s=0.16, qt_s=0.39, rate_hz=rate_hz)
    found = _found(gain * one.signal_mv[:, None], rate_hz).together
    for counted in count("a", "II", one.limits, found.limits):
        assert counted.hits >= 0.9 * (counted.hits + max(counted.missed, counted.invented)), counted
        assert abs(counted.errors_s.mean()) < 0.04


@pytest.mark.tf
def test_without_p_waves_hardly_any_is_found():
    rng = np.random.default_rng(1)
    one = drawn(rr_s=0.75 * np.exp(0.15 * rng.standard_normal(14)), pr_s=None)
    found = _found(one.signal_mv[:, None], 250.0).together.limits.kind
    assert (found == 2).sum() >= 12
    assert (found == 1).sum() <= 2


@pytest.mark.tf
@pytest.mark.parametrize(
    "signal",
    [
        np.zeros((2500, 2)),
        np.random.default_rng(0).normal(size=(2500, 2)),
        np.zeros((40, 1)),
        np.full((999, 1), 3.0),
    ],
    ids=["flat", "noise", "short", "constant"],
)
def test_no_heart_no_crash(signal):
    found = _found(signal, 250.0, ("I", "II")[: signal.shape[1]])
    assert len(found.together) <= 10


@pytest.mark.tf
def test_a_lead_that_is_off_does_not_spoil_the_others():
    one = drawn(rr_s=np.full(11, 0.85))
    signal = np.stack([one.signal_mv, np.zeros_like(one.signal_mv), 0.5 * one.signal_mv], axis=1)
    found = _found(signal, 250.0, ("I", "II", "V5"))
    assert found.left_out == ("II",)
    assert abs((found.together.limits.kind == 2).sum() - 12) <= 1


@pytest.mark.tf
def test_the_command_line_tells_every_wave_and_measurement():
    task, bundle = tasks.get("ecg-waves"), bundles.get("ecg-waves")
    (uploads,) = task.group(task.examples()[0].make())
    report = pipeline.run(task, uploads, bundle)
    (line,) = export.results(task, report, bundle)
    json.dumps(line)
    assert {wave["lead"] for wave in line["waves"]} == {"II", "V1"}
    assert all(wave["onset_s"] <= wave["peak_s"] <= wave["offset_s"] for wave in line["waves"])
    figures = {one["name"]: one for one in line["measurements"]}
    assert figures["rate"]["value"] == pytest.approx(71, abs=4)
    assert figures["qrs_axis"]["reason"]
    assert "label" not in line


@pytest.mark.tf
def test_a_recording_has_rate_intervals_and_waves_in_one_line_and_no_verdict():
    task, bundle = tasks.get("ecg-waves"), bundles.get("ecg-waves")
    (uploads,) = task.group(task.examples()[0].make())
    report = pipeline.run(task, uploads, bundle)
    (line,) = export.results(task, report, bundle)
    (row,) = table(task, bundle, [report]).to_dict("records")
    assert line["figures"].items() <= row.items()
    assert not [name for name in row if name in task.labels or name.endswith("windows")]
    measured = {one["name"]: one["value"] for one in line["measurements"]}
    assert row["PR, ms"] == pytest.approx(measured["pr"], abs=0.5)
    assert row["QTc Bazett, ms"] == pytest.approx(measured["qtc_bazett"], abs=0.5)
    assert row["heart rate, /min"] == pytest.approx(measured["rate"], abs=0.5)
    assert row["beats"] == sum(wave["wave"] == "QRS" for wave in line["waves_of_all_leads"])


@pytest.mark.tf
def test_a_figure_that_cannot_be_taken_is_left_empty():
    task, bundle = tasks.get("ecg-waves"), bundles.get("ecg-waves")
    (fibrillation,) = (one for one in task.examples() if "fibrillation" in one.slug)
    (uploads,) = task.group(fibrillation.make())
    figures = task.figures(pipeline.run(task, uploads, bundle), bundle)
    assert figures["PR, ms"] is None
    assert figures["QRS, ms"] > 60


@pytest.mark.tf
def test_beats_come_with_the_variation_of_their_intervals():
    task, bundle = tasks.get("ecg-beats"), bundles.get("ecg-beats")
    (uploads,) = task.group(task.examples()[0].make())
    (line,) = export.results(task, pipeline.run(task, uploads, bundle), bundle)
    assert {one["name"] for one in line["measurements"]} >= {"rate", "sdnn", "sd1"}
