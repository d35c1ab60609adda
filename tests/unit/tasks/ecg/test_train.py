"""Training on drawn recordings: from folder to bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from healthdash.errors import InvalidInput, TooLittleData, TrainingStopped
from healthdash.task import Upload
from healthdash.tasks.ecg import TASKS, dataset
from healthdash.tasks.ecg.examples import real_part, simulated_parts
from healthdash.tasks.ecg.prepare import CONFIG
from healthdash.tasks.ecg.samples import as_wfdb, synthesise
from healthdash.training import TrainSettings, checkpoint, resumable
from healthdash.training.history import EpochRow


def folder_of(path: Path, kinds: list[str], seconds: float = 60.0) -> Path:
    for number, kind in enumerate(kinds):
        for upload in as_wfdb(synthesise(kind, seconds=seconds, seed=number), f"r{number}", annotated=True):
            (path / upload.name).write_bytes(upload.data)
    return path


def with_flat(path: Path) -> Path:
    """Add a record of zeros with two annotated beats, the last of the folder."""
    header, signal, annotation = as_wfdb(synthesise("normal", seconds=2.5), "z", annotated=True)
    (path / header.name).write_bytes(b"z 2 250 625\n" + b"z.dat 16 200/mV 16 0 0 0 0 II\n" * 2)
    (path / signal.name).write_bytes(bytes(len(signal.data)))
    (path / annotation.name).write_bytes(annotation.data)
    return path


def test_records_without_annotations_are_no_data_set(tmp_path: Path) -> None:
    header, signal = as_wfdb(synthesise("normal", seconds=10.0), "r")
    (tmp_path / header.name).write_bytes(header.data)
    (tmp_path / signal.name).write_bytes(signal.data)
    with pytest.raises(TooLittleData, match="beat annotations"):
        dataset.load(tmp_path)


def test_companions_are_the_files_that_a_header_names(tmp_path: Path) -> None:
    folder_of(tmp_path, ["normal"], 10.0)
    names = [path.name for path in TASKS[0].companions(tmp_path / "r0.hea")]
    assert names == ["r0.dat", "r0.atr"]
    uploads = [Upload.from_path(tmp_path / n) for n in ("r0.hea", *names)]
    assert len(TASKS[0].group(uploads)) == 1


def test_a_record_without_a_found_beat_is_measured_and_not_trained_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task, samples = TASKS[0], dataset.load(with_flat(folder_of(tmp_path, ["normal"] * 3, 10.0)))
    bundle: Any = SimpleNamespace(info=SimpleNamespace(labels=tuple(task.labels)))
    measured = task.evaluate(bundle, samples[-1:])
    assert measured.metric("beat detection sensitivity").value == 0
    assert measured.counts["beats"] == len(samples[-1].annotation.samples) > 0
    with pytest.raises(TooLittleData, match="at least 4 annotated records with beats to find, got 3"):
        task.train(samples, TrainSettings(), tmp_path / "out", lambda row: None)
    assert "as no beat is found in them: 1" in caplog.text
    with pytest.raises(InvalidInput, match="found none"):
        task.prepare(samples[-1], {})


def test_one_found_beat_has_no_rhythm_to_change(tmp_path: Path) -> None:
    sample = dataset.load(folder_of(tmp_path, ["normal"], 10.0))[0]
    alone = replace(sample, signal_mv=sample.signal_mv[: round(1.3 * sample.rate_hz)])
    assert len(alone.beats) == 1
    part = real_part(alone, 0, CONFIG)
    assert list(simulated_parts(alone, part, CONFIG, np.random.default_rng(0))) == []


@pytest.mark.tf
@pytest.mark.slow
def test_a_bundle_comes_out_of_annotated_records(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with_flat(folder_of(data, ["ventricular", "supraventricular"] * 2))
    rows: list[object] = []
    settings = TrainSettings(epochs=1, folds=2, members=1, batch_size=32)
    task = TASKS[0]
    samples = task.load_dataset(data, settings)
    bundle = task.train(samples, settings, tmp_path / "out" / "drawn", rows.append)
    assert len(rows) == 2
    assert bundle.info.data.name == "Own recordings"
    assert "all count as missed: 1" in bundle.info.limits[-1]
    assert (bundle.info.data.groups, bundle.evaluation.counts["recordings"]) == (4, 5)
    bundle.verify()
    measured = task.evaluate(bundle, samples)
    assert measured.metric("beat detection sensitivity").value > 0.95


@pytest.mark.tf
@pytest.mark.slow
def test_a_training_that_was_stopped_goes_on_to_the_same_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "_LEAST_S", 0)
    monkeypatch.setattr(resumable, "_MOST_SHARE", 1e9)
    data = tmp_path / "data"
    data.mkdir()
    folder_of(data, ["ventricular", "supraventricular"] * 2)
    settings = TrainSettings(epochs=2, folds=2, members=1, batch_size=32)
    task = TASKS[0]
    samples = task.load_dataset(data, settings)
    unbroken = task.train(samples, settings, tmp_path / "unbroken", lambda _: None)
    rows: list[EpochRow] = []

    def stop_in_the_second_fold(row: EpochRow) -> None:
        rows.append(row)
        if len(rows) == 4:
            raise TrainingStopped("stopped")

    with checkpoint.kept_in(tmp_path / "kept"):
        with pytest.raises(TrainingStopped):
            task.train(samples, settings, tmp_path / "resumed", stop_in_the_second_fold)
        resumed = task.train(samples, settings, tmp_path / "resumed", rows.append)
    assert [(row["run"], row["epoch"]) for row in rows[4:]] == [
        (row["run"], row["epoch"]) for row in rows[:4]
    ]
    for a, b in zip(unbroken.network.get_weights(), resumed.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
