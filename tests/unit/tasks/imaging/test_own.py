"""Own pictures: read and looked at, planted faults found, trained, and a model that beats chance."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from healthdash import archive, cli, pipeline, tasks
from healthdash.datasets.listing import PEOPLE
from healthdash.datasets.report import report, settled
from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.tables.steps import GroupBy
from healthdash.task import Upload
from healthdash.tasks.imaging.augment import changed
from healthdash.tasks.imaging.own_set import MILDER, load_pictures
from healthdash.tasks.imaging.own_survey import list_pictures, survey_pictures
from healthdash.training import TrainSettings
from tests.unit.tasks.imaging.written import dicom_bytes

TASK = tasks.get("images")


def noise(seed: int, side: int = 72, *, colour: bool = False) -> np.ndarray:
    """Return grain on slow waves: pictures that are unlike each other."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(60, 200, (9, 9, 3 if colour else 1)).repeat(side // 9, 0).repeat(side // 9, 1)
    picture = np.clip(small + rng.normal(0, 12, (side, side, 1)), 0, 255).astype(np.uint8)
    return picture if colour else picture[..., 0]


def save(path, pixels, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def folder_of(path, count: int = 30, *, colour: bool = False):
    for number in range(count):
        for label, shift in (("a", 0), ("b", 1000)):
            save(path / label / f"{label}{number}x.png", noise(number + shift, colour=colour))
    return path


def looked(path, size: int = 32):
    return survey_pictures(list_pictures(path, None), size)


def test_a_clean_folder_gives_no_finding_but_its_size(tmp_path):
    listing, survey, store = looked(folder_of(tmp_path / "set"))
    steps, found = settled(listing, survey)
    assert steps == []
    assert {one.code for one in found.findings} <= {"few-rows"}
    assert store.channels == 1
    assert found.ranges["width"] == "72 (60)"


def test_broken_foreign_and_blank_files_are_told_with_reasons(tmp_path):
    path = folder_of(tmp_path / "set")
    whole = (path / "a" / "a0x.png").read_bytes()
    (path / "a" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (path / "b" / "page.png").write_bytes(b"<html></html>")
    save(path / "b" / "blank.png", np.full((72, 72), 90, np.uint8))
    listing, survey, _ = looked(path)
    assert (survey.reasons != "").sum() == 2
    assert any("HTML" in reason for reason in survey.reasons)
    steps, found = settled(listing, survey)
    assert {step.what for step in steps} == {"unreadable", "blank"}
    assert len(found.items) == 60


def test_a_copy_in_another_format_and_a_near_copy_under_another_label_are_found(tmp_path):
    path = folder_of(tmp_path / "set")
    save(path / "a" / "same.bmp", noise(3))
    save(path / "b" / "near.jpg", noise(4), quality=60)
    listing, survey, _ = looked(path)
    _, found = settled(listing, survey)
    told = {one.code: one.words for one in report(listing, survey).findings}
    assert "Exactly the same as another one: 1 picture" in told["copies"]
    assert "Under different labels: 1" in told["near-copies"]
    assert not {"copies", "near-copies"} & {one.code for one in found.findings}


def test_one_label_that_was_made_otherwise_is_a_shortcut(tmp_path):
    path = tmp_path / "set"
    for number in range(40):
        save(path / "a" / f"{number}x.png", noise(number))
        save(path / "b" / f"{number}x.jpg", noise(number + 500, side=90), quality=90)
    listing, survey, _ = looked(path)
    _, found = settled(listing, survey)
    shortcuts = {one.columns[0] for one in found.findings if one.code == "shortcut"}
    assert {"file format", "width", "height"} <= shortcuts
    assert all(one.severity == "error" for one in found.findings if one.code == "shortcut")


def test_dicom_headers_name_patients_who_become_the_groups(tmp_path):
    path = tmp_path / "set"
    for number in range(30):
        for label in ("a", "b"):
            pixels = noise(number + 100 * (label == "b")).astype(np.uint16) * 16
            (path / label).mkdir(parents=True, exist_ok=True)
            patient = f"{label}{number // 2}"
            (path / label / f"{number}.dcm").write_bytes(
                dicom_bytes(pixels, PatientID=patient, Modality="CT")
            )
    listing, survey, _ = looked(path)
    assert survey.identifying == {"PatientName": 60, "PatientID": 60}
    steps, found = settled(listing, survey)
    assert GroupBy(column=PEOPLE) in steps
    assert found.groups == 30
    assert {"identifying", "groups-torn"} & {one.code for one in found.findings} == {"identifying"}


def test_colour_is_decided_from_the_data_and_grey_pictures_join_in(tmp_path):
    path = folder_of(tmp_path / "set", 12, colour=True)
    save(path / "a" / "grey.png", noise(77))
    pictures = load_pictures(path, TrainSettings(size=32))
    assert pictures.store.channels == 3
    prepared = pictures.fitted(np.arange(len(pictures)))
    assert prepared.inputs(np.arange(4)).shape == (4, 32, 32, 3)
    moved = prepared.inputs(np.arange(4), np.random.default_rng(0))
    assert moved.shape == (4, 32, 32, 3)
    assert moved.min() >= 0
    assert moved.max() <= 1
    again = prepared.inputs(np.arange(4), np.random.default_rng(0))
    np.testing.assert_array_equal(moved, again)


def test_a_picture_is_prepared_for_prediction_as_it_was_for_training(tmp_path):
    path = folder_of(tmp_path / "set", 12)
    pictures = load_pictures(path, TrainSettings(size=32))
    first = (path / "a" / "a0x.png").read_bytes()
    sample = TASK.read([Upload("x", first)])
    config = pictures.fitted(np.arange(5)).preprocessing
    np.testing.assert_array_equal(TASK.prepare(sample, config)["image"], pictures.inputs(np.array([0])))


def test_stronger_changes_change_more():
    picture = noise(1)
    rng = np.random.default_rng
    weak = [np.abs(changed(picture, MILDER.scaled(0.2), rng(n)) - picture / 255).mean() for n in range(20)]
    strong = [np.abs(changed(picture, MILDER.scaled(2.0), rng(n)) - picture / 255).mean() for n in range(20)]
    assert np.mean(strong) > 1.5 * np.mean(weak)


def test_hostile_archives_are_refused_by_the_reason(tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/1.png", b"\0" * (30 << 20))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("../../1.png", b"x")
    for number, (content, error) in enumerate(
        [(bomb.getvalue(), InvalidInput), (out.getvalue(), InvalidInput), (b"PK no zip", UnreadableUpload)]
    ):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        with pytest.raises(error):
            TASK.check(path, TrainSettings())
    assert not list(tmp_path.parent.glob("*.png"))


def test_the_command_line_prints_the_report_of_a_zip(tmp_path, capsys):
    (upload,) = TASK.training_examples()[0].make()
    path = tmp_path / "set.zip"
    path.write_bytes(upload.data)
    asked = ["check", "--task", "images", "--data", str(path), "--group", "beginning of the file name"]
    assert cli.main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["labels"] == {"round": 180, "star": 180}
    assert told["groups"] == 180
    assert told["cleaning"]["steps"] == [{"do": "group-by", "column": "beginning of the file name"}]
    assert cli.main(["check", "--task", "images", "--data", str(tmp_path / "none")]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["hint"]


@pytest.mark.tf
@pytest.mark.slow
def test_a_smoke_training_beats_chance_and_its_bundle_predicts_and_gates(tmp_path):
    (upload,) = TASK.training_examples()[0].make()
    (tmp_path / "set").mkdir()
    path = archive.placed(upload.name, upload.data, tmp_path / "set")
    chosen = TrainSettings(
        epochs=5, size=48, learning_rate=0.003, folds=0, group="beginning of the file name"
    )
    bundle = TASK.train(TASK.load_dataset(path, chosen), chosen, tmp_path / "spots", lambda row: None)
    assert bundle.evaluation.metric("AUC").value > 0.8
    assert bundle.info.preprocessing["steps"] == [{"do": "group-by", "column": "beginning of the file name"}]
    assert "split by beginning of the file name" in bundle.card
    task = TASK.bound(bundle)
    for example in task.examples():
        assert pipeline.run(task, example.make(), bundle).error is None
    star = next(path.rglob("*star-03-0.png")).read_bytes()
    assert pipeline.run(task, [Upload("x", star)], bundle).gate.verdict == "pass"
    stripes = np.tile(np.where(np.arange(72) % 6 < 3, 255, 0).astype(np.uint8), (72, 1))
    file = io.BytesIO()
    Image.fromarray(stripes).save(file, "PNG")
    assert pipeline.run(task, [Upload("x", file.getvalue())], bundle).gate.verdict != "pass"
    measured = task.evaluate(bundle, task.load_dataset(path, TrainSettings(size=48)))
    assert measured.metric("AUC").value > 0.8
