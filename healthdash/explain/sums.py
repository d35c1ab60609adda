"""Mixtures of two table rows through a network that begins as a sum over columns.

What a row's columns put into the sums is found once; a mixture's sums are then additions, and only the
rest of the network is run. It is compiled by XLA, which adds, bends and weighs in one loop over values that
stay in the caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.players import Players
from healthdash.explain.separable import Separated, separate
from healthdash.explain.types import Arrays, Floats
from healthdash.runtime import Forward, device, tensorflow

if TYPE_CHECKING:
    import keras

__all__ = ["Baseline", "Sums", "sums_of"]

# Sums of mixtures in one call, in numbers.
_AT_ONCE = {"CPU": 1 << 21, "GPU": 1 << 25}
_FEWEST_MIXTURES = 256
# All coalitions of 4 players are added to all of 4 others: 32 rows sent make 256 mixtures.
_HALF = 4
_HEADS_AT_ONCE = 1 << 12
# Numbers in the table of what each player changes against each baseline row.
_LARGEST_TABLE = 1 << 25
# Of sums that are put together, against those of the network; float32 rounds to 1e-7.
_ROUNDING = 1e-5

Sum = NDArray[np.float32]


def sums_of(forward: Forward) -> Sums | None:
    """Return the sums of a network, found when first asked; None where it has none."""
    if not isinstance(forward, Forward):
        return None

    def build(network: keras.Model) -> Sums | None:
        separated = separate(network)
        return None if separated is None else Sums(forward, separated)

    return forward.compiled("sums", build)


class Sums:
    """The two halves of a network around its sums, compiled.

    Parameters
    ----------
    forward : Forward
        Gives the calibration.
    separated : Separated
    """

    def __init__(self, forward: Forward, separated: Separated) -> None:
        tf = tensorflow()
        self.name, shape = next(iter(forward.shapes.items()))
        self.width = separated.width
        self._mixtures = max(_FEWEST_MIXTURES, _AT_ONCE[device().kind] // self.width)
        self._head = tf.function(separated.head).get_concrete_function(
            tf.TensorSpec((None, *shape), tf.float32)
        )

        def tail(high: Any, low: Any, target: Any) -> Any:
            sums = tf.reshape(high[:, :, None] + low[:, None], (-1, self.width))
            probabilities = tf.nn.softmax(forward.calibrated(separated.tail(sums)))
            return tf.gather(probabilities, target, axis=1)

        spec = tf.TensorSpec((None, None, self.width), tf.float32)
        signature = [spec, spec, tf.TensorSpec((), tf.int32)]
        self._tail = tf.function(tail, input_signature=signature, jit_compile=True)
        self._plain = tf.function(tail, input_signature=signature)

    def of(self, rows: NDArray[np.float32]) -> Sum:
        """Return the sums (n, h) of rows (n, p)."""
        tensor = tensorflow().convert_to_tensor
        parts = [
            rows[start : start + _HEADS_AT_ONCE] for start in range(0, max(1, len(rows)), _HEADS_AT_ONCE)
        ]
        return np.concatenate([self._head(tensor(part, "float32")).numpy() for part in parts])

    def effects(
        self, rows: NDArray[np.float32], reference: NDArray[np.float32], keep: NDArray[np.bool_]
    ) -> Sum:
        """Return what each player of each row adds to the sums of a reference row, (n, d, h).

        Parameters
        ----------
        rows : float32 (n, p)
        reference : float32 (p,)
        keep : bool (d, p)
            The columns of each player.
        """
        mixed = np.where(keep, rows[:, None], reference)
        found = self.of(mixed.reshape(-1, rows.shape[1])) - self.of(reference[None])
        return found.reshape(len(rows), len(keep), self.width)

    def probabilities(self, sums: Sum, target: int) -> NDArray[np.float32]:
        """Return the target's probability (n,) of sums (n, h)."""
        nothing = np.zeros((1, 1, self.width), np.float32)
        found = [
            self._worth(_padded(part, size)[None], nothing, target)[: len(part)]
            for part, size in _pieces(sums, self._mixtures)
        ]
        return np.concatenate(found)

    def coalitions(self, groups: Sequence[tuple[Sum, Sum]], target: int) -> list[Floats]:
        """Return what all coalitions of the players of each game are worth.

        Parameters
        ----------
        groups : sequence of (float32 (g, h), float32 (g, d, h))
            Of g games with d players each: the sums when nobody plays, and what each player adds.

        Returns
        -------
        list of float64 (g, 2^d)
            Coalition s holds player j by bit j.
        """
        most = max(steps.shape[1] for _, steps in groups)
        low = min(_HALF, most)
        high = min(_HALF, most - low)
        units = [_units(start, _with_idle(steps, low + high), low, high) for start, steps in groups]
        found = self._run(*(np.concatenate(parts) for parts in zip(*units, strict=True)), target)
        ends = np.cumsum([len(firsts) for firsts, _ in units])[:-1]
        return [
            np.asarray(worth.reshape(len(start), -1)[:, : 1 << steps.shape[1]], np.float64)
            for worth, (start, steps) in zip(np.split(found, ends), groups, strict=True)
        ]

    def _run(self, high: Sum, low: Sum, target: int) -> NDArray[np.float32]:
        """Return the probability (u, a, l) of each sum of a high one (u, a, h) and a low one (u, l, h)."""
        each = high.shape[1] * low.shape[1]
        at_once = max(1, self._mixtures // each)
        pairs = zip(_pieces(high, at_once), _pieces(low, at_once), strict=True)
        found = [
            self._worth(_padded(a, size), _padded(b, size), target)[: len(a) * each]
            for (a, size), (b, _) in pairs
        ]
        return np.concatenate(found).reshape(len(high), high.shape[1], low.shape[1])

    def _worth(self, high: Sum, low: Sum, target: int) -> NDArray[np.float32]:
        try:
            found = self._tail(high, low, target)
        except tensorflow().errors.OpError:  # XLA is not there, or lacks an operation of this network
            self._tail = self._plain
            found = self._tail(high, low, target)
        return np.asarray(found, np.float32)


@dataclass(frozen=True, eq=False)
class Baseline:
    """Baseline rows of a table, taken apart by players.

    Attributes
    ----------
    sums : Sums
    rows : float32 (m, p)
    keep : bool (d, p)
        The columns of each player.
    """

    sums: Sums
    rows: NDArray[np.float32]
    keep: NDArray[np.bool_]

    @classmethod
    def of(cls, forward: Forward, background: Arrays, players: Players) -> Baseline | None:
        """Return it, or None where the network has no sums or a value belongs to nobody."""
        sums = sums_of(forward)
        if sums is None:
            return None
        rows, owner = background[sums.name], players.owner[sums.name]
        if (owner < 0).any() or len(rows) * len(players) * sums.width > _LARGEST_TABLE:
            return None
        return cls(sums, rows, owner == np.arange(len(players))[:, None])

    @cached_property
    def start(self) -> Sum:
        """Sums of each row, (m, h)."""
        return self.sums.of(self.rows)

    @cached_property
    def effects(self) -> Sum:
        """What each player adds for each row, (m, d, h)."""
        return self.sums.effects(self.rows, self.rows[0], self.keep)

    def towards(self, items: NDArray[np.float32]) -> Sum | None:
        """Return what the players of items (n, p) add when they replace a row's, (n, m, d, h).

        None where the steps do not lead from every row to the item but for rounding: a value is not finite,
        or so large that it hides others.
        """
        steps = self.sums.effects(items, self.rows[0], self.keep)[:, None] - self.effects
        aim = self.sums.of(items)[:, None]
        missed = np.abs(self.start + steps.sum(axis=2) - aim).max(initial=0)
        return steps if missed <= _ROUNDING * max(1.0, float(np.abs(aim).max(initial=0))) else None


def _units(start: Sum, steps: Sum, low: int, high: int) -> tuple[Sum, Sum]:
    """Return the subset sums (u, 2^high, h) and (u, 2^low, h) whose sums are all mixtures in order."""
    g, h = start.shape
    firsts = _subset_sums(np.zeros_like(start), steps[:, :low])
    others = _subset_sums(start, steps[:, low:]).reshape(-1, 1 << high, h)
    return others, np.repeat(firsts, len(others) // g, axis=0)


def _subset_sums(start: Sum, steps: Sum) -> Sum:
    """Return start (g, h) plus the sum of every subset of steps (g, k, h), (g, 2^k, h), by doubling."""
    g, k, h = steps.shape
    sums = np.empty((g, 1 << k, h), np.float32)
    sums[:, 0] = start
    for j in range(k):
        np.add(sums[:, : 1 << j], steps[:, j, None], out=sums[:, 1 << j : 2 << j])
    return sums


def _with_idle(steps: Sum, least: int) -> Sum:
    """Add players that change nothing until there are enough for a unit."""
    g, d, h = steps.shape
    if d >= least:
        return steps
    return np.concatenate([steps, np.zeros((g, least - d, h), np.float32)], axis=1)


def _pieces(array: Sum, most: int) -> list[tuple[Sum, int]]:
    """Cut an array into pieces, with the length to which each is padded: few lengths, each compiled once."""
    sizes = sorted({most, -(-most // 4), -(-most // 16)})
    parts = [array[start : start + most] for start in range(0, len(array), most)]
    return [(part, next(size for size in sizes if size >= len(part))) for part in parts]


def _padded(array: Sum, length: int) -> Sum:
    if len(array) == length:
        return array
    return np.concatenate([array, np.zeros((length - len(array), *array.shape[1:]), array.dtype)])
