"""Does it name what matters? Deletion and insertion curves against random orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.game import Game
from healthdash.explain.quality.question import Question, scaled, units
from healthdash.explain.types import Arrays, Explanation, Floats, OnProgress, Progress

__all__ = ["Curves", "curves", "steps"]

#: Share of random orders that the explanation's own must beat.
LEAST_BEATEN = 0.8
_STEPS = 24
# Of so few parts every order is compared with.
_FEW_PARTS = 4
# Baseline rows of pictures and signals, whose networks take longer.
_MOST_ROWS = 8


@dataclass(frozen=True, eq=False)
class Curves:
    """The output as parts are taken out, or put in, in the explanation's order.

    Attributes
    ----------
    shares : float64 (k,)
        Share of the parts taken out or put in, from 0 to 1.
    deletion, insertion : float64 (k,)
        Output as what speaks most for the label is taken out first, or put in first.
    random_deletion, random_insertion : float64 (orders, k)
        The same in random orders that say something else; none where there is no other order.
    """

    shares: Floats
    deletion: Floats
    insertion: Floats
    random_deletion: Floats
    random_insertion: Floats

    @property
    def deletion_area(self) -> float:
        """Mean output along the deletion curve: the smaller, the better."""
        return float(np.trapezoid(self.deletion, self.shares))

    @property
    def insertion_area(self) -> float:
        """Mean output along the insertion curve: the larger, the better."""
        return float(np.trapezoid(self.insertion, self.shares))

    @property
    def random_deletion_area(self) -> float:
        """Mean over the random orders; that of the explanation's own where there is none."""
        return self._mean_area(self.random_deletion, self.deletion_area)

    @property
    def random_insertion_area(self) -> float:
        """Mean over the random orders; that of the explanation's own where there is none."""
        return self._mean_area(self.random_insertion, self.insertion_area)

    def _mean_area(self, random: Floats, own: float) -> float:
        return float(np.trapezoid(random, self.shares, axis=1).mean()) if len(random) else own

    @property
    def beaten(self) -> float:
        """Share of the random orders that are worse, over both curves; NaN where there is none."""
        if not len(self.random_deletion):
            return float("nan")
        deletions = np.trapezoid(self.random_deletion, self.shares, axis=1) > self.deletion_area
        insertions = np.trapezoid(self.random_insertion, self.shares, axis=1) < self.insertion_area
        return float((deletions.mean() + insertions.mean()) / 2)

    @property
    def passed(self) -> bool | None:
        """Whether the order is plainly better than chance; None where there is no other order."""
        return self.beaten >= LEAST_BEATEN if len(self.random_deletion) else None

    @property
    def words(self) -> str:
        """One sentence."""
        if self.passed is None:
            return "It puts nothing in order: there are no two parts that it gives different values."
        # As many orders are worse where it passes as are better here.
        degree = "worse" if self.beaten <= 1 - LEAST_BEATEN else "hardly better"
        verdict = "" if self.passed else f" {degree} than chance"
        return (
            f"It names what the model uses{verdict}: taking parts out in its order leaves a mean output of "
            f"{self.deletion_area:.1%} (random orders {self.random_deletion_area:.1%}), putting them in "
            f"gives {self.insertion_area:.1%} (random {self.random_insertion_area:.1%})."
        )


def curves(
    question: Question, explanation: Explanation, *, orders: int = 10, on_progress: OnProgress | None = None
) -> Curves:
    """Take parts out of the input, and put them in, by what the explanation says of them.

    Parameters
    ----------
    orders : int
        Random orders to compare with; of up to four parts every other order. One in which parts of equal
        value change places says what the explanation says, so that it is not compared with.

    References
    ----------
    Petsiuk, Das and Saenko 2018, arXiv:1806.07421, deletion and insertion; a random order as the
    yardstick, since the areas alone depend on the model.
    """
    among = units(explanation)
    request = replace(question.request, players=among)
    game = Game.of(
        question.forward, question.inputs, _few(question), question.target, request, most=len(among)
    )
    values = among.sums(explanation.values)
    own = np.argsort(-values, kind="stable")
    others = _orders(len(values), orders, np.random.default_rng(question.request.seed))
    taken = steps(len(among))
    found = []
    for number, order in enumerate([own, own[::-1], *others]):
        place = np.argsort(order)
        found.append(game.mean_worth(place[None, :] >= taken[:, None]))
        if on_progress:
            on_progress(Progress((number + 1) / (len(others) + 2)))
    random, told = np.array(found[2:]), scaled(values)
    # Its own order among the others could only tie with itself, which would count as not beaten.
    is_other = np.array([(told[order] != told[own]).any() for order in others])
    is_other_backwards = np.array([(told[order[::-1]] != told[own]).any() for order in others])
    # Putting in is taking out backwards: of the reversed order, read from its end.
    return Curves(
        taken / len(among), found[0], found[1][::-1], random[is_other], random[is_other_backwards][:, ::-1]
    )


def _orders(parts: int, orders: int, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Return random orders of the parts; of few parts all of them."""
    if parts <= _FEW_PARTS:
        return [np.array(order, np.intp) for order in permutations(range(parts))]
    return [rng.permutation(parts) for _ in range(orders)]


def steps(parts: int) -> NDArray[np.intp]:
    """Return how many parts are taken out at each step, the same counted from either end."""
    half = np.linspace(0, parts, min(parts, _STEPS) + 1).astype(np.intp)
    half = half[half <= parts // 2]
    return np.union1d(half, parts - half)


def _few(question: Question) -> Arrays:
    """Return the background, of pictures and signals a few rows spread over it."""
    m = len(next(iter(question.background.values())))
    if m <= _MOST_ROWS or all(values.ndim == 2 for values in question.inputs.values()):
        return question.background
    chosen = np.linspace(0, m - 1, _MOST_ROWS).round().astype(int)
    return {name: values[chosen] for name, values in question.background.items()}
