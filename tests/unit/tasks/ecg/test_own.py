"""Own signals: recordings with a table, folders or annotations; reported on, trained, and used."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from healthdash import archive, pipeline, tasks
from healthdash.datasets.steps import LeaveOut, TakeLeads
from healthdash.errors import CorruptModel, InvalidInput, TooLittleData
from healthdash.tables.steps import GroupBy
from healthdash.task import Upload
from healthdash.tasks.ecg import read, resample
from healthdash.tasks.ecg.own_augment import changed
from healthdash.tasks.ecg.own_listing import list_signals
from healthdash.tasks.ecg.own_set import load_signals
from healthdash.tasks.ecg.own_windows import SignalStore, constants, cut, starts_of, taken
from healthdash.training import TrainSettings

TASK = tasks.get("signals")
RATE_HZ, SECONDS = 100, 6


def signal(seed: int, leads: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time_s = np.arange(RATE_HZ * SECONDS) / RATE_HZ
    turns, phases = rng.uniform(1, 9, (5, 1, leads)), rng.uniform(0, 6, (5, 1, leads))
    waves = np.sin(2 * np.pi * turns * time_s[:, None] + phases).mean(axis=0)
    return waves + rng.normal(0, 0.05, waves.shape)


def write(path, values, leads=("II", "V1"), rate_hz=RATE_HZ):
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"# rate_hz: {rate_hz}\n" + ",".join(f"{lead} (mV)" for lead in leads) + "\n"
    path.write_text(head + "\n".join(",".join(f"{v:.4f}" for v in row) for row in values) + "\n")


def folder_of(path, count: int = 24):
    for number in range(count):
        for label, shift in (("a", 0), ("b", 500)):
            write(path / label / f"{label}{number}x.csv", signal(number + shift))
    return path


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """Return the folder of the synthetic set."""
    folder = tmp_path_factory.mktemp("set")
    (upload,) = TASK.training_examples()[0].make()
    return archive.placed(upload.name, upload.data, folder)


def test_a_clean_folder_gives_no_finding_but_its_size(tmp_path):
    looked = TASK.look(folder_of(tmp_path / "set"), None)
    steps, found = looked.settled([])
    assert steps == []
    assert {one.code for one in found.findings} <= {"few-rows"}
    assert found.ranges["rate (Hz)"] == "100 (48)"
    assert found.ranges["leads"] == "ii, v1 (48)"


def test_planted_faults_are_found_and_those_that_need_no_decision_mended(tmp_path):
    path = folder_of(tmp_path / "set")
    shutil.copy(path / "a" / "a0x.csv", path / "b" / "copy.csv")
    (path / "a" / "broken.edf").write_bytes(b"0       " + b"x" * 300)
    flat = signal(900)
    flat[:, 1] = 0.5
    write(path / "a" / "flat.csv", flat)
    write(path / "b" / "clipped.csv", np.clip(signal(901), -0.7, 0.7))
    looked = TASK.look(path, None)
    codes = {one.code for one in looked.report([]).findings}
    assert {"unreadable", "contradictions", "flat", "clipped"} <= codes
    steps, found = looked.settled([])
    assert set(steps) >= {LeaveOut(what="unreadable"), LeaveOut(what="contradictions")}
    assert {"flat", "clipped"} <= {one.code for one in found.findings}


def test_recordings_that_state_no_rate_are_refused_with_the_line_to_add(tmp_path):
    path = folder_of(tmp_path / "set", count=3)
    for file in path.rglob("*.csv"):
        file.write_text(file.read_text().split("\n", 1)[1])
    with pytest.raises(TooLittleData, match="does not say its sampling rate") as refused:
        load_signals(path, TrainSettings())
    assert "'# rate_hz: 250'" in refused.value.hint


def test_a_label_with_another_rate_or_leads_is_a_shortcut(tmp_path):
    path = tmp_path / "set"
    for number in range(32):
        write(path / "a" / f"{number}x.csv", signal(number), rate_hz=100)
        write(path / "b" / f"{number}x.csv", signal(number + 500, 3), ("II", "V1", "V2"), rate_hz=200)
    _, found = TASK.look(path, None).settled([])
    named = {one.columns[0] for one in found.findings if one.code == "shortcut"}
    assert {"rate (Hz)", "leads", "duration (s)"} <= named
    assert any("v2" in one.words for one in found.findings if one.code == "leads-not-shared")


def test_without_a_shared_lead_the_commonest_is_taken(tmp_path):
    path = folder_of(tmp_path / "set", 14)
    write(path / "a" / "odd.csv", signal(800), ("V4", "V5"))
    steps, found = TASK.look(path, None).settled([])
    assert TakeLeads(leads=("ii",)) in steps
    assert len(found.items) == 28


def test_annotated_beats_are_items_grouped_by_their_record(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    for number in range(12):
        wfdb.wrsamp(
            f"r{number}", RATE_HZ, ["mV", "mV"], ["II", "V1"], signal(number), fmt=["16", "16"],
            write_dir=str(tmp_path),
        )  # fmt: skip
        symbols = ["N", "V", "N", "+", "V", "a", "A"]
        wfdb.wrann(
            f"r{number}", "atr", np.arange(50, 50 + 60 * len(symbols), 60), symbols,
            aux_note=["", "", "", "(AFIB", "", "", ""], write_dir=str(tmp_path),
        )  # fmt: skip
    own = list_signals(tmp_path, None)
    assert (own.form, own.listing.unit) == ("beats", "beat")
    steps, found = TASK.look(tmp_path, None).settled([])
    assert GroupBy(column="record") in steps
    assert not [step for step in steps if step.do == "join-values"]  # "a" is another beat than "A"
    assert found.labels == {"N": 24, "V": 24, "a": 12, "A": 12}
    signals = load_signals(tmp_path, TrainSettings(seconds=1.0, rate_hz=50))
    assert signals.shape.samples == 50
    assert len(np.unique(signals.groups)) == 12
    record = taken(
        read.read([Upload(f, (tmp_path / f).read_bytes()) for f in ("r0.hea", "r0.dat")]), ("ii", "v1"), 50
    )
    np.testing.assert_allclose(signals.inputs(np.array([1]))[0, 25], record[55], atol=1e-3)


@pytest.mark.parametrize("kept", ["ii", "ecg_ii"])
def test_a_model_finds_its_lead_by_any_spelling(tmp_path, kept):
    write(tmp_path / "a.csv", signal(1), ("ECG_II", "V1"))
    sample = read.read([Upload("a.csv", (tmp_path / "a.csv").read_bytes())])
    assert taken(sample, (kept,), RATE_HZ)[:, 0] == pytest.approx(sample.signal_mv[:, 0])


def test_annotated_beats_of_a_time_resolution_of_their_own_are_in_the_middle(tmp_path):
    wfdb = pytest.importorskip("wfdb")
    place, values = {"write_dir": str(tmp_path)}, np.zeros((RATE_HZ * SECONDS, 1))
    values[[100, 200, 300, 400]] = 5
    for number in range(12):
        drawn = values + signal(number, 1)
        wfdb.wrsamp(f"r{number}", RATE_HZ, ["mV"], ["II"], drawn, fmt=["16"], **place)
        marks = np.array([1000, 2000, 3000, 4000])
        wfdb.wrann(f"r{number}", "atr", marks, ["N", "V", "N", "V"], fs=1000, **place)
    windows = load_signals(tmp_path, TrainSettings(seconds=0.5, rate_hz=RATE_HZ)).inputs(np.arange(48))
    assert set(windows.argmax(axis=1).ravel().tolist()) == {25}


def test_windows_of_a_recording_are_its_whole_and_stay_inside(tmp_path):
    signals = load_signals(folder_of(tmp_path / "set", 14), TrainSettings(seconds=2.0))
    assert len(signals) == 3 * 28
    assert (np.bincount(signals.whole) == 3).all()
    assert starts_of(100, 40, 60).tolist() == [0, 40]
    assert starts_of(30, 40, 60).tolist() == [-5]
    assert len(starts_of(10_000, 10, 60)) == 60
    store = SignalStore(1)
    store.add(np.full((5, 1), 1.0, np.float32))
    store.add(np.arange(10, dtype=np.float32)[:, None])
    store.close()
    window = store.windows(np.array([1]), np.array([-2]), 14)[0, :, 0]
    np.testing.assert_array_equal(window, [0, 0, *range(10), 9, 9])
    np.testing.assert_array_equal(
        window, cut(np.arange(10, dtype=np.float32)[:, None], np.array([-2]), 14)[0, :, 0]
    )


def test_recordings_are_read_for_training_by_a_process_of_their_own(tmp_path, monkeypatch):
    def here(uploads):
        raise AssertionError("an upload is read by the training itself")

    monkeypatch.setattr(read, "read", here)
    assert len(load_signals(folder_of(tmp_path / "set", 14), TrainSettings())) == 28


def test_a_recording_is_prepared_for_prediction_as_it_was_for_training(tmp_path):
    path = folder_of(tmp_path / "set", 14)
    signals = load_signals(path, TrainSettings(seconds=2.0, rate_hz=50))
    config = signals.fitted(np.arange(5)).preprocessing
    sample = TASK.read([Upload("x.csv", (path / "a" / "a0x.csv").read_bytes())])
    np.testing.assert_array_equal(TASK.prepare(sample, config)["signal"], signals.inputs(np.arange(3)))
    assert TASK.items(sample, config).tolist() == [0, 200, 400]
    other = TASK.read([Upload("x.csv", b"# rate_hz: 100\nV4\n" + b"0.1\n0.2\n" * 300)])
    with pytest.raises(InvalidInput, match="missing: ii"):
        TASK.prepare(other, config)


@pytest.mark.parametrize(("samples", "rate_hz"), [(4997, 500), (4996, 500), (7198, 360), (7200, 359.7)])
def test_there_are_as_many_items_as_windows(samples, rate_hz):
    rows = "\n".join(f"{value:.3f}" for value in np.sin(np.arange(samples) / 20))
    sample = TASK.read([Upload("x.csv", f"# rate_hz: {rate_hz}\nII (mV)\n{rows}\n".encode())])
    config = {"form": "recordings", "leads": ["ii"], "rate_hz": 125.0, "samples": 625, "most_windows": 60}
    assert len(TASK.items(sample, config)) == len(TASK.prepare(sample, config)["signal"])


@pytest.mark.parametrize("rate_hz", [100.0, 125.0, 257.0, 359.7, 500.0, 1000.0])
def test_the_length_at_another_rate_is_known_beforehand(rate_hz):
    for samples in (1, 625, 4997, 4998):
        made = resample.resampled(np.zeros((samples, 1), np.float32), rate_hz)
        assert resample.resampled_length(samples, rate_hz) == len(made)


def test_changes_keep_the_shape_and_depend_on_the_seed_only():
    windows = np.stack([signal(n) for n in range(4)]).astype(np.float32)
    one, again, other = (changed(windows, 1.0, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one.shape == windows.shape
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).mean() > 0.01


def test_a_zip_on_the_disk_is_checked(tmp_path):
    (upload,) = TASK.training_examples()[0].make()
    (tmp_path / "set.zip").write_bytes(upload.data)
    told = TASK.check(tmp_path / "set.zip", TrainSettings())
    assert told["labels"] == {"narrow": 60, "wide": 60}
    assert told["cleaning"]["steps"] == [{"do": "group-by", "column": "group"}]


@pytest.mark.tf
@pytest.mark.slow
def test_a_smoke_training_beats_chance_and_its_bundle_predicts_a_recording(synthetic, tmp_path):
    chosen = TrainSettings(
        epochs=5, seconds=4.0, batch_size=16, learning_rate=0.003, folds=0, rate_hz=50.0, augment=False
    )
    bundle = TASK.train(TASK.load_dataset(synthetic, chosen), chosen, tmp_path / "own", lambda row: None)
    assert bundle.evaluation.metric("AUC").value > 0.8
    assert bundle.info.preprocessing["leads"] == ["ii", "v1"]
    task = TASK.bound(bundle)
    right = []
    for example in task.examples():
        report = pipeline.run(task, example.make(), bundle)
        assert report.error is None
        assert len(report.prediction) == 2
        right.append(report.prediction.label() in example.slug)
    assert any(right)
    sections = task.render(report, bundle)
    assert sections.input
    assert len(sections.result) == 3


@pytest.mark.parametrize("rate_hz", [0.0, 1e6, float("nan")])
def test_a_model_of_a_rate_that_none_is_trained_at_is_refused(rate_hz: float) -> None:
    with pytest.raises(CorruptModel, match="1 to 5000 Hz"):
        constants({"rate_hz": rate_hz, "samples": 10, "leads": ["I"]})
