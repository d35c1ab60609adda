"""How good a bundle's explanations are: the section `explanations` of `evaluation.json`.

Measured by `healthdash.judging`; the card and the page of the models show the same table.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["LEGEND", "Agreed", "Average", "ExplanationQuality", "JudgedMethod"]

#: What the columns of the table mean.
LEGEND = (
    "Adds up: by how many percentage points the shares miss the model's output; a dash where a method gives "
    "no shares. Holds still: rank correlation with the explanation of the same input with a little noise "
    "(in a table on numbers, never on codes), 1 is best. Taken out, put in: by how many percentage points "
    "taking parts of the input out (putting them in) in the explanation's order moves the mean output "
    "further than random orders do, 0 is chance. Orders beaten: random orders that are worse. Weights "
    "shuffled: rank correlation with the explanation of a network whose weights are shuffled, near 0 is "
    "good. Each method is scored on parts of its own: what its shares are of (columns, waves, the "
    "superpixels of KernelSHAP), else cells of equal size, 12 along each axis. What is taken out becomes "
    "typical inputs stored with the model, in pictures the same picture blurred. KernelSHAP and occlusion "
    "explain pictures against that blur; gradients start from stored pictures and Grad-CAM from none, so "
    "that they are scored against a blur which they did not explain: among pictures these figures do not "
    "rank the methods."
)
Unit = Literal["points", "share", "correlation"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Average(_Frozen):
    """A mean over n items with its 95 % bootstrap interval; no interval of a single item."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int

    def shown(self, unit: Unit) -> str:
        """Return the figure with its interval: percentage points, a percentage or a correlation."""
        scale, form = {"points": (100, ".2f"), "share": (100, ".0f"), "correlation": (1, ".2f")}[unit]
        sign = " %" if unit == "share" else ""
        # Adding 0 turns a rounded -0.00 into 0.00.
        value, *ends = (
            format(round(scale * number, 2) + 0.0, form)
            for number in (self.value, self.low, self.high)
            if number is not None
        )
        return f"{value}{sign} ({' to '.join(ends)})" if ends else f"{value}{sign}"


class JudgedMethod(_Frozen):
    """How good the explanations of one method are, on average over synthetic items.

    Attributes
    ----------
    samples : int
        That each explanation was given; 0 for a method that draws none.
    residual : Average or None
        What the shares miss the output by, as a probability without its sign; None for a method whose
        values are no shares.
    stability : Average or None
        Rank correlation with the explanation of the same input with a little noise; None where no input
        can be changed a little.
    deletion, insertion : Average
        Mean output that is lost by taking parts out, or won by putting them in, in the explanation's order
        rather than in random orders, as a probability: the larger, the better; 0 is chance.
    beaten : Average or None
        Share of the random orders that are worse; None where no input has two parts of different values.
    shuffled : Average
        Rank correlation with the explanation of a network whose weights are shuffled: near 0 is good.
    is_doubtful : bool
        Whether the explanations stay much the same without what the model has learnt.
    words : str
        What it means, a sentence.
    """

    method: str
    title: str
    samples: int = 0
    residual: Average | None
    stability: Average | None
    deletion: Average
    insertion: Average
    beaten: Average | None
    shuffled: Average
    is_doubtful: bool
    words: str

    def row(self) -> dict[str, str]:
        """Return the line of the table, text by heading."""
        return {
            "method": f"{self.title}, {self.samples} samples" if self.samples else self.title,
            "adds up": self.residual.shown("points") if self.residual else "-",
            "holds still": self.stability.shown("correlation") if self.stability else "-",
            "taken out": self.deletion.shown("points"),
            "put in": self.insertion.shown("points"),
            "orders beaten": self.beaten.shown("share") if self.beaten else "-",
            "weights shuffled": self.shuffled.shown("correlation"),
        }


class Agreed(_Frozen):
    """How alike two methods are: rank correlation, and share of the largest parts in common."""

    titles: tuple[str, str]
    correlation: Average
    overlap: Average

    def row(self) -> dict[str, str]:
        """Return the line of the table, text by heading."""
        return {
            "methods": " and ".join(self.titles),
            "rank correlation": self.correlation.shown("correlation"),
            "largest parts in common": self.overlap.shown("share"),
        }


class ExplanationQuality(_Frozen):
    """How good a bundle's explanations are.

    Attributes
    ----------
    items, kind : int, str
        How many inputs were explained, and what they are ("synthetic beats").
    samples : int
        Asked for; 0 takes the task's own number for each method, see `JudgedMethod.samples`.
    seed : int
    methods : tuple of JudgedMethod
        The methods that the task offers and that fit, the default first.
    agreement : tuple of Agreed
        Each pair of them.
    command : str
        What measures it again.
    """

    items: int
    kind: str
    samples: int
    seed: int
    methods: tuple[JudgedMethod, ...]
    agreement: tuple[Agreed, ...] = ()
    command: str

    @property
    def words(self) -> str:
        """What was done, in a sentence."""
        return (
            f"Measured on {self.items} {self.kind}, none of a patient, for the label that the model gives "
            f"each (seed {self.seed}). Figures are means with 95 % "
            "bootstrap intervals over these items; on real inputs they may be better or worse. They are "
            "about the explanations and the model: none says whether the model is right, nor where a disease "
            "is."
        )

    @property
    def agreement_words(self) -> str:
        """Whether the methods agree, in a sentence; empty with a single method."""
        if not self.agreement:
            return ""
        by_likeness = sorted(self.agreement, key=lambda pair: pair.correlation.value)
        least, most = by_likeness[0], by_likeness[-1]
        if least is most:
            return f"{_pair(least)} agree with a rank correlation of {least.correlation.value:.2f}."
        return (
            f"Of all pairs {_pair(most)} agree most (rank correlation {most.correlation.value:.2f}), "
            f"{_pair(least)} least ({least.correlation.value:.2f})."
        )


def _pair(agreed: Agreed) -> str:
    return " and ".join(agreed.titles)
