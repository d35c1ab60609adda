"""Explanations ready to be drawn: their views, their lines, and what the checks found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from healthdash.explain import Explanation
from healthdash.task import Attribution, Report
from healthdash.ui import heatmap, scales
from healthdash.ui.explaining import base_in_words
from healthdash.ui.sides import Side
from healthdash.views import Grid, Picture, Trace, View, Waterfall

if TYPE_CHECKING:
    from healthdash.explain.quality import Quality
    from healthdash.training.explained import JudgedMethod

__all__ = ["Shown", "has", "is_grouped", "is_one_scale", "scale_in_words", "sides"]


@dataclass(frozen=True)
class Shown:
    """A side with its explanation.

    Attributes
    ----------
    heading : str
        What tells this side from the other one.
    views : sequence of View
        Of the explanation, on the scale that all sides share.
    """

    side: Side
    heading: str
    report: Report
    views: Sequence[View]

    @property
    def explanation(self) -> Explanation:
        """What was found."""
        assert self.report.explanation is not None
        return self.report.explanation

    @property
    def lines(self) -> list[Attribution]:
        """One line a feature; where columns play in groups, one line a group."""
        found = self.explanation
        if not is_grouped(found) or found.players is None or found.shares is None:
            return self.side.task.attributions(self.report)
        pairs = zip(found.players.names, found.shares.tolist(), strict=True)
        return [Attribution(name, None, share) for name, share in pairs]

    @property
    def quality(self) -> Quality | None:
        """What the checks found, where they were asked for."""
        return self.side.work.judged.get((self.side.number, self.side.asked))

    @property
    def checks(self) -> tuple[str, ...]:
        """A sentence for each check that was made."""
        return self.quality.words if self.quality else ()

    @property
    def doubt(self) -> str:
        """Why it is shown greyed, by its own checks or else by the card; empty where it is not."""
        if self.quality:
            return self.quality.reason_to_doubt
        usual = self._usual
        return (
            f"On average over synthetic inputs this method {usual.words}."
            if usual and usual.is_doubtful
            else ""
        )

    @property
    def in_card(self) -> str:
        """What the card says of the method, a sentence; empty where it is silent, or the checks were made."""
        usual = self._usual
        if usual is None or self.quality or usual.is_doubtful:
            return ""
        return f"By the model's card, on average over synthetic inputs, this method {usual.words}."

    @property
    def _usual(self) -> JudgedMethod | None:
        judged = self.side.bundle.evaluation.explanations
        methods = judged.methods if judged else ()
        return next((one for one in methods if one.method == self.explanation.method), None)

    @property
    def regions(self) -> heatmap.Regions | None:
        """The regions of a picture that have a share each."""
        return _regions(self.explanation)

    @property
    def n_shares(self) -> int:
        """How many places of a picture the shares are of; 0 where values are no shares."""
        values = next(iter(self.explanation.values.values()))
        return int(np.prod(values.shape[:2])) if self.explanation.is_additive and values.ndim > 1 else 0


def is_grouped(found: Explanation) -> bool:
    """Say whether the columns of a table shared the output out in groups."""
    values = list(found.values.values())
    is_row = len(values) == 1 and values[0].ndim == 1
    return is_row and found.players is not None and not found.players.is_columns


def sides(found: Sequence[tuple[Side, str, Report]]) -> list[Shown]:
    """Return sides that are ready to be drawn, on one scale where their values mean the same."""
    views = [_views(side, report) for side, _, report in found]
    if is_one_scale([report for _, _, report in found]):
        views = scales.shared(views)
    return [Shown(*of, views=own) for of, own in zip(found, views, strict=True)]


def is_one_scale(reports: Sequence[Report]) -> bool:
    """Say whether the values of all sides mean the same: shares of a probability, or of one other method."""
    found = [report.explanation for report in reports if report.explanation]
    if any(one.is_additive for one in found):
        return all(one.is_additive for one in found)
    return len({one.method for one in found}) == 1


def scale_in_words(reports: Sequence[Report]) -> str:
    """Say whether sides may be compared by their colours and lengths; empty for a single one."""
    if len(reports) < 2:
        return ""
    if not is_one_scale(reports):
        return "Each side has its own scale: their values do not mean the same."
    is_additive = all(report.explanation.is_additive for report in reports if report.explanation)
    what = "colours and lengths are equal shares" if is_additive else "colours are equal values"
    return f"Both sides have the same scale: equal {what}."


def _views(side: Side, report: Report) -> list[View]:
    """Return what is drawn of an explanation; its sums are told in words on this page."""
    assert report.explanation is not None
    views = side.task.render(report, side.bundle, side.asked.item).explanation
    kept_views: list[View] = [view for view in views if isinstance(view, Picture | Trace | Waterfall | Grid)]
    if is_grouped(report.explanation):
        kept_views = [view for view in kept_views if not isinstance(view, Waterfall)]
    if not has(kept_views, Waterfall):
        kept_views += _of_players(report.explanation, side.target_words)
    label = base_in_words(report.explanation)
    return [replace(view, base_label=label) if isinstance(view, Waterfall) else view for view in kept_views]


def _regions(found: Explanation) -> heatmap.Regions | None:
    """Return the regions of a picture that shared the output out."""
    if found.players is None or found.shares is None:
        return None
    owner = list(found.players.owner.values())
    if len(owner) != 1 or owner[0].ndim != 3:
        return None
    return heatmap.Regions(owner[0][..., 0], found.players.names, found.shares)


def _of_players(found: Explanation, target: str) -> list[View]:
    """Return the shares of regions, stretches or groups, where those are what was explained."""
    if found.players is None or found.shares is None or not found.is_additive:
        return []
    return [
        Waterfall(
            title=f"Shares of the {found.players.title}", features=found.players.names, base=found.base,
            attributions=found.shares, output=found.output, residual=found.residual, target=target,
        )
    ]  # fmt: skip


def has(views: Sequence[View], kind: type[View]) -> bool:
    """Say whether there is a view of a kind."""
    return any(isinstance(view, kind) for view in views)
