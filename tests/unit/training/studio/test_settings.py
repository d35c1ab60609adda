"""Settings are declared once, reach the command line, and are refused where they mean nothing."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from healthdash import tasks
from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings, flags
from healthdash.training.settings import abouts
from healthdash.training.studio.networks import NETWORKS
from healthdash.training.studio.plans import heeded


def _parsed(*words):
    parser = argparse.ArgumentParser()
    flags.add(parser)
    return flags.settings(parser.parse_args(words))


def test_every_setting_says_what_it_is_and_has_a_flag():
    for name, about in abouts().items():
        assert about.label
        assert about.help.endswith(".")
        assert about.kind != "choice" or flags.choices(name)
    assert _parsed() == TrainSettings()
    assert len(abouts()) == len(fields(TrainSettings))


def test_flags_become_settings():
    found = _parsed("--network", "gru", "--label-smoothing", "0.1", "--no-augment", "--batch-size", "8")
    assert found == TrainSettings(network="gru", label_smoothing=0.1, augment=False, batch_size=8)


def test_a_number_out_of_its_limits_is_refused_in_words():
    with pytest.raises(InvalidInput, match=r"--dropout: expected 0 to 0\.9, got 2"):
        _parsed("--dropout", "2")


def test_a_choice_that_is_none_is_refused():
    with pytest.raises(SystemExit):
        _parsed("--optimizer", "magic")


@pytest.mark.parametrize(
    ("task", "settings", "named"),
    [
        ("ecg-beats", TrainSettings(mixup=0.2), "mixup"),
        ("ecg-beats", TrainSettings(patience=3), "patience"),
        ("chest-xray", TrainSettings(network="resnet-2d"), "network"),
        ("lung-ct", TrainSettings(members=2), "networks"),
        ("heart-disease", TrainSettings(augment=False), "augmentation"),
        ("readmission", TrainSettings(folds=5), "folds"),
        ("table", TrainSettings(dropout=0.5), "dropout"),
        ("table", TrainSettings(network="mlp", mixup=0.2), "mixup"),
        ("table", TrainSettings(network="mlp", size=64), "picture size"),
    ],
)
def test_what_a_recipe_does_not_heed_is_refused_by_name(task, settings, named):
    one = tasks.get(task)
    with pytest.raises(InvalidInput, match=f"(?i){named}.*means nothing"):
        flags.check(settings, one.heeded(settings), task)


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("ecg-beats", TrainSettings(epochs=2, folds=2, members=2, augment=False)),
        ("chest-xray", TrainSettings(members=2, patience=5)),
        ("lung-ct", TrainSettings(folds=0, members=2)),
        ("heart-disease", TrainSettings(folds=3, members=2)),
        ("table", TrainSettings(network="transformer", dropout=0.5, loss="focal", target="y")),
    ],
)
def test_what_a_recipe_heeds_is_taken(task, settings):
    flags.check(settings, tasks.get(task).heeded(settings), task)


@pytest.mark.parametrize("task", [task.slug for task in tasks.all_tasks()])
def test_the_synthetic_sets_of_every_task_choose_only_what_is_heeded(task):
    one = tasks.get(task)
    for example in one.training_examples():
        flags.check(example.settings, one.heeded(example.settings), task)


def test_some_settings_leave_others_without_a_meaning():
    assert "weight_decay" not in heeded("picture", TrainSettings(optimizer="adam"))
    assert "augmentation" not in heeded("picture", TrainSettings(augment=False))
    assert "synthetic_epochs" not in heeded("picture", TrainSettings())
    assert "weights_file" not in heeded("picture", TrainSettings(network="resnet-2d"))
    assert "weights_file" in heeded("picture", TrainSettings(network="densenet-121"))
    assert "loss" not in heeded("row", TrainSettings(network="autoencoder"))


def test_settings_without_a_meaning_can_be_taken_out():
    chosen = TrainSettings(optimizer="adam", weight_decay=0.1, epochs=3)
    assert flags.without(chosen, heeded("picture", chosen)) == TrainSettings(optimizer="adam", epochs=3)


def test_every_setting_and_every_network_is_documented():
    docs = "".join(path.read_text() for path in (Path(__file__).resolve().parents[4] / "docs").glob("*.md"))
    words = {f"--no-{n}" if about.kind == "flag" else flags.flag(n) for n, about in abouts().items()}
    assert not [word for word in words if word not in docs]
    assert not [slug for slug in NETWORKS if f"`{slug}`" not in docs]
