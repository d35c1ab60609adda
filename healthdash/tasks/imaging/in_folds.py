"""How well a recipe does in folds, put beside the figures of the bundle that was trained by it.

One small part of a data set that was kept apart says little: with some two hundred patients an AUC is known
to a few hundredths at best. In folds every picture is judged, each by a network that did not see its patient.

``python -m healthdash.tasks.imaging.in_folds --model models/chest-xray/NAME --data FOLDER`` trains the recipe
once a fold, hours on two cores; stopped and called again it goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from healthdash import bundles, runtime, tasks
from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings, checkpoint
from healthdash.training.calibration import Calibration
from healthdash.training.command import portable
from healthdash.training.evaluation import Evaluation, MetricRow
from healthdash.training.history import EpochRow

from .crossed import Cut, out_of_fold
from .dataset import LabelledPictures
from .measuring import TRIVIAL, rows_for
from .members import Finished
from .numbering import rows_by_numbering
from .plans import Recipe
from .published import is_published
from .shortcuts import told_by_statistics
from .trained import TrainedOnPictures

__all__ = ["carried_over", "figures", "main", "put_beside"]

#: What tells these figures from those of the bundle's own networks.
_IN_FOLDS = "in folds"
_RULE = " In folds:"
_TOLD = ("run", "epoch", "loss", "val_loss")
_NOTE = "the same recipe, one network a fold"


def figures(
    recipe: Recipe, dataset: LabelledPictures, bundle: Bundle, seed: int, finished: Finished
) -> tuple[list[MetricRow], list[MetricRow]]:
    """Train the recipe without each fold and measure how well labels are told apart.

    Nothing is fitted on a fold that is measured: no epoch is chosen, and probabilities are not calibrated,
    which leaves every AUC of two labels as it is.

    Returns
    -------
    list of MetricRow, list of MetricRow
        Of all pictures; of the parts of a published numbering.
    """
    _, (cut, *_) = out_of_fold(recipe, dataset, seed, _tell, finished)
    info = bundle.info.model_copy(update={"seed": seed})
    whole, apart = _rows(dataset, bundle, cut), list[MetricRow]()
    if is_published(dataset):
        plain = Calibration().apply(cut.logits)
        trivial = told_by_statistics(dataset.pictures, dataset.labels, cut.folds, seed=seed)
        judged, every = {_NOTE: plain, f"{_NOTE}; {TRIVIAL}": trivial}, np.arange(len(dataset))
        apart = [_named(row) for row in rows_by_numbering(info, judged, dataset, every, part=cut.part)]
    return whole, apart


def put_beside(
    bundle: Bundle, whole: Sequence[MetricRow], apart: Sequence[MetricRow], command: str
) -> Bundle:
    """Put figures in folds into a bundle's evaluation and card, in the place of earlier ones."""
    old = bundle.evaluation
    rule = (
        f"{old.split_rule.partition(_RULE)[0]}{_RULE} networks of the same recipe, each trained without one "
        f"fold, judge the pictures of that fold; no patient is in two folds, no epoch was chosen by a fold "
        f"(`{command}`)."
    )
    metrics, subgroups = (*_without(old.metrics), *whole), (*_without(old.subgroups), *apart)
    changed = {"split_rule": rule, "metrics": metrics, "subgroups": subgroups}
    return bundles.with_evaluation(bundle, old.model_copy(update=changed))


def carried_over(old: Evaluation, new: Evaluation) -> Evaluation:
    """Return a new evaluation with the figures in folds of an earlier one: they are of other networks."""
    _, is_told, rule = old.split_rule.partition(_RULE)
    return new.model_copy(
        update={
            "split_rule": f"{new.split_rule}{is_told}{rule}",
            "metrics": (*new.metrics, *_in_folds(old.metrics)),
            "subgroups": (*new.subgroups, *_in_folds(old.subgroups)),
        }
    )


def _rows(dataset: LabelledPictures, bundle: Bundle, cut: Cut) -> list[MetricRow]:
    plain = Calibration().apply(cut.logits)
    rows = rows_for(bundle.info, plain, dataset.labels, dataset.groups, part=cut.part)
    return [_named(row.model_copy(update={"note": _NOTE})) for row in rows if row.name.endswith("AUC")]


def _named(row: MetricRow) -> MetricRow:
    return row.model_copy(update={"name": f"{row.name}, {_IN_FOLDS}"})


def _in_folds(rows: Sequence[MetricRow]) -> list[MetricRow]:
    return [row for row in rows if row.name.endswith(f", {_IN_FOLDS}")]


def _without(rows: Sequence[MetricRow]) -> list[MetricRow]:
    return [row for row in rows if not row.name.endswith(f", {_IN_FOLDS}")]


def _tell(row: EpochRow) -> None:
    logging.info("%s, epoch %s: loss %.4f, of the fold %.4f", *(row[name] for name in _TOLD))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a shipped recipe in folds and write the figures into its bundle."""
    parser = argparse.ArgumentParser(
        prog="healthdash.tasks.imaging.in_folds", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    bundle = bundles.open_folder(options.model)
    task = tasks.get(bundle.info.task)
    if not isinstance(task, TrainedOnPictures):
        raise InvalidInput("expected a model of a picture task that ships", hint="Choose its folder.")
    settings = TrainSettings(seed=options.seed, folds=options.folds)
    dataset = task.load_dataset(options.data, settings)
    recipe, kept = task.recipe().with_settings(settings), bundle.path.with_name(f".{bundle.name}-in-folds")
    runtime.ready_to_train()
    with checkpoint.kept_in(kept):
        whole, apart = figures(recipe, dataset, bundle, options.seed, Finished(kept))
    command = (
        f"python -m healthdash.tasks.imaging.in_folds --model {portable(str(options.model))} "
        f"--data {portable(str(options.data))} --folds {options.folds} --seed {options.seed}"
    )
    put_beside(bundle, whole, apart, command)
    shutil.rmtree(kept)
    sys.stdout.write(json.dumps({row.name: round(row.value, 4) for row in whole}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
