"""Who shares an output out: columns, groups of columns, superpixels, parts of a signal.

A player owns values of the network's inputs. In a coalition the players that take part bring the
values of the explained item; those of all others come from a baseline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import ContractError
from healthdash.explain.types import Arrays

__all__ = ["Players", "grid", "of_inputs", "superpixels"]

Shapes = Mapping[str, tuple[int, ...]]

#: Values that no player owns: they are the item's in every coalition.
FIXED = -1
_PARTS_OF_A_SIGNAL = 8
# Of SLIC: how much nearness counts against likeness of grey, for pictures from 0 to 1.
_COMPACTNESS = 0.1


@dataclass(frozen=True, eq=False)
class Players:
    """A division of the inputs' values among players.

    Attributes
    ----------
    names : tuple of str
    owner : dict of intp array
        For each network input the number of the player that owns each value, shaped like the
        input without the batch; `FIXED` where nobody does.
    title : str
        What the players are, in words.
    """

    names: tuple[str, ...]
    owner: Mapping[str, NDArray[np.intp]]
    title: str = "players"

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def columns(
        cls, input_name: str, names: Sequence[str], groups: Mapping[str, Sequence[str]] | None = None
    ) -> Players:
        """Return the columns of a table as players.

        Parameters
        ----------
        names : sequence of str
            Of the columns, in the network's order.
        groups : dict of sequences of str
            Columns that play together, such as the indicators of one category or related laboratory
            values. Columns in no group play alone.
        """
        group_of = {column: group for group, members in (groups or {}).items() for column in members}
        unknown = set(group_of) - set(names)
        if unknown:
            raise ContractError(f"expected columns of the table, got {', '.join(sorted(unknown))}")
        player_of = [group_of.get(name, name) for name in names]
        players = tuple(dict.fromkeys(player_of))
        owner = np.array([players.index(player) for player in player_of], np.intp)
        return cls(players, {input_name: owner}, "columns" if not groups else "groups of columns")

    @classmethod
    def of(
        cls,
        shapes: Shapes,
        parts: Mapping[str, Mapping[str, Any]],
        *,
        rest: str = "the rest",
        title: str = "parts",
    ) -> Players:
        """Return named parts of the inputs as players.

        Parameters
        ----------
        shapes : dict of tuple
            Shapes of the network's inputs without the batch.
        parts : dict of dicts
            A player's name, to the input's name and what indexes its values there: a slice, a bool
            array, numbers. A part may lie in several inputs.
        rest : str
            Name of the player that owns the values of no part, if there are any.

        Raises
        ------
        ContractError
            Two parts share a value, or a part has none.
        """
        owner = {name: np.full(shape, FIXED, np.intp) for name, shape in shapes.items()}
        for number, (part, places) in enumerate(parts.items()):
            for name, index in places.items():
                if (owner[name][index] != FIXED).any():
                    raise ContractError(f"expected parts that share no value, {part} meets another one")
                owner[name][index] = number
        free = any((numbers == FIXED).any() for numbers in owner.values())
        for numbers in owner.values():
            numbers[numbers == FIXED] = len(parts)
        made = cls((*parts, *([rest] if free else [])), owner, title)
        if (made.sizes == 0).any():
            raise ContractError("expected parts that own a value each, one owns none")
        return made

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """How many values each player owns, (d,)."""
        flat = np.concatenate([numbers.ravel() for numbers in self.owner.values()])
        return np.bincount(flat[flat != FIXED], minlength=len(self))

    @cached_property
    def is_columns(self) -> bool:
        """Whether each value of a single table row plays alone, in order."""
        numbers = list(self.owner.values())
        return len(numbers) == 1 and np.array_equal(numbers[0], np.arange(len(self)))

    def keep(self, coalitions: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
        """Return which values come from the item, (n, ...) for each input, for coalitions (n, d)."""
        if self.is_columns:
            return dict.fromkeys(self.owner, coalitions)
        all_and_fixed = np.concatenate([coalitions, np.ones((len(coalitions), 1), bool)], axis=1)
        return {name: all_and_fixed[:, numbers] for name, numbers in self.owner.items()}

    def spread(self, shares: NDArray[np.floating[Any]]) -> dict[str, NDArray[np.float32]]:
        """Return the shares (d,) divided evenly over each player's values."""
        each = np.append(shares / np.maximum(self.sizes, 1), 0.0).astype(np.float32)
        return {name: each[numbers] for name, numbers in self.owner.items()}

    def sums(self, values: Arrays) -> NDArray[np.float64]:
        """Return the sum of values over what each player owns, (d,)."""
        total = np.zeros(len(self) + 1)
        for name, numbers in self.owner.items():
            np.add.at(total, numbers, values[name].astype(np.float64))
        return total[:-1]


