"""The networks that people choose from, described without loading Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from healthdash.errors import InvalidInput
from healthdash.training.studio.items import ItemKind, Prepared

if TYPE_CHECKING:
    import keras

    from healthdash.training.settings import TrainSettings
    from healthdash.training.studio.plans import Plan

__all__ = ["NETWORKS", "Network", "fitting", "learns_one_label", "named"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One kind of network.

    Attributes
    ----------
    slug, title : str
    words : str
        What it is and when it is a good choice, a sentence for people.
    kinds : tuple of str
        What it takes in.
    module : str
        Where its `build(prepared, labels, plan) -> keras.Model` lies, which gives logits (n, labels).
        Empty: a task trains it by a recipe of its own.
    defaults : dict
        Settings that differ from `plans.DEFAULTS`.
    only : frozenset of str
        Settings that mean something for it; empty: all that its kind of items has.
    takes : frozenset of str
        Settings that only some networks heed.
    options : dict
        Further arguments of `build`.
    role : str
        "classifier", or "anomaly": it learns one label and tells what is unlike it.
    """

    slug: str
    title: str
    words: str
    kinds: tuple[ItemKind, ...]
    module: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    role: Literal["classifier", "anomaly"] = "classifier"

    def build(self, prepared: Prepared, labels: int, plan: Plan) -> keras.Model:
        """Return an untrained network of built-in layers from prepared items to logits (n, labels)."""
        made: keras.Model = import_module(f"{__name__}.{self.module}").build(
            prepared, labels, plan, **self.options
        )
        return made


#: Of networks that may begin from a file, and of those that read a trace step by step.
_KNOWN: Mapping[str, Any] = {"learning_rate": 1e-3, "weight_decay": 0.01, "epochs": 30}
_RECURRENT: Mapping[str, Any] = {"learning_rate": 2e-3, "weight_decay": 0.01}
_OF_AUTOENCODERS = frozenset(
    {"network", "normal", "epochs", "batch_size", "learning_rate", "patience", "seed", "augment",
     "augmentation", "target", "group", "cleaning", "size", "seconds", "rate_hz"}
)  # fmt: skip
_ALL = (
    Network(
        slug="ensemble",
        title="Ensemble of small perceptrons",
        words="Several small perceptrons learn side by side and are averaged: steady on small tables.",
        kinds=("row",),
        module="",
    ),
    Network(
        slug="mlp",
        title="Perceptron with embeddings",
        words="Every column becomes a few numbers, and two layers join them: quick, for tables of any size.",
        kinds=("row",),
        module="mlp",
        defaults={
            "epochs": 60,
            "batch_size": 64,
            "learning_rate": 3e-3,
            "weight_decay": 0.05,
            "dropout": 0.3,
            "balance": "none",
        },
    ),
    Network(
        slug="resnet-2d",
        title="Residual network",
        words="Convolutions that look for ever larger patterns of a picture: the choice where there is no "
        "network to begin from.",
        kinds=("picture",),
        module="residual",
        defaults={"learning_rate": 2e-3, "weight_decay": 0.05, "dropout": 0.2, "schedule": "one-cycle"},
    ),
    Network(
        slug="mobilenet-v3-small",
        title="MobileNetV3 small",
        words="A small known network: from a file of weights it learns from few pictures.",
        kinds=("picture",),
        module="backbone",
        defaults=_KNOWN,
        takes=frozenset({"weights_file"}),
        options={"name": "mobilenet-v3-small"},
    ),
    Network(
        slug="efficientnet-v2-b0",
        title="EfficientNetV2 B0",
        words="A known network of middle size: from a file of weights the strongest of these for its work.",
        kinds=("picture",),
        module="backbone",
        defaults=_KNOWN,
        takes=frozenset({"weights_file"}),
        options={"name": "efficientnet-v2-b0"},
    ),
    Network(
        slug="densenet-121",
        title="DenseNet-121",
        words="A known network that many X-ray models are made of; slow without a GPU.",
        kinds=("picture",),
        module="backbone",
        defaults=_KNOWN,
        takes=frozenset({"weights_file"}),
        options={"name": "densenet-121"},
    ),
    Network(
        slug="resnet-1d",
        title="Residual network",
        words="Convolutions along the trace that look for ever longer shapes: the first choice for signals.",
        kinds=("signal",),
        module="residual",
        defaults={"learning_rate": 2e-3, "weight_decay": 0.05, "dropout": 0.2, "schedule": "one-cycle"},
    ),
    Network(
        slug="gru",
        title="Gated recurrent units",
        words="Reads the trace step by step, both ways, and remembers: for what hangs on order and rhythm.",
        kinds=("signal",),
        module="recurrent",
        defaults=_RECURRENT,
        options={"cell": "gru"},
    ),
    Network(
        slug="lstm",
        title="Long short-term memory",
        words="As gated recurrent units, with a second memory: a little slower, for longer memories.",
        kinds=("signal",),
        module="recurrent",
        defaults=_RECURRENT,
        options={"cell": "lstm"},
    ),
    Network(
        slug="transformer",
        title="Small transformer",
        words="Columns, or pieces of a trace, look at one another by attention: for data sets of some "
        "thousand items where parts work together.",
        kinds=("row", "signal"),
        module="transformer",
        defaults={"learning_rate": 1e-3, "weight_decay": 0.02, "dropout": 0.2, "schedule": "one-cycle"},
    ),
    Network(
        slug="autoencoder",
        title="Autoencoder (tells the unusual)",
        words="Learns to restore usual items only; what it restores badly is unusual. For data with one "
        "label, or with few items of the other.",
        kinds=("row", "picture", "signal"),
        module="",
        only=_OF_AUTOENCODERS,
        takes=frozenset({"normal"}),
        role="anomaly",
    ),
)

#: Every network by its slug, in the order in which they are offered.
NETWORKS: dict[str, Network] = {one.slug: one for one in _ALL}


def fitting(kind: str) -> tuple[Network, ...]:
    """Return the networks that take in items of a kind."""
    return tuple(one for one in NETWORKS.values() if kind in one.kinds)


def learns_one_label(settings: TrainSettings) -> bool:
    """Say whether the network that was chosen learns what is usual, for which one label is enough."""
    return bool(settings.network) and NETWORKS[settings.network or ""].role == "anomaly"


def named(slug: str, kind: str) -> Network:
    """Return a network that takes in items of a kind.

    Raises
    ------
    InvalidInput
        There is none of that name; the message lists those that fit.
    """
    found: Sequence[Network] = [one for one in fitting(kind) if one.slug == slug]
    if not found:
        names = ", ".join(one.slug for one in fitting(kind))
        raise InvalidInput(
            f"expected a network for a {kind}, one of {names}; got {slug}", hint="Choose one of these."
        )
    return found[0]
