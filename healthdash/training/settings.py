"""The settings of a training run that people choose: declared once, for command line, form and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["About", "Group", "TrainSettings", "abouts"]

Group = Literal["data", "length", "network", "optimiser", "balance", "regularisation", "generative"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a setting is, for people and for parsers.

    Attributes
    ----------
    label : str
        What the form calls it.
    help : str
        What it does; one or two sentences.
    kind : str
        "whole" and "number" lie between `low` and `high`; "choice" is one of `choices`.
    group : str
        The settings that it stands beside in the form.
    choices : dict of str to str
        Values with their words. Those of `network` are in the registry of the networks.
    is_basic : bool
        Shown to everybody; others are folded away.
    """

    label: str
    help: str
    kind: Literal["whole", "number", "choice", "text", "flag"]
    group: Group
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float = 0.0
    high: float = 0.0
    is_basic: bool = False


def _setting(default: Any, label: str, help: str, kind: Any, group: Group, **more: Any) -> Any:
    """Declare a field of the settings."""
    about = About(label=label, help=help, kind=kind, group=group, **more)
    return field(default=default, metadata=MappingProxyType({"about": about}))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """Settings of one run; None leaves the choice to the task's recipe.

    What each of them does stands in its `About`, which `abouts` returns.
    """

    epochs: int | None = _setting(
        None, "Most epochs", "Most passes over the training data; fewer where the recipe stops early.",
        "whole", "length", low=1, high=1000, is_basic=True,
    )  # fmt: skip
    seed: int = _setting(
        0, "Seed", "Seeds the split, the initial weights, the order and the augmentation.",
        "whole", "length", low=0, high=2**31 - 1, is_basic=True,
    )  # fmt: skip
    batch_size: int | None = _setting(
        None, "Batch size", "Items for each step. Small batches learn in more, noisier steps.",
        "whole", "optimiser", low=1, high=4096, is_basic=True,
    )  # fmt: skip
    learning_rate: float | None = _setting(
        None, "Learning rate", "Size of a step. Too large and the loss jumps; too small and it hardly moves.",
        "number", "optimiser", low=1e-6, high=1.0, is_basic=True,
    )  # fmt: skip
    patience: int | None = _setting(
        None, "Patience, epochs", "Epochs without a better validation loss before the run ends.",
        "whole", "length", low=1, high=200,
    )  # fmt: skip
    members: int | None = _setting(
        None, "Networks", "Trained alike from other seeds, averaged into one.",
        "whole", "length", low=1, high=50,
    )  # fmt: skip
    folds: int | None = _setting(
        None, "Folds", "Of the cross-validation: every item is once judged by a network that never saw it.",
        "whole", "length", low=0, high=50,
    )  # fmt: skip
    augment: bool = _setting(
        True, "Augmentation", "Random changes of the training inputs.", "flag", "regularisation",
        is_basic=True,
    )  # fmt: skip
    target: str | None = _setting(
        None, "Column of the outcome", "Of a table: the column to predict.", "text", "data", is_basic=True
    )
    group: str | None = _setting(
        None, "Column of the patient", "Of a table: rows of one patient stay in one part of the split.",
        "text", "data", is_basic=True,
    )  # fmt: skip
    cleaning: str | None = _setting(
        None, "Cleaning", "JSON file with the layout and cleaning steps of an own table.", "text", "data"
    )
    network: str | None = _setting(
        None, "Network", "What kind of network learns.", "choice", "network", is_basic=True
    )
    weights_file: str | None = _setting(
        None, "Weights file", "File in the folder of the weights, from which a known network begins: "
        "first only its new end is trained, then all of it.", "text", "network",
    )  # fmt: skip
    size: int | None = _setting(
        None, "Picture size, pixels", "Height and width that pictures are brought to.",
        "whole", "network", low=32, high=512,
    )  # fmt: skip
    seconds: float | None = _setting(
        None, "Length of a window, seconds", "Signals are cut into windows of this length.",
        "number", "data", low=0.1, high=3600.0,
    )  # fmt: skip
    rate_hz: float | None = _setting(
        None,
        "Sampling rate, hertz",
        "Signals are brought to this rate.",
        "number",
        "data",
        low=1.0,
        high=5000.0,
    )
    optimizer: str | None = _setting(
        None, "Optimiser", "How steps are made from gradients.", "choice", "optimiser",
        choices={"adamw": "AdamW", "adam": "Adam", "sgd": "SGD with momentum"},
    )  # fmt: skip
    schedule: str | None = _setting(
        None, "Schedule", "How the learning rate changes while training.", "choice", "optimiser",
        choices={
            "cosine": "Falls along a cosine", "one-cycle": "Rises, then falls (one cycle)",
            "constant": "Stays", "plateau": "Falls when the validation loss stays",
        },
    )  # fmt: skip
    weight_decay: float | None = _setting(
        None, "Weight decay", "Draws the weights to 0 in every step; Adam by itself has none.",
        "number", "regularisation", low=0.0, high=2.0,
    )  # fmt: skip
    precision: str | None = _setting(
        None, "Precision", "Mixed computes with half as many digits where that is safe: quicker on GPUs.",
        "choice", "optimiser", choices={"float32": "float32", "mixed": "mixed"},
    )  # fmt: skip
    balance: str | None = _setting(
        None, "Rare labels", "What is done for labels that come seldom.", "choice", "balance",
        choices={
            "none": "Nothing", "class-weights": "Weigh their items more", "resampling": "Draw them more often"
        },
        is_basic=True,
    )  # fmt: skip
    loss: str | None = _setting(
        None, "Loss", "What is made small. Focal loss looks away from items that are already right.",
        "choice", "balance", choices={"cross-entropy": "Cross-entropy", "focal": "Focal"},
    )  # fmt: skip
    label_smoothing: float | None = _setting(
        None, "Label smoothing", "Share of each label that is spread over all labels: less certain networks.",
        "number", "regularisation", low=0.0, high=0.5,
    )  # fmt: skip
    dropout: float | None = _setting(
        None, "Dropout", "Share of the network that is left out at random in each step.",
        "number", "regularisation", low=0.0, high=0.9,
    )  # fmt: skip
    mixup: float | None = _setting(
        None, "Mixup", "Mixes pairs of training items and their labels; 0 mixes none, 0.2 is usual.",
        "number", "regularisation", low=0.0, high=2.0,
    )  # fmt: skip
    augmentation: float | None = _setting(
        None, "Strength of the augmentation", "1 is as the recipe, 0 changes nothing, 2 twice as much.",
        "number", "regularisation", low=0.0, high=2.0,
    )  # fmt: skip
    normal: str | None = _setting(
        None, "Usual label", "The label whose items an autoencoder learns as usual.", "text", "generative"
    )
    synthetic: str | None = _setting(
        None, "Synthetic items", "Invents training items of rare labels with a generative network.",
        "choice", "generative",
        choices={
            "none": "None", "cvae": "Conditional variational autoencoder",
            "gan": "Generative adversarial network",
        },
    )  # fmt: skip
    synthetic_epochs: int | None = _setting(
        None, "Epochs of the generative network", "Passes over the training data before it invents items.",
        "whole", "generative", low=1, high=1000,
    )  # fmt: skip
    synthetic_compared: str | None = _setting(
        None, "Whether they help", "Trains once more without synthetic items and tells the difference on the "
        "same items that neither learnt from. Takes twice as long.",
        "choice", "generative", choices={"no": "Not compared", "yes": "Compared"},
    )  # fmt: skip
    pretrain: int | None = _setting(
        None, "Epochs of pre-training", "Passes in which the network first learns to restore its inputs.",
        "whole", "generative", low=0, high=1000,
    )  # fmt: skip
    unlabelled: str | None = _setting(
        None, "Unlabelled items", "File or folder of items without labels, for the pre-training.",
        "text", "generative",
    )  # fmt: skip


def abouts() -> dict[str, About]:
    """Return what each setting is, by name, in the order of their declaration."""
    return {one.name: one.metadata["about"] for one in fields(TrainSettings)}
