"""A whole training on a few synthetic pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from healthdash.errors import TrainingStopped
from healthdash.tasks.imaging.dataset import LabelledPictures
from healthdash.training import TrainSettings

pytestmark = [pytest.mark.tf, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _few_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out all stages of the network but two: tracing all takes half a minute a network."""
    from healthdash.tasks.imaging import network

    monkeypatch.setattr(network, "_STAGES", network._STAGES[:2])


@pytest.fixture
def squares() -> LabelledPictures:
    """Return pictures with a bright square on the left, on the right, or none."""
    rng = np.random.default_rng(0)
    labels = np.arange(72) % 3
    pictures = rng.integers(0, 60, (72, 32, 32)).astype(np.uint8)
    pictures[labels == 1, 8:24, 4:14] += 150
    pictures[labels == 2, 8:24, 18:28] += 150
    return LabelledPictures(
        pictures=pictures,
        labels=labels,
        names=("normal", "bacterial", "viral"),
        groups=np.arange(72).astype(str),
        series=np.array(["made"] * 72),
        fingerprint="made",
        title="made",
    )


def _small(folds: int):
    from healthdash.tasks.imaging.plans import CHEST_XRAY

    fit = replace(CHEST_XRAY.fit, epochs=2, batch_size=16, half_precision=False)
    return replace(CHEST_XRAY, size=32, members=1, folds=folds, fit=fit)


@pytest.mark.parametrize("folds", [0, 2])
def test_a_training_gives_a_whole_bundle(squares: LabelledPictures, tmp_path: Path, folds: int) -> None:
    from healthdash.tasks.imaging.recipe import train

    rows = []
    bundle = train(_small(folds), squares, TrainSettings(seed=1), tmp_path / "made", rows.append)
    assert len(rows) == 2 * max(folds, 1)
    assert {"epoch", "loss", "val_loss", "learning_rate", "run"} <= set(rows[0])
    assert bundle.info.labels == squares.names
    assert bundle.evaluation.metric("pneumonia AUC").n > 0
    assert "not for clinical use" in bundle.card
    bundle.verify()


@pytest.mark.parametrize("published", [False, True])
def test_heads_by_folds_give_a_whole_bundle(
    squares: LabelledPictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    from healthdash.tasks.imaging import crossed
    from healthdash.tasks.imaging.recipe import train
    from healthdash.tasks.imaging.transfer import HeadPlan

    monkeypatch.setattr(crossed, "is_published", lambda _: published)
    recipe = replace(_small(2), head=HeadPlan(epochs=3), numbered=True)
    bundle = train(recipe, squares, TrainSettings(seed=1), tmp_path / "made", lambda _: None)
    found = bundle.evaluation
    assert found.metric("normal recall").value == 1
    neighbours = ["2 folds of neighbouring files"] * published  # of published files alone is the order known
    by_number = [row for row in found.subgroups if row.note.startswith("patients numbered")]
    assert bool(by_number) == published
    assert {row.part for row in by_number} <= {"2 folds by group"}
    assert sorted({row.part for row in found.subgroups if row not in by_number}) == neighbours
    assert [row.part for row in found.comparisons if row.name == "macro AUC"] == [
        "2 folds by group",
        *neighbours,
    ]
    assert "as ImageNet left it" in bundle.card


def test_a_training_stopped_within_a_network_goes_on_to_the_same_one(
    squares: LabelledPictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from healthdash.tasks.imaging.recipe import train
    from healthdash.training import checkpoint, resumable

    monkeypatch.setattr(resumable, "_LEAST_S", 0)
    monkeypatch.setattr(resumable, "_MOST_SHARE", 1e9)
    unbroken = train(_small(0), squares, TrainSettings(epochs=4), tmp_path / "unbroken", lambda _: None)

    def stop_in_the_third(row) -> None:
        if row["epoch"] == 3:
            raise TrainingStopped("stopped", hint="")

    rows = []
    with checkpoint.kept_in(tmp_path / "kept"):
        with pytest.raises(TrainingStopped):
            train(_small(0), squares, TrainSettings(epochs=4), tmp_path / "resumed", stop_in_the_third)
        resumed = train(_small(0), squares, TrainSettings(epochs=4), tmp_path / "resumed", rows.append)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert not (tmp_path / ".members-resumed").exists()
    for a, b in zip(unbroken.network.get_weights(), resumed.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_stopped_training_goes_on_with_what_was_finished(squares: LabelledPictures, tmp_path: Path) -> None:
    from healthdash.tasks.imaging.recipe import train

    seen = []

    def stop_in_the_second(row) -> None:
        seen.append(row)
        if row["run"] == "fold 2" and len(seen) == 3:
            raise TrainingStopped("stopped", hint="")

    with pytest.raises(TrainingStopped):
        train(_small(2), squares, TrainSettings(), tmp_path / "made", stop_in_the_second)
    again = []
    bundle = train(_small(2), squares, TrainSettings(), tmp_path / "made", again.append)
    assert [row["loss"] for row in again[:2]] == [row["loss"] for row in seen[:2]]
    assert len(bundle.history) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_figures_in_folds_stand_beside_those_of_the_bundle(
    squares: LabelledPictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from healthdash import bundles
    from healthdash.tasks.imaging import crossed, in_folds
    from healthdash.tasks.imaging.members import Finished
    from healthdash.tasks.imaging.recipe import train

    bundle = train(_small(0), squares, TrainSettings(seed=1), tmp_path / "made", lambda _: None)
    monkeypatch.setattr(in_folds, "is_published", lambda _: True)
    monkeypatch.setattr(crossed, "is_published", lambda _: True)
    whole, apart = in_folds.figures(_small(2), squares, bundle, 1, Finished(tmp_path / "folds"))
    assert {row.part for row in (*whole, *apart)} == {"2 folds by group"}
    assert whole[0].n == len(squares)
    assert any("patients numbered" in row.note for row in apart)
    for _ in range(2):  # the second time in the place of the first
        in_folds.put_beside(bundle, whole, apart, "a command")
        bundle = bundles.open_folder(tmp_path / "made")
    found = bundle.evaluation
    assert [row.name for row in found.metrics].count("pneumonia AUC, in folds") == 1
    assert found.metric("pneumonia AUC").part == "test"
    assert found.split_rule.count("a command") == 1
    assert "bacterial against viral AUC, in folds" in bundle.card
    bundle.verify()
