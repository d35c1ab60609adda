"""A run's settings with nothing left open: what was chosen, else the network's default, else everybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from healthdash.training.settings import TrainSettings
from healthdash.training.studio.items import ItemKind, Labelled
from healthdash.training.studio.networks import NETWORKS, Network, named

__all__ = ["DEFAULTS", "DEFAULT_NETWORK", "HEEDED", "Plan", "heeded"]

#: What is taken where neither people nor the network say otherwise.
DEFAULTS: Mapping[str, Any] = {
    "epochs": 40,
    "patience": 8,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "members": 1,
    "optimizer": "adamw",
    "schedule": "cosine",
    "weight_decay": 0.02,
    "precision": "float32",
    "balance": "class-weights",
    "loss": "cross-entropy",
    "label_smoothing": 0.0,
    "dropout": 0.3,
    "mixup": 0.0,
    "weights_file": None,
}
#: What learns where nobody chose a network.
DEFAULT_NETWORK: Mapping[ItemKind, str] = {"row": "mlp", "picture": "resnet-2d", "signal": "resnet-1d"}
#: Larger sets get larger batches: a step of 32 items of 100,000 is noise.
_LARGE, _LARGE_BATCH = 20_000, 256
#: Plain gradients are far smaller steps than those that are divided by their own size.
_SGD_RATE_TIMES = 30.0
#: Few groups are worth a cross-validation: a seventh of them would measure hardly anything.
_FEW_GROUPS, _FOLDS = 210, 5

_EVERY = frozenset(
    {"epochs", "patience", "batch_size", "learning_rate", "members", "folds", "seed", "network", "optimizer",
     "schedule", "weight_decay", "precision", "balance", "loss", "label_smoothing", "dropout", "mixup",
     "augment", "augmentation", "synthetic", "synthetic_epochs", "synthetic_compared", "pretrain",
     "unlabelled"}
)  # fmt: skip
#: Settings that the studio heeds for items of each kind, whatever the network.
HEEDED: Mapping[ItemKind, frozenset[str]] = {
    # To mix two rows would mix codes and gaps; hiding values has no strength.
    "row": (_EVERY | {"target", "group", "cleaning"}) - {"mixup", "augmentation"},
    "picture": _EVERY | {"size", "cleaning"},
    "signal": _EVERY | {"cleaning", "seconds", "rate_hz"},
}


def heeded(kind: ItemKind, settings: TrainSettings) -> frozenset[str]:
    """Return the settings that mean something beside those that were chosen.

    Parameters
    ----------
    kind : str
        What the items are.
    settings : TrainSettings
        Some settings make others empty: without augmentation it has no strength.
    """
    network = _network(kind, settings)
    found = HEEDED[kind] | network.takes
    found = found & network.only if network.only else found
    return found - frozenset(_empty_beside(settings, network))


def _empty_beside(settings: TrainSettings, network: Network) -> Iterator[str]:
    """Yield the settings that others leave without a meaning."""
    optimizer = settings.optimizer or network.defaults.get("optimizer") or DEFAULTS["optimizer"]
    if optimizer == "adam":
        yield "weight_decay"
    if not settings.augment:
        yield "augmentation"
    if settings.synthetic in (None, "none"):
        yield "synthetic_epochs"
        yield "synthetic_compared"
    if not settings.pretrain:
        yield "unlabelled"
    if settings.weights_file:
        # A known network brings its own beginning.
        yield from ("pretrain", "unlabelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Settings of a fit with nothing left open; the names are those of `TrainSettings`.

    Attributes
    ----------
    folds : int
        Of the cross-validation; 0: a part of the items is set aside instead.
    """

    network: str
    kind: ItemKind
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    members: int
    folds: int
    seed: int
    optimizer: str
    schedule: str
    weight_decay: float
    precision: str
    balance: str
    loss: str
    label_smoothing: float
    dropout: float
    mixup: float
    augment: bool
    weights_file: str | None

    @classmethod
    def of(cls, settings: TrainSettings, labelled: Labelled) -> Plan:
        """Return the plan for some settings and the items that are learnt from."""
        network = _network(labelled.kind, settings)
        found = {**DEFAULTS, **_by_size(len(labelled)), **network.defaults}
        chosen = {one.name: getattr(settings, one.name, None) for one in fields(cls)}
        found |= {name: value for name, value in chosen.items() if value is not None}
        if found["optimizer"] == "sgd" and settings.learning_rate is None:
            found["learning_rate"] *= _SGD_RATE_TIMES
        if found["optimizer"] == "adam":
            found["weight_decay"] = 0.0
        found["batch_size"] = min(found["batch_size"], max(1, len(labelled) // 2))
        found["folds"] = _folds(settings, labelled)
        return cls(**{**found, "network": network.slug, "kind": labelled.kind})

    @property
    def entry(self) -> Network:
        """The network's entry in the registry."""
        return NETWORKS[self.network]

    def described(self) -> dict[str, Any]:
        """Return what the card says of the training."""
        told = {name: value for name, value in asdict(self).items() if value is not None and name != "kind"}
        return {**told, "network": self.entry.title}


def _network(kind: ItemKind, settings: TrainSettings) -> Network:
    return named(settings.network or DEFAULT_NETWORK[kind], kind)


def _by_size(items: int) -> dict[str, Any]:
    return {"batch_size": _LARGE_BATCH, "epochs": 20, "patience": 4} if items > _LARGE else {}


def _folds(settings: TrainSettings, labelled: Labelled) -> int:
    """Return the number of folds: as chosen, else by how many groups there are; 0 or 1 is a split."""
    if settings.folds is not None:
        return settings.folds if settings.folds > 1 else 0
    groups = len(set(labelled.groups.tolist()))
    return _FOLDS if groups < _FEW_GROUPS else 0
