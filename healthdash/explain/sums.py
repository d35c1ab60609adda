"""Mixtures of two table rows through a network that begins as a sum over columns.

What a row's columns put into the sums is found once; a mixture's sums are then additions, and only the
rest of the network is run. It is compiled by XLA, which adds, bends and weighs in one loop over values that
stay in the caches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.separable import Separated, separate
from healthdash.explain.types import Floats
from healthdash.runtime import Forward, device, tensorflow

if TYPE_CHECKING:
    import keras

__all__ = ["FEWEST_PLAYERS", "Sum", "Sums", "sums_of"]

# Sums of mixtures in one call, in numbers.
_AT_ONCE = {"CPU": 1 << 21, "GPU": 1 << 25}
_FEWEST_MIXTURES = 256
# All coalitions of 4 players are added to all of 4 others: 32 rows sent make 256 mixtures.
_HALF = 4
#: Games of fewer players than this, or than the table has, are filled up.
FEWEST_PLAYERS = 2 * _HALF
# Of other coalitions so many against one row are put together by one product of matrices.
_SLOT = 32
_HEADS_AT_ONCE = 1 << 12

# Baselines: a task's own, and one or two that a user tries.
_KEPT = 3

Sum = NDArray[np.float32]
T = TypeVar("T")


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
        self.mixtures = max(_FEWEST_MIXTURES, _AT_ONCE[device().kind] // self.width)
        self._head = tf.function(separated.head, autograph=False).get_concrete_function(
            tf.TensorSpec((None, *shape), tf.float32)
        )

        def tail(sums: Any, target: Any) -> Any:
            logits = separated.tail(tf.reshape(sums, (-1, self.width)))
            return tf.gather(tf.nn.softmax(forward.calibrated(logits)), target, axis=1)

        def halves(high: Any, low: Any, target: Any) -> Any:
            return tail(high[:, :, None] + low[:, None], target)

        def coalitions(start: Any, steps: Any, slots: Any, members: Any, target: Any) -> Any:
            gained = tf.matmul(tf.cast(members, tf.float32), tf.gather(steps, slots))
            return tail(tf.gather(start, slots)[:, None] + gained, target)

        number, sums = tf.TensorSpec((), tf.int32), tf.TensorSpec((None, None, self.width), tf.float32)
        rows, slots = tf.TensorSpec((None, self.width), tf.float32), tf.TensorSpec((None,), tf.int32)
        self._halves = _Compiled(halves, [sums, sums, number])
        members = tf.TensorSpec((None, _SLOT, None), tf.bool)
        self._coalitions = _Compiled(coalitions, [rows, sums, slots, members, number])
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a key before, or make it; the last few are kept.

        One item after the other is explained against the same rows.
        """
        with self._lock:
            made: T = self._kept.pop(key, None) or make()
            self._kept[key] = made
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return made

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

    def coalitions(self, groups: Sequence[tuple[Sum, Sum]], players: int, target: int) -> list[Floats]:
        """Return what all coalitions of the players of each game are worth.

        Parameters
        ----------
        groups : sequence of (float32 (g, h), float32 (g, d, h))
            Of g games with d players each: the sums when nobody plays, and what each player adds.
        players : int
            The most players that a game of this table can have. Fewer than 8 of them are filled up to 8, or
            to this, so that what is compiled for a table has one shape.

        Returns
        -------
        list of float64 (g, 2^d)
            Coalition s holds player j by bit j.
        """
        low = min(_HALF, players)
        high = min(_HALF, players - low)
        units = [_units(start, _with_idle(steps, low + high), low, high) for start, steps in groups]
        others, firsts = (np.concatenate(parts) for parts in zip(*units, strict=True))
        found = self._run(others, firsts, target)
        ends = np.cumsum([len(each) for each, _ in units])[:-1]
        return [
            np.asarray(worth.reshape(len(start), -1)[:, : 1 << steps.shape[1]], np.float64)
            for worth, (start, steps) in zip(np.split(found, ends), groups, strict=True)
        ]

    def _run(self, high: Sum, low: Sum, target: int) -> NDArray[np.float32]:
        """Return the probability (u, a, l) of each sum of a high one (u, a, h) and a low one (u, l, h)."""
        each = high.shape[1] * low.shape[1]
        found = [
            self._halves(_padded(high[part], size), _padded(low[part], size), target)
            for part, size in _pieces(len(high), max(1, self.mixtures // each))
        ]
        return np.concatenate(found)[: each * len(high)].reshape(len(high), high.shape[1], low.shape[1])

    def worth(
        self, start: Any, steps: Any, rows: NDArray[np.intp], coalitions: NDArray[np.bool_], target: int
    ) -> NDArray[np.float32]:
        """Return what coalitions (n, d) are worth, each against the row of its number (n,), in rising order.

        Parameters
        ----------
        start : float32 (m, h), tensor
        steps : float32 (m, d, h), tensor
        """
        slot_rows, slot, place = _slots(rows)
        members = np.zeros((len(slot_rows), _SLOT, coalitions.shape[1]), bool)
        members[slot, place] = coalitions
        found = [
            self._coalitions(
                start, steps, _padded(slot_rows[part], size), _padded(members[part], size), target
            )
            for part, size in _pieces(len(slot_rows), self.mixtures // _SLOT)
        ]
        return np.concatenate(found).reshape(-1, _SLOT)[slot, place]


class _Compiled:
    """A function compiled by XLA, or by TensorFlow alone where XLA cannot."""

    def __init__(self, function: Callable[..., Any], signature: list[Any]) -> None:
        tf = tensorflow()
        self._call = tf.function(function, jit_compile=True, autograph=False).get_concrete_function(
            *signature
        )
        self._otherwise = tf.function(function, input_signature=signature, autograph=False)

    def __call__(self, *arguments: Any) -> NDArray[np.float32]:
        tf = tensorflow()
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        try:
            found = self._call(*tensors)
        except tf.errors.OpError:  # XLA is not there, or lacks an operation of this network
            self._call = self._otherwise
            found = self._call(*tensors)
        return np.asarray(found, np.float32)


def _slots(rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.intp]]:
    """Deal mixtures to slots that hold those of one row only.

    Returns
    -------
    int32 (q,), the row of each slot
    intp (n,), intp (n,), the slot of each mixture and its place there
    """
    counts = np.bincount(rows)
    per_row = -(-counts // _SLOT)
    nth = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
    slot = (np.cumsum(per_row) - per_row)[rows] + nth // _SLOT
    return np.repeat(np.arange(len(counts)), per_row).astype(np.int32), slot, nth % _SLOT


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


def _pieces(n: int, most: int) -> Iterator[tuple[slice, int]]:
    """Cut n into parts of few lengths, each of which is compiled once; the last is padded to the smallest."""
    sizes = [most, -(-most // 4), -(-most // 16)]
    start = 0
    while start < n:
        size = next((size for size in sizes if size <= n - start), sizes[-1])
        yield slice(start, start + size), size
        start += size


def _padded(array: NDArray[Any], length: int) -> NDArray[Any]:
    if len(array) == length:
        return array
    return np.concatenate([array, np.zeros((length - len(array), *array.shape[1:]), array.dtype)])
