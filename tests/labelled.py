"""Small labelled sets of each kind for the studio: arrays in memory whose labels can be learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["MadeItems", "pictures", "rows", "signals"]

_NAMES = {"row": "features", "picture": "image", "signal": "signal"}


@dataclass
class MadeItems:
    """Arrays (n, ...) with labels; what `healthdash.training.studio.items.Labelled` asks for."""

    kind: str
    values: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    labels: tuple[str, ...] = ("no", "yes")
    task: str = "made"
    unit: str = "item"
    fitted_on: list[np.ndarray] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.truth)

    def fitted(self, train: np.ndarray) -> MadePrepared:
        self.fitted_on.append(train)
        return MadePrepared(self.kind, self.values, train)

    def facts(self) -> dict[str, Any]:
        from healthdash.bundles import DataSource

        source = DataSource(
            name="made", source="a random generator", licence="none", rows=len(self), groups=len(self)
        )
        return {"title": "Made", "data": source, "intended_use": "Tests.", "limits": ("Of no use.",)}


@dataclass
class MadePrepared:
    kind: str
    values: np.ndarray
    train: np.ndarray

    @property
    def name(self) -> str:
        return _NAMES[self.kind]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape[1:]

    @property
    def preprocessing(self) -> dict[str, Any]:
        # The constants of a row are fitted; pictures and signals are standardised by their network.
        if self.kind != "row":
            return {"shape": list(self.shape)}
        return {"mean": np.nanmean(self.values[self.train], axis=0).round(5).tolist()}

    def inputs(self, rows, rng=None):
        found = self.values[rows]
        return found if rng is None else self.changed(found, rng)

    def changed(self, items, rng):
        return items + rng.normal(0, 0.02, items.shape).astype(np.float32)

    def entry(self):
        import keras
        from keras import layers, ops

        given = keras.Input(self.shape, name=self.name)
        if self.kind != "row":
            return given, given
        filled = ops.where(ops.isnan(given), 0.0, given)
        return given, layers.EinsumDense("ab,bc->abc", (self.shape[0], 8), bias_axes="bc")(filled)

    def background(self, rows, seed):
        rng = np.random.default_rng(seed)
        means = [self.values[rng.permutation(rows)[:10]].mean(axis=0) for _ in range(4)]
        return {self.name: np.nan_to_num(np.stack(means)).astype(np.float32)}

    def gate(self, rows):
        return {}


def rows(n: int = 160, *, labels: int = 2, seed: int = 0) -> MadeItems:
    """Return rows of 6 columns; the first two make the label, with noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 6)).astype(np.float32)
    score = values[:, 0] + values[:, 1] + 0.3 * rng.normal(size=n)
    truth = np.digitize(score, np.quantile(score, np.linspace(0, 1, labels + 1)[1:-1]))
    return _made("row", values, truth, labels)


def pictures(n: int = 96, *, side: int = 32, channels: int = 1, seed: int = 0) -> MadeItems:
    """Return pictures with a bright disc left or right."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    y, x = np.mgrid[:side, :side] / side
    found = []
    for label in truth:
        middle = (0.3 if label else 0.7) + rng.normal(0, 0.04)
        disc = np.exp(-((x - middle) ** 2 + (y - rng.uniform(0.3, 0.7)) ** 2) / 0.02)
        found.append(0.4 * disc + 0.3 + 0.05 * rng.normal(size=(side, side)))
    values = np.clip(np.stack(found), 0, 1)[..., None].repeat(channels, -1).astype(np.float32)
    return _made("picture", values, truth, 2)


def signals(n: int = 96, *, samples: int = 128, seed: int = 0) -> MadeItems:
    """Return traces of two leads with a slow or a quick wave."""
    rng = np.random.default_rng(seed)
    truth, time = np.arange(n) % 2, np.linspace(0, 1, samples)
    rate = np.where(truth, 9.0, 5.0)[:, None] + rng.normal(0, 0.5, (n, 1))
    wave = np.sin(2 * np.pi * (rate * time + rng.random((n, 1))))
    values = np.stack([wave, 0.5 * wave], axis=-1) + 0.2 * rng.normal(size=(n, samples, 2))
    return _made("signal", values.astype(np.float32), truth, 2)


def _made(kind: str, values: np.ndarray, truth: np.ndarray, labels: int) -> MadeItems:
    names = tuple(("no", "yes", "perhaps")[:labels])
    return MadeItems(kind, values, truth.astype(np.int64), np.arange(len(truth)).astype(str), names)