def of_inputs(inputs: Arrays, most: int) -> Players:
    """Return the players of inputs for which none are given, at most so many where one can choose.

    Columns of a table, superpixels of a picture, parts of equal length of a signal; an input of one
    axis beside others plays as a whole.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    """
    one = {name: values[0] for name, values in inputs.items()}
    ((name, item), *others) = one.items()
    if not others and item.ndim == 1:
        return Players.columns(name, [f"column {i + 1}" for i in range(len(item))])
    if not others and item.ndim == 3:
        return superpixels(item, most, name=name)
    return grid({name: values.shape for name, values in one.items()}, _parts(one, most))


def superpixels(picture: NDArray[np.float32], most: int, *, name: str = "image") -> Players:
    """Return at most so many regions of a picture that are alike in grey or colour.

    Parameters
    ----------
    picture : float32 (height, width, channels), 0 to 1
    name : str
        Of the network's input.

    References
    ----------
    Achanta et al. 2012, IEEE PAMI 34:2274, SLIC superpixels.
    """
    from skimage.segmentation import slic

    wanted = most
    while True:
        regions = slic(picture, n_segments=wanted, compactness=_COMPACTNESS, start_label=0, channel_axis=-1)
        regions = np.unique(regions, return_inverse=True)[1].reshape(picture.shape[:2])
        count = int(regions.max()) + 1
        if count <= most or wanted == 1:
            break
        wanted = max(1, wanted - max(1, count - most))
    names = tuple(_place(regions == number) for number in range(count))
    owner = np.repeat(regions[..., None], picture.shape[-1], axis=-1).astype(np.intp)
    return Players(names, {name: owner}, "superpixels")


def grid(shapes: Shapes, parts: int | Mapping[str, int]) -> Players:
    """Return cells of equal size as players: squares of a picture, stretches of a signal.

    Parameters
    ----------
    parts : int or dict of int
        Cells along each spatial axis, for all inputs or for each. All axes but the last are spatial;
        the values of an input with one axis play one by one if it is the only one, else as a whole.
    """
    owner, names, first = {}, [], 0
    for name, shape in shapes.items():
        each = parts if isinstance(parts, int) else parts[name]
        spatial = shape[:-1] if len(shape) > 1 else (shape if len(shapes) == 1 else ())
        counts = [min(each, length) if len(shape) > 1 else length for length in spatial]
        places = [np.arange(n) * c // n for n, c in zip(spatial, counts, strict=True)]
        cells = np.zeros(spatial, np.intp)
        for axis, (place, count) in enumerate(zip(places, counts, strict=True)):
            cells = cells * count + place.reshape(-1, *[1] * (len(spatial) - axis - 1))
        cells = cells if spatial == shape else cells[..., None]
        owner[name] = first + np.broadcast_to(cells, shape)
        number = int(np.prod(counts, dtype=int))
        names += _cell_names(name, number, cells, len(spatial))
        first += number
    return Players(tuple(names), owner, "cells of equal size")


def _cell_names(name: str, number: int, cells: NDArray[np.intp], axes: int) -> list[str]:
    """Return what people call cells: their place in a picture, their number along a signal."""
    if number == 1:
        return [name]
    if axes == 2:
        flat = cells[..., 0] if cells.ndim > 2 else cells
        return [_place(flat == cell) for cell in range(number)]
    return [f"{name}, part {cell + 1}" for cell in range(number)]


def _parts(item: Arrays, most: int) -> dict[str, int]:
    """Return into how many parts each input with a time axis is cut, the others being whole."""
    timed = [name for name, values in item.items() if values.ndim > 1]
    each = min(_PARTS_OF_A_SIGNAL, (most - len(item) + len(timed)) // max(1, len(timed)))
    return dict.fromkeys(item, max(1, each))


def _place(region: NDArray[np.bool_]) -> str:
    """Say where the middle of a region lies, in percent from the left and from the top."""
    down, right = (
        100 * (axis.mean() + 0.5) / n for axis, n in zip(np.nonzero(region), region.shape, strict=True)
    )
    return f"region at {right:.0f} % across, {down:.0f} % down"
