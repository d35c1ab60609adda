"""Several models on the same labelled data, from Python and from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from healthdash import bundles, cli, tasks
from healthdash.archive import placed
from healthdash.comparison import compare
from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers

pytestmark = pytest.mark.tf


@pytest.fixture
def two(tmp_path):
    """Return a shipped model, and one with the same ranking that finds disease more often."""
    shipped = bundles.get("heart-disease")
    folder = tmp_path / "eager"
    shutil.copytree(shipped.path, folder)
    told = json.loads((folder / "bundle.json").read_text()) | {"name": "eager"}
    told["calibration"]["offset"] = [0.0, 2.0]
    (folder / "bundle.json").write_text(json.dumps(told))
    bundles._opened.clear()
    return shipped, bundles.open_folder(folder)


@pytest.fixture
def data(tmp_path):
    (upload,) = tasks.get("heart-disease").training_examples()[0].make()
    return placed(upload.name.split("/")[-1], upload.data, tmp_path)


def test_a_model_of_the_same_ranking_differs_in_calibration_only(two, data):
    found = compare(tasks.get("heart-disease"), two, data, TrainSettings())
    ((pair, differences),) = found.differences.items()
    by_measure = {one.measure: one for one in differences}
    assert pair == (two[0].name, "eager")
    assert by_measure["AUC"].difference == pytest.approx(0.0, abs=1e-6)
    assert by_measure["AUC"].winner is None
    assert by_measure["Brier score"].difference != 0
    assert set(found.roc["present"]) == set(found.reliability["present"]) == set(pair)


def test_the_order_in_which_models_are_named_changes_nothing_but_signs():
    patients = np.repeat(np.arange(30), 20)
    truth = patients % 2

    def model(name, seed, groups):
        chance = np.random.default_rng(seed)
        p = 1 / (1 + np.exp(-(truth - 0.5 + chance.normal(0, 1, 30)[patients])))
        both = np.stack([1 - p, p], axis=1)
        return SimpleNamespace(
            name=name, answers=Answers(("no", "yes"), truth, both, both.argmax(axis=1), groups)
        )

    plain, grouped, other = (
        model("a", 1, np.arange(600)),
        model("b", 2, patients),
        model("c", 3, np.arange(600)),
    )
    task = SimpleNamespace(
        bound=lambda bundle: SimpleNamespace(
            load_dataset=lambda path, settings: None, answers=lambda bundle, data: bundle.answers
        )
    )
    forth = compare(task, (plain, other, grouped), Path(), TrainSettings())
    back = compare(task, (grouped, other, plain), Path(), TrainSettings())
    assert forth.groups == back.groups == 30
    for pair, found in forth.differences.items():
        turned = back.differences[pair[::-1]]
        assert [one.low for one in found] == pytest.approx([-one.high for one in turned])
        assert [one.high for one in found] == pytest.approx([-one.low for one in turned])


def test_one_model_is_no_comparison(two, data):
    with pytest.raises(InvalidInput, match="two models of other weights"):
        compare(tasks.get("heart-disease"), [two[0], two[0]], data, TrainSettings())


def test_two_versions_of_one_name_are_named_by_their_folders(tmp_path):
    truth = np.arange(60) % 2
    both = np.stack([1 - 0.6 * truth, 0.6 * truth], axis=1)
    answers = Answers(("no", "yes"), truth, both, both.argmax(axis=1), np.arange(60))

    def version(folder, sha256):
        info = SimpleNamespace(sha256=sha256)
        return SimpleNamespace(name="best", answers=answers, path=tmp_path / folder, info=info)

    task = SimpleNamespace(
        bound=lambda bundle: SimpleNamespace(
            load_dataset=lambda path, settings: None, answers=lambda bundle, data: bundle.answers
        )
    )
    pair = (version("best", "1"), version("best-v1", "2"))
    assert compare(task, pair, Path(), TrainSettings()).names == ("best", "best-v1")
    apart = (version("new/best", "1"), version("old/best", "2"))
    assert compare(task, apart, Path(), TrainSettings()).names == ("new/best", "old/best")
    with pytest.raises(InvalidInput, match="two models of other weights") as caught:
        compare(task, (version("best", "1"), version("copy", "1")), Path(), TrainSettings())
    assert "folders" in caught.value.hint


def test_the_command_prints_differences_in_words(two, capsys):
    code = cli.main(
        ["compare", "heart-disease", "--data", "synthetic", "--models", two[0].name, str(two[1].path)]
    )
    (told,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert code == 0
    assert [one["measure"] for one in told["differences"]] == ["AUC", "Brier score", "accuracy"]
    assert "these rows do not tell" in told["differences"][0]["words"]
    assert "flatter" in told["caution"]
