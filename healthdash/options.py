"""What arguments that several commands share mean, for their `--help`."""

from __future__ import annotations

__all__ = [
    "CHECKPOINTS",
    "GROUP",
    "HISTORY",
    "MODEL",
    "MODEL_OF_SEVERAL",
    "OUT",
    "PATHS",
    "SEED",
    "TARGET",
    "TASK",
]

TASK = "name of a task, as the command tasks lists them"
MODEL_OF_SEVERAL = "name of a model, as the command models lists them, or folder that holds one"
MODEL = f"{MODEL_OF_SEVERAL}; default: the first listed"
PATHS = "files, or folders of which every file is taken"
OUT = "folder for the model"
TARGET = "column of the outcome or label; default: that of the task"
GROUP = "column of the patient, whose rows are never split; default: that of the task"
SEED = "random numbers: equal seeds, equal figures"
HISTORY = "CSV file that grows by a row an epoch"
CHECKPOINTS = "folder to keep how far it is, and to go on from"
