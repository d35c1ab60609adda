"""The default network of a table against the other networks and recipes, by the same folds.

    python -m benchmarks.networks [--data FOLDER] [--tables TITLE...] [--recipes NAME...]

Each row of a table is judged once by a network that never saw its group; the folds are the same for all.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from healthdash import tasks
from healthdash.training import TrainSettings
from healthdash.training.evaluation import MetricRow

FOLDS = 5
TABLES = {
    "Pima diabetes": ("pima_diabetes/pima-indians-diabetes.csv", "column 9"),
    "HCV": ("hcv/hcvdat0.csv", "Category"),
}
_WEIGHTS = "class-weights"
RECIPES = {
    "ensemble (default)": TrainSettings(network="ensemble"),
    "perceptron, class weights": TrainSettings(network="mlp", balance=_WEIGHTS),
    "perceptron": TrainSettings(network="mlp"),
    "perceptron, resampling": TrainSettings(network="mlp", balance="resampling"),
    "perceptron, class weights, focal loss": TrainSettings(network="mlp", balance=_WEIGHTS, loss="focal"),
    "perceptron, class weights, SGD, one cycle": TrainSettings(
        network="mlp", balance=_WEIGHTS, optimizer="sgd", schedule="one-cycle"
    ),
    "perceptron, class weights, 3 networks": TrainSettings(network="mlp", balance=_WEIGHTS, members=3),
    "transformer": TrainSettings(network="transformer"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("HEALTHDASH_DATA", "")))
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--epochs", type=int, help="fewer, to try it")
    options = parser.parse_args()
    print("| table | network and recipe | AUC | Brier score | seconds |\n|---|---|---|---|---|")
    for title in options.tables:
        file, target = TABLES[title]
        path = options.data / "tabular" / file
        others: list[MetricRow] = []
        for name in options.recipes:
            chosen = replace(RECIPES[name], folds=FOLDS, target=target, epochs=options.epochs)
            started = time.perf_counter()
            rows, others = _trained(path, chosen)
            shown = " | ".join(_told(rows[one]) for one in ("AUC", "Brier score"))
            print(f"| {title} | {name} | {shown} | {time.perf_counter() - started:.0f} |", flush=True)
        for one in others:
            print(f"| {title} | {one.name.removeprefix('AUC, ')} | {_told(one)} | | |", flush=True)


def _trained(path: Path, settings: TrainSettings) -> tuple[dict[str, MetricRow], list[MetricRow]]:
    """Train one network; return its figures, and the AUC of other models on the same rows."""
    task = tasks.get("table")
    dataset = task.load_dataset(path, settings)
    with tempfile.TemporaryDirectory() as folder:
        bundle = task.train(dataset, settings, Path(folder) / "model", lambda row: None)
        evaluation = bundle.evaluation
    others = [one for one in evaluation.comparisons if not one.name.startswith("AUC, network less")]
    return {one.name: one for one in evaluation.metrics}, others


def _told(row: MetricRow) -> str:
    return f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"


if __name__ == "__main__":
    main()
