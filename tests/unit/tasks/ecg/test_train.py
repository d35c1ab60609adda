"""Training on drawn recordings: from folder to bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from healthdash.errors import TooLittleData, TrainingStopped
from healthdash.task import Upload
from healthdash.tasks.ecg import TASKS, dataset
from healthdash.tasks.ecg.samples import as_wfdb, synthesise
from healthdash.training import TrainSettings, checkpoint, resumable
from healthdash.training.history import EpochRow


def folder_of(path: Path, kinds: list[str], seconds: float = 60.0) -> Path:
    for number, kind in enumerate(kinds):
        for upload in as_wfdb(synthesise(kind, seconds=seconds, seed=number), f"r{number}", annotated=True):
            (path / upload.name).write_bytes(upload.data)
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


@pytest.mark.tf
@pytest.mark.slow
def test_a_bundle_comes_out_of_annotated_records(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    folder_of(data, ["ventricular", "supraventricular"] * 2)
    rows: list[object] = []
    settings = TrainSettings(epochs=1, folds=2, members=1, batch_size=32)
    task = TASKS[0]
    samples = task.load_dataset(data, settings)
    bundle = task.train(samples, settings, tmp_path / "out" / "drawn", rows.append)
    assert len(rows) == 2
    assert bundle.info.data.name == "Own recordings"
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
