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

    from healthdash.training.studio.plans import Plan

__all__ = ["NETWORKS", "Network", "fitting", "named"]



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
    without : frozenset of str
        Settings that mean nothing for it.
    takes : frozenset of str
        Settings that only some networks heed.
    options : dict
        Further arguments of `build`.
    """

    slug: str
    title: str
    words: str
    kinds: tuple[ItemKind, ...]
    module: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(default_factory=dict)
    role: Literal["classifier", "anomaly"] = "classifier"

    def build(self, prepared: Prepared, labels: int, plan: Plan) -> keras.Model:
        """Return an untrained network of built-in layers from prepared items to logits (n, labels)."""
        made: keras.Model = import_module(f"{__name__}.{self.module}").build(
            prepared, labels, plan, **self.options
        )
        return made


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
        },
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
)

#: Every network by its slug, in the order in which they are offered.
NETWORKS: dict[str, Network] = {one.slug: one for one in _ALL}


def fitting(kind: str) -> tuple[Network, ...]:
    """Return the networks that take in items of a kind."""
    return tuple(one for one in NETWORKS.values() if kind in one.kinds)


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
