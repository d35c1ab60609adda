"""What a search draws settings from: stated as JSON, checked against what the settings may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthdash.errors import InvalidInput
from healthdash.training.settings import About, TrainSettings, abouts
from healthdash.training.studio.items import ItemKind
from healthdash.training.studio.networks import named
from healthdash.training.studio.plans import DEFAULT_NETWORK, heeded

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["MOST_TRIALS", "Among", "Between", "Space", "default_space", "parse_space", "posed", "read_space"]

MOST_TRIALS = 500
#: Settings that say what is learnt and how it is split: the same for all trials.
_FIXED = frozenset({"seed", "folds", "members", "patience"})
_FIXED_GROUPS = frozenset({"data"})
_HINT = 'Write such as {"learning_rate": {"low": 0.0003, "high": 0.03, "log": true}, "batch_size": [16, 64]}.'


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included; by its logarithm where `log` is true."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Among:
    """One of some values."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """Ranges of some settings; all others stay as they were chosen."""

    ranges: Mapping[str, Between | Among]

    def draw(self, base: TrainSettings, trials: int, *, seed: int) -> list[TrainSettings]:
        """Return the settings of each trial, drawn independently and evenly; the same for one seed.

        References
        ----------
        Bergstra & Bengio 2012, JMLR 13:281, on random search against grids.
        """
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        distributions = {name: _distribution(name, one) for name, one in self.ranges.items()}
        return [replace(base, **study.ask(distributions).params) for _ in range(trials)]

    def described(self) -> dict[str, Any]:
        """Return the space as JSON holds it."""
        return {
            name: list(one.values)
            if isinstance(one, Among)
            else {"low": one.low, "high": one.high, "log": one.log}
            for name, one in self.ranges.items()
        }


def posed(kind: ItemKind, base: TrainSettings) -> TrainSettings:
    """Return the settings that all trials share: with the network named, and a part set aside, not folds.

    Raises
    ------
    InvalidInput
        The network is trained by a recipe of its own, without settings to draw.
    """
    network = named(base.network or DEFAULT_NETWORK[kind], kind)
    if not network.module:
        raise InvalidInput(f"a search is not for the network {network.title}", hint="Choose another network.")
    return replace(base, network=network.slug, folds=0)


def default_space(kind: ItemKind, base: TrainSettings) -> Space:
    """Return ranges around what the recipes take, for whoever states none.

    References
    ----------
    Bengio 2012, Neural Networks: Tricks of the Trade, on which settings matter most, and on drawing
    the learning rate by its logarithm.
    """
    ranges: dict[str, Between | Among] = {
        "learning_rate": Between(3e-4, 3e-2, log=True),
        "batch_size": Among((16, 32, 64, 128)),
        "dropout": Between(0.0, 0.6),
        "weight_decay": Between(1e-3, 0.5, log=True),
    }
    known = heeded(kind, base)
    return Space({name: one for name, one in ranges.items() if name in known})


def read_space(file: Path) -> Space:
    """Read a space from a JSON file.

    Raises
    ------
    InvalidInput
        It is no JSON object, names a setting that is not there or must be the same for all trials, or a
        range that is empty or beyond what the setting may be; all problems at once.
    """
    try:
        return parse_space(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InvalidInput("expected the space as a JSON file", hint=_HINT) from error


def parse_space(stated: Any) -> Space:
    """Return the space that JSON states; see `read_space`."""
    if not isinstance(stated, dict) or not stated:
        raise InvalidInput("expected a JSON object of ranges by the names of settings", hint=_HINT)
    known = abouts()
    problems, ranges = [], {}
    for name, given in stated.items():
        about = known.get(name)
        if about is None or name in _FIXED or about.group in _FIXED_GROUPS:
            problems.append(f"{str(name)[:40]} is no setting that a search may draw")
            continue
        found = _range(given)
        wrong = list(_wrong(name, found, about)) if found else [f"{name}: expected a list or low and high"]
        problems += wrong
        if found and not wrong:
            ranges[name] = found
    if problems:
        raise InvalidInput(problems, hint=_HINT)
    return Space(ranges)


def _range(given: Any) -> Between | Among | None:
    if isinstance(given, list) and given:
        return Among(tuple(given))
    if isinstance(given, dict) and {"low", "high"} <= set(given) <= {"low", "high", "log"}:
        low, high = given["low"], given["high"]
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (low, high)):
            return Between(low, high, bool(given.get("log", False)))
    return None


def _wrong(name: str, one: Between | Among, about: About) -> Iterator[str]:
    """Yield what is wrong with a range."""
    numbers = about.kind in ("whole", "number")
    if isinstance(one, Between):
        if not numbers:
            yield f"{name}: expected a list of values, not a range"
        elif not one.low < one.high:
            yield f"{name}: low must be below high"
        elif one.log and one.low <= 0:
            yield f"{name}: a range by its logarithm begins above 0"
        values: tuple[Any, ...] = (one.low, one.high)
    else:
        values = one.values
    for value in values:
        if numbers and not _is_number(value, about):
            yield f"{name}: expected numbers from {about.low:g} to {about.high:g}"
            return
        if about.kind == "choice" and about.choices and value not in about.choices:
            yield f"{name}: expected some of {', '.join(about.choices)}"
            return


def _is_number(value: Any, about: About) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    is_right = about.kind == "number" or float(value).is_integer()
    return is_right and about.low <= value <= about.high


def _distribution(name: str, one: Between | Among) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(one, Among):
        return CategoricalDistribution(one.values)
    if abouts()[name].kind == "whole":
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)
