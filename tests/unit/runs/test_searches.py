"""A search in the queue: trials that share their data, their table, and the best trained anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from healthdash import settings
from healthdash.runs import Run, Told, search
from healthdash.runs.command import words
from healthdash.runs.folder import RunFolder
from healthdash.runs.queue import Queue, opened
from healthdash.training import TrainSettings

DRAWN = [TrainSettings(learning_rate=rate, network="mlp", epochs=3) for rate in (0.1, 0.01, 0.001)]
OUT = Path("/models/table/own")


@pytest.fixture
def queue() -> Queue:
    return Queue(opened(settings.current()), settings.current().runs, wake=lambda _: None)


def _fill(folder: Path) -> Path:
    (folder / "data.csv").write_text("age,outcome\n1,0\n")
    return folder / "data.csv"


def _searched(queue: Queue, **more) -> search.Search:
    search.submit(queue, "ann", "table", OUT, DRAWN, ["learning_rate"], _fill, **more)
    (found,) = search.searches(queue, "ann")
    return found


def _through(queue: Queue, run: Run, loss: float, part: str = "validation", losses=(1.0,)) -> None:
    folder = queue.folder(run.id)
    metrics = {"validation loss": {"value": loss, "part": part}, "epochs": {"value": 3.0, "part": part}}
    folder.answer_file.write_text(json.dumps({"metrics": metrics}))
    before = ['"network, pre-training",1,', '"network, new end",1,0.1']
    rows = [f"network,{epoch},{value}" for epoch, value in enumerate(losses, 1)]
    folder.history_file.write_text("\n".join(["run,epoch,val_loss", *before, *rows]))
    queue.store.change(run.id, ["queued"], state="done", metrics=metrics)


def test_each_trial_is_a_run_with_its_settings_and_the_parents_tag(queue):
    found = _searched(queue)
    assert [number for number, _ in found.trials] == [1, 2, 3]
    assert [run.settings["learning_rate"] for _, run in found.trials] == [0.1, 0.01, 0.001]
    assert {run.tags for _, run in found.trials} == {("search own",)}
    assert (found.name, found.drawn, found.is_over) == ("own", ("learning_rate",), False)


def test_a_search_that_has_some_of_its_trials_gets_the_others(queue):
    found = _searched(queue)
    queue.remove(found.trials[1][1])
    (begun,) = search.searches(queue, "ann")
    search.submit(queue, "ann", "table", OUT, DRAWN, ["learning_rate"], _fill, begun=begun)
    (whole,) = search.searches(queue, "ann")
    assert whole.id == found.id
    assert [run.settings["learning_rate"] for _, run in whole.trials] == [0.1, 0.01, 0.001]
    places = [queue.folder(run.id).path / run.data for _, run in whole.trials]
    assert len({place.stat().st_ino for place in places}) == 1


def test_trials_share_their_data_without_room_of_their_own(queue):
    places = [queue.folder(run.id).path / run.data for _, run in _searched(queue).trials]
    assert {place.read_text() for place in places} == {"age,outcome\n1,0\n"}
    assert len({place.stat().st_ino for place in places}) == 1


def test_the_last_training_has_the_unlabelled_items_of_its_trials(queue):
    beside = {"unlabelled/items.csv": b"age\n1\n"}
    search.submit(queue, "ann", "table", OUT, DRAWN, ["learning_rate"], _fill, beside=beside)
    (found,) = search.searches(queue, "ann")
    for _, run in found.trials:
        _through(queue, run, 0.5)
        queue.folder(run.id).forget_inputs()
    (found,) = search.searches(queue, "ann")
    last = queue.folder(search.retrain(queue, "ann", found, OUT, None).id)
    assert (last.unlabelled / "items.csv").read_bytes() == b"age\n1\n"


def test_trials_and_the_last_training_share_data_that_lie_on_the_server(queue, tmp_path):
    (tmp_path / "data.csv").write_text("age,outcome\n1,0\n")
    search.submit(queue, "ann", "table", OUT, DRAWN, ["learning_rate"], lambda _: tmp_path / "data.csv")
    (found,) = search.searches(queue, "ann")
    _through(queue, found.trials[0][1], 0.5)
    (found,) = search.searches(queue, "ann")
    last = search.retrain(queue, "ann", found, OUT, None)
    assert {run.data for run in (last, *(run for _, run in found.trials))} == {str(tmp_path / "data.csv")}


def test_a_trial_trains_by_the_command_of_trials_others_do_not(queue):
    (_, run), *_ = _searched(queue).trials
    assert words(run, queue.folder(run.id))[3] == "trial"
    usual = queue.submit("ann", "table", OUT, TrainSettings(), _fill)
    assert words(usual, queue.folder(usual.id))[3] == "train"


def test_the_best_by_validation_loss_stands_first_and_ended_ones_are_never_chosen(queue):
    trials = [run for _, run in _searched(queue).trials]
    _through(queue, trials[0], 0.5)
    _through(queue, trials[1], 0.2)
    _through(queue, trials[2], 0.1, part="validation, ended after epoch 3")
    (found,) = search.searches(queue, "ann")
    assert found.is_over
    assert [run.id for _, run in found.judged] == [trials[1].id, trials[0].id]
    rows = found.rows()
    assert [row["trial"] for row in rows] == [2, 1, 3]
    assert [row["state"] for row in rows] == ["done", "done", "ended early"]
    assert rows[0] | {"learning_rate": 0.01, "validation loss": 0.2} == rows[0]


def test_a_trial_that_failed_says_why(queue):
    first, *_ = (run for _, run in _searched(queue).trials)
    queue.store.change(first.id, ["queued"], state="failed", error=Told("TooLittleData", "too few", "Add."))
    (found,) = search.searches(queue, "ann")
    assert found.said(1) == "trial 1 of 3: failed, too few, 2 left"
    errors = [row["error"] for row in found.rows() if "error" in row]
    assert errors == [{"type": "TooLittleData", "message": "too few", "hint": "Add."}]


def test_the_best_is_trained_anew_with_more_epochs_on_the_same_data(queue):
    trials = [run for _, run in _searched(queue, beside={"cleaning.json": b"{}"}).trials]
    _through(queue, trials[0], 0.5)
    _through(queue, trials[1], 0.2)
    # What the dispatcher does when a run is done: a trial's data stay.
    queue.folder(trials[1].id).forget_inputs()
    (found,) = search.searches(queue, "ann")
    run = search.retrain(queue, "ann", found, OUT, 40)
    assert (run.settings["learning_rate"], run.settings["epochs"], run.settings["folds"]) == (0.01, 40, 0)
    folder = queue.folder(run.id)
    assert (folder.path / run.data).read_text() == "age,outcome\n1,0\n"
    assert (folder.path / "cleaning.json").exists()
    assert not folder.search
    command = words(run, folder)
    assert command[3] == "train"
    told = json.loads(Path(command[command.index("--searched") + 1]).read_text())
    assert told == {"trials": 2, "best": 2, "loss": 0.2, "drawn": ["learning_rate"]}


def test_without_a_trial_that_is_through_there_is_no_best(queue):
    found = _searched(queue)
    assert found.judged == []
    with pytest.raises(IndexError):
        search.retrain(queue, "ann", found, OUT, None)


def test_the_losses_of_others_are_those_of_this_search_that_are_through(queue):
    trials = [run for _, run in _searched(queue, prune=True).trials]
    _through(queue, trials[0], 0.5, losses=(0.9, 0.5))
    assert search.losses_of_others(queue.folder(trials[1].id)) == [[0.9, 0.5]]
    assert search.losses_of_others(queue.folder(trials[0].id)) == []
    _searched_again = search.submit(queue, "ann", "table", OUT, DRAWN, ["learning_rate"], _fill, prune=True)
    other = next(one for one in search.searches(queue, "ann") if one.id == _searched_again)
    assert search.losses_of_others(queue.folder(other.trials[0][1].id)) == []


def test_losses_on_another_scale_are_not_compared(queue):
    drawn = [TrainSettings(network="mlp", loss=loss) for loss in ("focal", "cross-entropy", "focal")]
    search.submit(queue, "ann", "table", OUT, drawn, ["loss"], _fill, prune=True)
    (found,) = search.searches(queue, "ann")
    focal, plain, other = (run for _, run in found.trials)
    _through(queue, focal, 0.5, losses=(0.2, 0.1))
    assert search.losses_of_others(queue.folder(plain.id)) == []
    assert search.losses_of_others(queue.folder(other.id)) == [[0.2, 0.1]]


def test_a_draw_that_means_nothing_beside_the_others_does_not_end_the_last_training(queue):
    drawn = [TrainSettings(network="mlp", optimizer="adam", weight_decay=0.1)]
    search.submit(queue, "ann", "table", OUT, drawn, ["optimizer", "weight_decay"], _fill)
    _through(queue, search.searches(queue, "ann")[0].trials[0][1], 0.5)
    (found,) = search.searches(queue, "ann")
    chosen = search.retrain(queue, "ann", found, OUT, 5).settings
    assert (chosen["optimizer"], chosen["weight_decay"]) == ("adam", None)


def test_without_pruning_nobody_looks_at_others(queue):
    trials = [run for _, run in _searched(queue).trials]
    _through(queue, trials[0], 0.5)
    assert search.losses_of_others(queue.folder(trials[1].id)) == []


def test_nothing_is_left_over_when_all_trials_are_deleted(queue):
    _searched(queue)
    queue.remove_all("ann")
    assert search.searches(queue, "ann") == []
    assert not [path for path in settings.current().runs.iterdir() if path.is_dir()]


def test_a_folder_without_a_search_is_no_trial(tmp_path):
    assert RunFolder(tmp_path).search == {}
    (tmp_path / "search.json").write_text("{")
    assert RunFolder(tmp_path).search == {}
