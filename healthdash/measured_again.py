"""A bundle's evaluation and card written anew, from its own network and the test part of its data.

Nothing is trained and nothing is chosen again: the weights, the calibration and the operating points stay.
What was measured elsewhere, in folds or of explanations, stays too.

``python -m healthdash.measured_again --model models/chest-xray/NAME --data FOLDER`` takes the data that the
model was trained on. Models of folds have no test part: they are trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from healthdash import bundles, tasks
from healthdash.bundles import Bundle
from healthdash.errors import InvalidInput
from healthdash.judging.averages import worded
from healthdash.training import TrainSettings
from healthdash.training.evaluation import flat_metrics
from healthdash.training.explained import ExplanationQuality

__all__ = ["main", "measured_again"]


def measured_again(bundle: Bundle, data: Path) -> Bundle:
    """Measure a bundle on the test part of its data, and put the figures into it.

    Parameters
    ----------
    data : Path
        As `healthdash train` took them.

    Raises
    ------
    InvalidInput
        The parts of these data are not those of the training.
    TrainingError
        The model was not trained by split.
    """
    task, old = tasks.get(bundle.info.task).bound(bundle), bundle.evaluation
    dataset = task.load_dataset(data, TrainSettings(seed=bundle.info.seed))
    new = task.measured_again(bundle, dataset)
    if new.counts != old.counts:
        raise InvalidInput(
            f"expected the data of the training ({old.counts}), got {new.counts}",
            hint="Name the data by which the card says that the model was made.",
        )
    judged = old.explanations and _worded(old.explanations)
    bundles.with_evaluation(bundle, new.model_copy(update={"explanations": judged}).finite())
    return bundles.open_folder(bundle.path)


def _worded(judged: ExplanationQuality) -> ExplanationQuality:
    return judged.model_copy(update={"methods": tuple(worded(method) for method in judged.methods)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a bundle again and print its figures as one JSON object."""
    parser = argparse.ArgumentParser(
        prog="healthdash.measured_again", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args(arguments)
    bundle = measured_again(bundles.open_folder(options.model), options.data)
    sys.stdout.write(json.dumps(flat_metrics(bundle.evaluation)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
