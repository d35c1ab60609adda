"""Exact Shapley values of many rows of a table, whose mixtures go through the network together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.explain import baselines, exact
from healthdash.explain.game import differs, distinct
from healthdash.explain.players import Players, of_inputs
from healthdash.explain.steps import Baseline
from healthdash.explain.types import Arrays, ExplainRequest, Floats, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["RowShares", "explain_rows"]

# Of several rows at once; more fill the chunks better, fewer tell their progress more often.
_MIXTURES_AT_ONCE = 1 << 18
_STEPS_AT_ONCE = 1 << 23


@dataclass(frozen=True, eq=False)
class RowShares:
    """The shares of rows of a table.

    Attributes
    ----------
    players : Players
    shares : float32 (n, d)
    base : float
    output : float64 (n,)
    """

    players: Players
    shares: NDArray[np.float32]
    base: float
    output: Floats


def explain_rows(
    forward: Forward,
    cohort: Arrays,
    background: Arrays,
    target: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> RowShares | None:
    """Divide the probability of one label for every row of a table exactly among its players.

    Parameters
    ----------
    cohort : dict of float32 (n, p)
    on_progress : function of Progress
        Told the share of rows done; a true answer ends with these, raising cancels.

    Returns
    -------
    RowShares, or None
        None where the network does not begin as a sum over columns: then explain row by row.
    """
    one = {name: values[:1] for name, values in cohort.items()}
    players = request.players or of_inputs(one, exact.MOST_PLAYERS)
    rows, weight = distinct(baselines.rows(request.baseline or "background", one, background))
    baseline = Baseline.of(forward, rows, players)
    if baseline is None:
        return None
    at_rows = forward.probabilities(rows)[:, target].astype(np.float64)
    output = forward.probabilities(cohort)[:, target].astype(np.float64)
    asked = _Rows(baseline, cohort[baseline.sums.name], weight, at_rows, output, target)
    apart = [differs({baseline.sums.name: row}, rows, players) for row in asked.items]
    shares = np.zeros((len(output), len(players)), np.float32)
    is_over = False

    def told(rows_done: float) -> None:
        nonlocal is_over
        is_over = bool(on_progress(Progress(rows_done / len(output)))) or is_over

    for part in _parts(apart, baseline):
        found = asked.shares(part, np.concatenate(apart[part]), told)
        if found is None:
            return None
        shares[part] = found
        if is_over:
            break
    return RowShares(players, shares[: part.stop], float(weight @ at_rows), output[: part.stop])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a table against a baseline."""

    baseline: Baseline
    items: NDArray[np.float32]
    weight: Floats
    at_rows: Floats
    output: Floats
    target: int

    def shares(
        self, part: slice, apart: NDArray[np.bool_], on_done: Callable[[float], None]
    ) -> Floats | None:
        """Return the shares (k, d) of some rows, or None where rounding would show.

        `on_done` is told how many rows are done, in parts of a row too: of many players one takes seconds.
        """
        m, k = len(self.weight), part.stop - part.start
        steps = self.baseline.steps_to(self.items[part])
        if steps is None:
            return None
        ends = np.stack([np.tile(self.at_rows, k), np.repeat(self.output[part], m)], axis=1)
        start = np.tile(self.baseline.start, (k, 1))
        pairs = exact.Pairs(start, steps.reshape(k * m, *steps.shape[2:]), apart, ends)
        shares = np.zeros((k, steps.shape[2]))
        run, total = 0, int((1 << apart.sum(axis=1)).sum())
        for some, among, worth in exact.added(self.baseline.sums, pairs, self.target):
            each = worth @ exact.coefficients(among.shape[1]) * self.weight[some % m, None]
            np.add.at(shares, (some[:, None] // m, among), each)
            run += worth.size
            on_done(part.start + k * run / total)
        return shares


def _parts(apart: list[NDArray[np.bool_]], baseline: Baseline) -> Iterator[slice]:
    """Cut the rows into parts that fit the memory."""
    most = max(1, _STEPS_AT_ONCE // baseline.effects.size)
    start = mixtures = 0
    for row, each in enumerate(apart):
        more = int((1 << each.sum(axis=1)).sum())
        if row > start and (row - start == most or mixtures + more > _MIXTURES_AT_ONCE):
            yield slice(start, row)
            start, mixtures = row, 0
        mixtures += more
    yield slice(start, len(apart))
