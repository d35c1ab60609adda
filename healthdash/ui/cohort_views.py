"""What people see of many explained rows: plain data, nothing drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.choices import Column
from healthdash.views import Beeswarm, Dependence, MeanShares, Responses

if TYPE_CHECKING:
    from healthdash.explain.cohort import Shares
    from healthdash.explain.dependence import PartialDependence
    from healthdash.explain.metric_loss import MetricLoss
    from healthdash.explain.players import Players

__all__ = ["Cohort", "beeswarm", "dependence", "losses", "mean_shares", "partial"]

#: Dots of one scatter plot that a browser still moves at ease.
MOST_DOTS = 3000


@dataclass(frozen=True, eq=False)
class Cohort:
    """Explanations of many rows.

    Attributes
    ----------
    rows : float32 (n, p)
        The network's input.
    truth : int64 (n,) or None
        Number of each row's true label, -1 where it is not known.
    found : Shares
        Of d players: the columns, or groups of them.
    columns : tuple of Column, length p
    players : Players or None
        None where each column plays alone.
    target : str
        The explained class as people read it.
    """

    rows: NDArray[np.float32]
    truth: NDArray[np.int64] | None
    found: Shares
    columns: tuple[Column, ...]
    players: Players | None
    target: str

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What people call the players."""
        if self.players is not None:
            return self.players.names
        return tuple(column.field.label for column in self.columns)

    @cached_property
    def column_of(self) -> tuple[int | None, ...]:
        """The column of each player; None of a group of several."""
        if self.players is None:
            return tuple(range(len(self.columns)))
        (owner,) = self.players.owner.values()
        members = [np.flatnonzero(owner == player) for player in range(len(self.players))]
        return tuple(int(own[0]) if len(own) == 1 else None for own in members)

    @cached_property
    def numbers(self) -> NDArray[np.float32]:
        """Values of each player that have an order, (n, d); NaN for categories and groups."""
        found = np.full((len(self.rows), len(self.column_of)), np.nan, np.float32)
        for player, column in enumerate(self.column_of):
            if column is not None and self.columns[column].is_number:
                found[:, player] = self.rows[:, column]
        return found

    @cached_property
    def order(self) -> list[int]:
        """Players, those with the largest shares first."""
        size = np.abs(self.found.shares).mean(axis=0)
        return [int(player) for player in np.argsort(-size, kind="stable")]


def mean_shares(cohort: Cohort) -> MeanShares:
    """Return how large the shares of each player are."""
    from healthdash.explain.cohort import importance

    found = importance(cohort.found)
    return MeanShares(
        caption=f"Mean over {found.rows:,} rows, with its 95 % interval for other rows of this kind.",
        features=cohort.labels, mean=100 * found.mean, low=100 * found.low, high=100 * found.high,
        x_label=f"mean size of the share in the probability of {cohort.target}",
    )  # fmt: skip


def losses(cohort: Cohort, found: MetricLoss, metric: str) -> MeanShares:
    """Return how much worse a metric becomes when the values of each player are exchanged between rows."""
    change, size = ("rise", "larger") if found.smaller_is_better else ("loss", "smaller")
    better = "small is good" if found.smaller_is_better else "large is good"
    return MeanShares(
        caption=f"The {metric} is {found.metric:.3f} on these rows as they are; {better}. A bar says how "
        f"much {size} it becomes when the values of one column or group are exchanged between rows, with the "
        "95 % interval over repeated exchanges. Columns that say the same hide one another: group them.",
        features=cohort.labels, mean=found.mean, low=found.low, high=found.high,
        x_label=f"{change} of the {metric}", unit="",
    )  # fmt: skip


def beeswarm(cohort: Cohort) -> Beeswarm:
    """Return one dot a row and player."""
    values = cohort.numbers
    known = np.asarray(np.isfinite(values).any(axis=0))
    low, high = np.zeros(values.shape[1]), np.ones(values.shape[1])
    low[known], high[known] = np.nanmin(values[:, known], axis=0), np.nanmax(values[:, known], axis=0)
    scaled = (values - low) / np.where(high > low, high - low, 1)
    return Beeswarm(
        caption="One dot a row: right of the line it raised the estimated probability. Categories, groups "
        "and missing values are grey. Of many rows a part is drawn, evenly chosen.",
        features=cohort.labels, values=scaled.astype(np.float32), attributions=cohort.found.shares,
        target=cohort.target,
    )  # fmt: skip


def dependence(cohort: Cohort, player: int, color: int | None = None) -> Dependence:
    """Return the share of one player against its value, coloured by another one.

    Parameters
    ----------
    player, color : int
        Numbers of players that are single columns; the color None takes what changes the share most.
    """
    from healthdash.explain.cohort import partner

    column = cohort.columns[_column(cohort, player)]
    if color is None:
        # Rows of one category are bins too, though its numbers have no order to colour by.
        numbers = cohort.numbers.copy()
        numbers[:, player] = cohort.rows[:, _column(cohort, player)]
        color = partner(cohort.found, numbers, player)
    is_colored = color != player and bool(np.isfinite(cohort.numbers[:, color]).any())
    part = slice(None, None, max(1, -(-len(cohort.rows) // MOST_DOTS)))
    values = cohort.rows[part, _column(cohort, player)].tolist()
    return Dependence(
        caption="One dot a row. Where dots of one value spread and their colours part, the two columns work "
        "together.",
        feature=column.field.label, unit=column.unit,
        values=tuple(column.in_words(value) for value in values),
        shares=cohort.found.shares[part, player].astype(np.float64), target=cohort.target,
        color=cohort.numbers[part, color].astype(np.float64) if is_colored else None,
        color_label=cohort.labels[color] if is_colored else "",
    )  # fmt: skip


def partial(column: Column, found: PartialDependence, target: str, *, centred: bool) -> Responses:
    """Return the output as one column takes other values: every row, and the mean.

    Parameters
    ----------
    centred : bool
        Let every line begin at 0, so that one sees whether rows follow alike whatever their level.
    """
    from healthdash.explain.cohort import mean_and_reach

    curves = 100 * found.curves.astype(np.float64)
    curves = curves - curves[:, :1] if centred else curves
    mean, reach = mean_and_reach(curves)
    what = f"estimated probability of {target}, %"
    return Responses(
        caption="Faint: single rows, each with all other values as they are. Bold: the mean of "
        f"{len(curves):,} rows with its 95 % interval. "
        "Both may ask the model about rows that no patient has.",
        feature=column.field.label, unit=column.unit,
        values=tuple(_words(column, found.values)), curves=curves, mean=mean, low=mean - reach,
        high=mean + reach, y_label=f"change of the {what[:-3]}, percentage points" if centred else what,
    )  # fmt: skip


def _words(column: Column, values: NDArray[np.float32]) -> Sequence[float | str]:
    return [column.in_words(float(value)) for value in values]


def _column(cohort: Cohort, player: int) -> int:
    column = cohort.column_of[player]
    assert column is not None
    return column
