"""The figures of a bundle on labelled files that it was not trained on."""

from __future__ import annotations

import numpy as np

from healthdash.training.command import command_line
from healthdash.training.evaluation import Evaluation
from healthdash.training.paired import Answers
from healthdash.training.studio.figures import Judged, evaluation_of

__all__ = ["measured"]


def measured(answers: Answers, unit: str) -> Evaluation:
    """Return the figures of what a bundle says of labelled items; `unit` is what an item is."""
    judged = Judged(
        answers.labels, np.arange(len(answers)), answers.probabilities, answers.truth, answers.decided,
        np.asarray(answers.groups, np.str_), "given data",
    )  # fmt: skip
    return evaluation_of(
        judged,
        split_rule=f"All {unit}s given; none was trained on, as far as the user knows.",
        counts={f"{unit}s": len(answers), "groups": len(np.unique(judged.groups))},
        command=command_line(),
    )
