"""The smallest changes of a table row that carry the model's output across a threshold.

They say how the model decides; they are no advice, for the model does not know what a change does to a
patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.choices import Choice
from healthdash.explain.types import Arrays, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.runtime import Forward

__all__ = ["Change", "Counterfactual", "Counterfactuals", "find"]

#: Each changed column costs this besides its distance: one large change reads better than five small ones.
PER_COLUMN = 0.1
_BEAM = 48
_ROUNDS = 3
# Of a number's values between the last that does not cross and the first that does, 48 at a time.
_ZOOMS = 3

Row = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Change:
    """One column that changes."""

    column: int
    label: str
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """A row on the other side of the threshold.

    Attributes
    ----------
    row : float32 (p,)
    changes : tuple of Change
    output : float
        Probability of the label for this row.
    cost : float
        Sum over changed columns of the distance in ranges, a category counting 1, and 0.1 a column.
    """

    row: Row
    changes: tuple[Change, ...]
    output: float
    cost: float


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """Several, the smallest first, each of other columns.

    Attributes
    ----------
    target : int
        Number of the label.
    output : float
        Of the row as it is.
    threshold : float
    found : tuple of Counterfactual
        Empty where no allowed change crosses the threshold.
    samples : int
        Rows that were run.
    """

    target: int
    output: float
    threshold: float
    found: tuple[Counterfactual, ...]
    samples: int

    @property
    def words(self) -> str:
        """One sentence."""
        side = "below" if self.output >= self.threshold else "above"
        output, threshold = _apart(self.output, self.threshold), _apart(self.threshold, self.output)
        if not self.found:
            return f"No allowed change that was tried brings the output {side} {threshold}."
        count = len(self.found[0].changes)
        columns = "one value" if count == 1 else f"{count} values"
        return (
            f"Changing {columns} is enough to bring the output from {output} {side} {threshold}. This says "
            "how the model decides, not what would help a patient."
        )


def _apart(value: float, other: float) -> str:
    """Return a probability with as many decimals as tell it from another one, and from 0 and 1."""
    for digits in range(7):
        told = f"{value:.{digits}%}"
        if told != f"{other:.{digits}%}" and (value in (0, 1) or 0 < float(told[:-1]) < 100):
            return told
    return f"{value:.0%}"


def find(
    forward: Forward,
    inputs: Arrays,
    choices: Sequence[Choice],
    target: int,
    threshold: float,
    *,
    count: int = 3,
    most_changes: int = 4,
    on_progress: OnProgress | None = None,
) -> Counterfactuals:
    """Search for small changes that cross the threshold.

    A beam search over sets of columns, each tried with all its allowed values; what crosses is then moved
    back towards the row as far as the threshold lets it.

    Parameters
    ----------
    inputs : dict of one float32 (1, p)
    choices : sequence of Choice
        One a column: immutable ones have no values, monotone ones those on one side.
    threshold : float
        Probability of the label; a row at or above it is brought below, and the other way round.
    count : int
        How many different ones to find.
    most_changes : int
        Columns that may change together.
    on_progress : function of Progress
        Told the share done; raising cancels.

    Raises
    ------
    ExplainerNotApplicable
        The input is no table row, or has other columns than `choices`.

    References
    ----------
    Wachter, Mittelstadt and Russell 2017, arXiv:1711.00399; Mothilal, Sharma and Tan 2020, arXiv:1905.07697,
    for sparse and diverse ones.
    """
    search = _Search.of(forward, inputs, choices, target, threshold)
    beam = [search.start]
    crossed: dict[frozenset[int], _State] = {}
    for depth in range(most_changes):
        states = search.grown(beam)
        for state in states:
            if search.crosses(state.output):
                _keep(crossed, state)
        beam = search.promising(state for state in states if not search.crosses(state.output))
        if on_progress:
            on_progress(Progress((depth + 1) / (most_changes + 1)))
        if not beam or len(_minimal(crossed)) >= 4 * count:
            break
    smallest: dict[frozenset[int], _State] = {}
    for state in sorted(_minimal(crossed), key=lambda one: one.cost)[: 4 * count]:
        _keep(smallest, search.moved_back(state))
    if on_progress:
        on_progress(Progress(1.0))
    chosen = _different(_minimal(smallest), count)
    found = tuple(search.described(state) for state in chosen)
    return Counterfactuals(target, search.start.output, threshold, found, search.rows_run)


@dataclass(frozen=True, eq=False)
class _State:
    row: Row
    changed: frozenset[int]
    output: float
    cost: float


@dataclass(eq=False)
class _Search:
    """One row, what it may become, and the side that is wanted."""

    forward: Forward
    name: str
    choices: Sequence[Choice]
    target: int
    threshold: float
    start: _State
    rows_run: int = 1

    @classmethod
    def of(
        cls, forward: Forward, inputs: Arrays, choices: Sequence[Choice], target: int, threshold: float
    ) -> _Search:
        ((name, rows), *others) = inputs.items()
        if others or rows.ndim != 2:
            raise ExplainerNotApplicable("expected a row of a table")
        if rows.shape[1] != len(choices):
            raise ExplainerNotApplicable(
                f"expected {rows.shape[1]} columns to choose for, got {len(choices)}"
            )
        row = np.asarray(rows[0], np.float32)
        output = float(forward.probabilities({name: row[None]})[0, target])
        return cls(forward, name, choices, target, threshold, _State(row, frozenset(), output, 0.0))

    def crosses(self, output: float) -> bool:
        """Say whether an output lies on the other side than the start."""
        return (output >= self.threshold) != (self.start.output >= self.threshold)

    def grown(self, states: Sequence[_State]) -> list[_State]:
        """Return the states with one more column changed, to each of its values."""
        rows, of = [], []
        for state in states:
            for column, choice in enumerate(self.choices):
                if column not in state.changed and len(choice.values):
                    block = np.repeat(state.row[None], len(choice.values), axis=0)
                    block[:, column] = choice.values
                    rows.append(block)
                    of += [state.changed | {column}] * len(block)
        return self._states(np.concatenate(rows), of) if rows else []

    def _states(self, rows: Row, changed: Sequence[frozenset[int]]) -> list[_State]:
        outputs = self.forward.probabilities({self.name: rows})[:, self.target]
        self.rows_run += len(rows)
        free = [(column, choice) for column, choice in enumerate(self.choices) if len(choice.values)]
        costs = sum((choice.cost(rows[:, column]) for column, choice in free), start=np.zeros(len(rows)))
        return [
            _State(row, columns, float(output), float(cost) + PER_COLUMN * len(columns))
            for row, columns, output, cost in zip(rows, changed, outputs, costs, strict=True)
        ]

    def promising(self, states: Iterable[_State]) -> list[_State]:
        """Return the states to go on from: of each set of columns the one nearest to the threshold."""
        best: dict[frozenset[int], _State] = {}
        for state in states:
            other = best.get(state.changed)
            if other is None or self._gap(state) < self._gap(other):
                best[state.changed] = state
        by_gap = sorted(best.values(), key=self._gap)
        by_gain = sorted(best.values(), key=lambda one: -(self._gap(self.start) - self._gap(one)) / one.cost)
        half = _BEAM // 2
        return list({id(state): state for state in [*by_gap[:half], *by_gain[:half]]}.values())

    def _gap(self, state: _State) -> float:
        return abs(state.output - self.threshold)

    def moved_back(self, state: _State) -> _State:
        """Return the state with each changed column as near to the start as the threshold lets it."""
        for _ in range(_ROUNDS):
            before = state
            for column in sorted(state.changed):
                state = self._nearest(state, column) if column in state.changed else state
            if state.cost >= before.cost:
                break
        return state

    def _nearest(self, state: _State, column: int) -> _State:
        """Return the cheapest state that crosses with another value of a column, or with its own."""
        choice, own = self.choices[column], float(self.start.row[column])
        state = self._cheapest(state, column, np.append(choice.values, np.float32(own)))
        if choice.span == 0 or np.isnan(own) or column not in state.changed:
            return state
        # A row may lie outside the range, which no proposal leaves.
        near = float(np.clip(own, choice.values.min(), choice.values.max()))
        for _ in range(_ZOOMS):
            far = float(state.row[column])
            values = choice.between(*sorted((near, far)))
            state = self._cheapest(state, column, values)
            nearer = values[np.abs(values - own) < abs(float(state.row[column]) - own)]
            if len(nearer) == 0:
                break
            near = float(nearer[np.abs(nearer - own).argmax()])
        return state

    def _cheapest(self, state: _State, column: int, values: Row) -> _State:
        rows = np.repeat(state.row[None], len(values), axis=0)
        rows[:, column] = values
        same = (values == self.start.row[column]) | np.isnan(values)
        of = [state.changed - {column} if is_own else state.changed for is_own in same]
        crossing = [one for one in self._states(rows, of) if self.crosses(one.output)]
        return min([state, *crossing], key=lambda one: one.cost)

    def described(self, state: _State) -> Counterfactual:
        """Return a state as people see it."""
        changes = tuple(
            Change(
                column, self.choices[column].label, float(self.start.row[column]), float(state.row[column])
            )
            for column in sorted(state.changed)
        )
        return Counterfactual(state.row, changes, state.output, state.cost)


def _keep(best: dict[frozenset[int], _State], state: _State) -> None:
    other = best.get(state.changed)
    if other is None or state.cost < other.cost:
        best[state.changed] = state


def _minimal(crossed: dict[frozenset[int], _State]) -> list[_State]:
    """Return the states none of whose columns could have been left alone."""
    return [state for columns, state in crossed.items() if not any(other < columns for other in crossed)]


def _different(states: Sequence[_State], count: int) -> list[_State]:
    """Choose cheap states that share few columns with those already chosen, the cheapest first."""
    chosen: list[_State] = []
    left = list(states)
    while left and len(chosen) < count:
        best = min(left, key=lambda one: one.cost * (1 + _overlap(one, chosen)))
        chosen.append(best)
        left.remove(best)
    return sorted(chosen, key=lambda one: one.cost)


def _overlap(state: _State, chosen: Sequence[_State]) -> float:
    """Return the largest share of columns in common with a chosen state."""
    return max(
        (len(state.changed & one.changed) / len(state.changed | one.changed) for one in chosen), default=0.0
    )
