"""Every error that healthdash raises.

HealthdashError(message, *, hint)          hint = what the user can do next
├── InputError                             another file or setting may help
│   ├── UnreadableUpload                   the bytes are not the format they claim to be
│   ├── InvalidInput(problems)             parsed, but breaks the fields; all problems at once
│   └── OutOfScope                         legal, but outside the model's stated use
├── ModelError
│   ├── UnknownModel                       no such task or bundle; lists the names that exist
│   ├── ModelMismatch                      bundle and task disagree (labels, shape, format number)
│   ├── CorruptModel                       hash or golden numbers differ
│   └── RefusedModel(reason)               a model from outside holds what none should hold
├── ExplainerNotApplicable                 names the method and the reason
├── TrainingError
│   ├── TooLittleData                      how many per class, how many needed
│   ├── TrainingDiverged                   epoch and last finite loss
│   └── TrainingStopped                    by the user; the history so far is kept
├── NoDatabase                             the list of the runs does not answer
└── MissingDependency(package)             the hint is the pip line

ContractError(RuntimeError)                a developer's mistake, never dressed up for users

A message says what was expected, what came, and where. Neither messages nor hints hold a file
name or a value of a patient: they end up in logs.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ContractError",
    "CorruptModel",
    "ExplainerNotApplicable",
    "HealthdashError",
    "InputError",
    "InvalidInput",
    "MissingDependency",
    "ModelError",
    "ModelMismatch",
    "NoDatabase",
    "OutOfScope",
    "RefusedModel",
    "TooLittleData",
    "TrainingDiverged",
    "TrainingError",
    "TrainingStopped",
    "UnknownModel",
    "UnreadableUpload",
]


class HealthdashError(Exception):
    """Something a user can act on: a message, and a hint what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def problems(self) -> tuple[str, ...]:
        """Every problem found, one sentence each."""
        return (self.message,)


class InputError(HealthdashError):
    """The input cannot be used; another file or setting may help."""


class UnreadableUpload(InputError):
    """The bytes are not the format that they claim to be."""


class InvalidInput(InputError):
    """The input was parsed, but breaks what the task expects of it."""

    def __init__(self, problems: str | Sequence[str], *, hint: str = "") -> None:
        found = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(found), hint=hint)
        self._problems = found

    @property
    def problems(self) -> tuple[str, ...]:
        """Every problem found, one sentence each."""
        return self._problems


class OutOfScope(InputError):
    """A legal input that is outside the model's stated use."""


class ModelError(HealthdashError):
    """A model cannot be used."""


class UnknownModel(ModelError):
    """There is no task or model of that name."""


class ModelMismatch(ModelError):
    """The bundle and the task disagree."""


class CorruptModel(ModelError):
    """The weights or the golden numbers are not those that were saved."""


class RefusedModel(ModelError):
    """A model from outside holds what none should hold; it was not loaded.

    Parameters
    ----------
    reason : str
        The name of the reason, in a few words: "a link", "a custom object".
    detail : str
        What was expected and what came.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"refused for {reason}: {detail}", hint="Ask who made it for another copy.")
        self.reason, self.detail = reason, detail


class ExplainerNotApplicable(HealthdashError):
    """The method does not fit the task or the network."""


class TrainingError(HealthdashError):
    """A training run could not finish."""


class TooLittleData(TrainingError):
    """There are too few examples or groups to train and test on."""


class TrainingDiverged(TrainingError):
    """The loss stopped being a number."""


class TrainingStopped(TrainingError):
    """The user stopped the run; its history so far is kept."""


class NoDatabase(HealthdashError):
    """The database of the runs does not answer, or its address is none."""


class MissingDependency(HealthdashError):
    """An optional package is not installed."""

    def __init__(self, package: str, *, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package}", hint=f"pip install {package}")


class ContractError(RuntimeError):
    """A developer's mistake, such as two tasks of one name."""
