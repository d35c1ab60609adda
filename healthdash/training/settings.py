"""The few settings of a training run that people choose."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TrainSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """Settings of one run; None leaves the choice to the task's recipe.

    Attributes
    ----------
    epochs : int or None
        Most passes over the training data; early stopping may end before.
    seed : int
        Seeds the split, the initial weights, the order and the augmentation.
    batch_size : int or None
    learning_rate : float or None
    patience : int or None
        Epochs without a better validation loss before the run stops.
    members : int or None
        Networks of different seeds that are averaged into one.
    folds : int or None
        Folds of the cross-validation, where the recipe uses one.
    augment : bool
        Random changes of the training inputs.
    target, group : str or None
        Column to predict, and column that must not be split (the patient), for tables.
    cleaning : str or None
        File with the layout and the cleaning steps of an own table, see `tables.cleaning`.
    """

    epochs: int | None = None
    seed: int = 0
    batch_size: int | None = None
    learning_rate: float | None = None
    patience: int | None = None
    members: int | None = None
    folds: int | None = None
    augment: bool = True
    target: str | None = None
    group: str | None = None
    cleaning: str | None = None
