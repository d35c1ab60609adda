"""Training and prediction on two local nodes give what they give here, also when a worker dies."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from healthdash import cli, scale, settings, tasks
from healthdash.errors import MissingDependency, TrainingStopped
from healthdash.runs.dispatcher import Dispatcher
from healthdash.runs.queue import Queue, opened, place_of
from healthdash.training import TrainSettings, checkpoint
from tests import labelled as made
from tests.dying import Dies

pytestmark = [pytest.mark.tf, pytest.mark.slow]
SHORT = TrainSettings(network="mlp", epochs=4, folds=3, seed=2, batch_size=32)


def _here(parts, items):
    from healthdash.training.studio.fitting import fit_fold

    return [fit_fold(items, SHORT, part, lambda row: None) for part in parts]


@pytest.fixture
def items():
    return made.rows(120)


@pytest.fixture
def parts(items):
    from healthdash.training.studio.parts import parts_of

    return parts_of(items, SHORT)


def _same(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one.logits, other.logits, atol=1e-5)
        for a, b in zip(one.weights, other.weights, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_folds_on_two_nodes_give_the_networks_that_they_give_here(cluster, items, parts):
    rows = []
    found = scale.fitting()(items, SHORT, rows.append)(parts)
    _same(found, _here(parts, items))
    told = {(row["run"], row["epoch"]) for row in rows}
    assert len(rows) == len(told)
    assert {run for run, _ in told} == {part.run for part in parts}


def test_a_fold_whose_worker_is_killed_goes_on_elsewhere_and_nothing_is_lost(cluster, items, parts, tmp_path):
    marker, rows = tmp_path / "killed", []
    with checkpoint.kept_in(tmp_path / "kept"):
        found = scale.fitting()(Dies(items, marker), SHORT, rows.append)(parts)
    assert marker.exists()
    _same(found, _here(parts, items))
    assert len(rows) == len({(row["run"], row["epoch"]) for row in rows})


def test_a_stop_ends_the_folds(cluster, items, parts):
    def stop(row):
        raise TrainingStopped("stopped")

    with pytest.raises(TrainingStopped):
        scale.fitting()(items, SHORT, stop)(parts)


def test_an_error_of_a_fold_comes_as_it_is_here(cluster, items, parts):
    from dataclasses import replace

    from healthdash.errors import InvalidInput

    with pytest.raises(InvalidInput, match="network"):
        scale.fitting()(items, replace(SHORT, network="no-such"), lambda row: None)(parts)


TOLD = 'import os, sys, time; sys.stdout.write(\'{"metrics": {"AUC": {"value": 0.9}}}\\n\')'


@pytest.fixture
def place(cluster, monkeypatch):
    """Return a queue with a dispatcher that starts its runs on the cluster."""
    from healthdash.scale import runs

    queue = Queue(opened(settings.current()), settings.current().runs, wake=lambda _: None)

    def submitted(task: str, **chosen):
        (upload,) = tasks.get("table").training_examples()[0].make()

        def fill(folder: Path) -> Path:
            (folder / "data.csv").write_bytes(upload.data)
            return folder / "data.csv"

        return queue.submit("ann", task, settings.current().home / "own", TrainSettings(**chosen), fill)

    root = settings.current().runs
    dispatcher = Dispatcher(queue.store, root, place_of(root), 2, start=runs.start)
    queue.submitted, queue.dispatcher = submitted, dispatcher
    return queue


def _until(queue, run, *states, seconds=300):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = queue.store.get(run.id)
        if now.state in states:
            return now
        queue.dispatcher.look()
        time.sleep(0.1)
    raise TimeoutError(f"{now.state} {queue.folder(run.id).log}")


def _worker(folder) -> int:
    """Return the process that trains in a folder: the one that has its log open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == str(folder.log_file) for fd in (process / "fd").iterdir()):
                if int(process.name) != os.getpid():
                    return int(process.name)
        except OSError:
            continue
    raise LookupError(folder.path)


def test_a_run_whose_worker_is_killed_half_way_is_done_from_its_checkpoint(place):
    run = place.submitted("table", epochs=40, members=2, folds=2, target="outcome")
    folder = place.folder(run.id)
    deadline = time.monotonic() + 300
    while len(folder.history) < 15 and time.monotonic() < deadline:
        place.dispatcher.look()
        time.sleep(0.05)
    assert not place.store.get(run.id).is_over
    os.kill(_worker(folder), signal.SIGKILL)
    done = _until(place, run, "done", "failed", "lost")
    assert done.state == "done", folder.log
    assert len(folder.history) == 3 * 40
    assert done.metrics["AUC"]["value"] > 0.5


def test_a_run_that_fails_on_the_cluster_says_why(place):
    run = place.submitted("table", target="no such column")
    failed = _until(place, run, "done", "failed", "lost")
    assert failed.state == "failed"
    assert "column" in failed.error.message


def test_a_run_on_the_cluster_can_be_stopped(place):
    run = place.submitted("table", epochs=1000, folds=2, target="outcome")
    _until(place, run, "running")
    place.stop(place.store.get(run.id))
    assert _until(place, run, "stopped")


def _lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_many_files_are_predicted_in_order_with_an_error_for_each_bad_one(
    cluster, tmp_path, capsys, monkeypatch
):
    task = tasks.get("heart-disease")
    (upload,) = task.examples()[0].make()
    head, row = upload.data.splitlines()[:2]
    paths = []
    for number in range(12):
        path = tmp_path / f"{11 - number:02d}.csv"
        path.write_bytes(b"\x00broken" if number == 5 else head + b"\n" + row + b"\n")
        paths.append(str(path))
    paths.insert(3, str(tmp_path / "absent.csv"))
    assert cli.main(["predict", "heart-disease", *paths]) == 1
    there = _lines(capsys)
    assert [line["source"] for line in there] == paths
    assert [number for number, line in enumerate(there) if "error" in line] == [3, 6]

    monkeypatch.setenv("HEALTHDASH_RAY_ADDRESS", "")
    settings.current.cache_clear()
    good = [path for number, path in enumerate(paths) if number not in (3, 6)]
    cli.main(["predict", "heart-disease", *good])
    here = _lines(capsys)
    for a, b in zip([line for line in there if "error" not in line], here, strict=True):
        assert a["probabilities"] == pytest.approx(b["probabilities"], abs=1e-5)
        assert {**a, "probabilities": 0} == {**b, "probabilities": 0}


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("HEALTHDASH_RAY_ADDRESS", "auto")
    settings.current.cache_clear()
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency, match="ray"):
        scale.cluster.connected()
    settings.current.cache_clear()


def test_without_an_address_nothing_goes_to_a_cluster():
    assert not scale.is_on()
    assert scale.fitting() is None


def test_one_network_on_two_workers_learns_together(cluster, tmp_path, monkeypatch):
    from healthdash.training.ranking import separation
    from healthdash.training.studio.parts import parts_of

    items, rows = made.rows(240), []
    chosen = TrainSettings(network="mlp", epochs=12, folds=0, seed=1, batch_size=32, learning_rate=0.01)
    (part,) = parts_of(items, chosen)
    monkeypatch.setenv("HEALTHDASH_RAY_WORKERS", "2")
    settings.current.cache_clear()
    with checkpoint.kept_in(tmp_path / "kept"):
        (fitted,) = scale.fitting()(items, chosen, rows.append)([part])
    assert fitted.logits.shape == (len(part.judged), 2)
    scores = fitted.logits[:, 1].astype(float) - fitted.logits[:, 0]
    assert separation(items.truth[part.judged], scores) > 0.85
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 1
