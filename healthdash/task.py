"""The contract of a vertical: what a task is, and the values that flow through it.

    bytes -> Upload -> read -> Sample -> validate -> gate -> prepare -> predict -> explain -> render

A new kind of data is one subclass of `Task` in a folder below `healthdash/tasks`.
`healthdash.pipeline.run` is the only place that orders the verbs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from healthdash import disk
from healthdash import explain as explaining
from healthdash.errors import HealthdashError, InvalidInput, TrainingError
from healthdash.explain import ExplainRequest, Explanation
from healthdash.fields import Field
from healthdash.training import TrainSettings
from healthdash.views import ClassBars, Sections, View, Waterfall

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.explain.choices import Column
    from healthdash.explain.players import Players
    from healthdash.training.evaluation import Evaluation
    from healthdash.training.history import EpochRow
    from healthdash.training.paired import Answers

__all__ = [
    "MEND_CELLS",
    "Arrays",
    "Attribution",
    "Example",
    "Gate",
    "Prediction",
    "Report",
    "Sample",
    "Task",
    "Unit",
    "Upload",
]

Arrays = Mapping[str, NDArray[np.float32]]
Kind = Literal["image", "volume", "signal", "table", "document"]
Verdict = Literal["pass", "warn", "refuse"]
Unit = Literal["image", "slice", "row", "beat", "window"]
#: What to do about rows that were refused.
MEND_CELLS = "Correct these cells, or empty them where the value is not known."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its bytes, and a name that is shown but never trusted.

    `hints` holds what the user said about it where the file is silent: ``rate_hz``,
    ``unit``; or wants of it: ``part``, which of several volumes, from 1.
    """

    name: str
    data: bytes = field(repr=False)
    hints: Mapping[str, str | float] = field(default_factory=dict)

    @classmethod
    def from_path(cls, path: Path, hints: Mapping[str, str | float] | None = None) -> Upload:
        """Read a file of this machine.

        Raises
        ------
        InputError
            It is not there, or may not be read.
        """
        with disk.opening():
            return cls(name=str(path), data=path.read_bytes(), hints=hints or {})


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One parsed input; each vertical adds its own arrays.

    Attributes
    ----------
    source : str
        Name of the upload, for people; never logged.
    kind, format : str
        What it is ("image") and how it was stored ("DICOM, JPEG 2000").
    notices : tuple of str
        Odd but usable things that the reader found, one sentence each.
    refused : dict of int to tuple of str
        Rows (numbers from 0) that are left out while the others are used, with the reasons.
    """

    source: str
    kind: Kind
    format: str
    notices: tuple[str, ...] = ()
    refused: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a model may see a sample, and why."""

    verdict: Verdict = "pass"
    reasons: tuple[str, ...] = ()
    hint: str = ""

    @classmethod
    def of(cls, *, refuse: Sequence[str] = (), warn: Sequence[str] = (), hint: str = "") -> Gate:
        """Combine findings: any refusal refuses, any warning warns."""
        verdict: Verdict = "refuse" if refuse else "warn" if warn else "pass"
        return cls(verdict, (*refuse, *warn), hint)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Model output for the n items of one sample.

    Attributes
    ----------
    labels : tuple of str, length k
    raw : float32 (n, k)
        Softmax of the network's logits.
    calibrated : float32 (n, k)
        After the bundle's calibration; equal to `raw` where there is none.
    items : int64 (n,)
        Row or slice number (from 0), or sample number of each beat; 0 for a picture.
    decided : int64 (n,)
        Index of the label that the bundle's operating points give.
    unit : str
        What an item is.
    is_calibrated : bool
    """

    labels: tuple[str, ...]
    raw: NDArray[np.float32]
    calibrated: NDArray[np.float32]
    items: NDArray[np.int64]
    decided: NDArray[np.int64]
    unit: Unit
    is_calibrated: bool

    def __len__(self) -> int:
        return len(self.items)

    def label(self, item: int = 0) -> str:
        """Return the label decided for one item."""
        return self.labels[int(self.decided[item])]

    def probabilities(self, item: int = 0) -> dict[str, float]:
        """Return the calibrated probability of each label for one item."""
        return {label: float(p) for label, p in zip(self.labels, self.calibrated[item], strict=True)}


@dataclass(frozen=True, slots=True)
class Attribution:
    """One line of an explanation: a feature, its value as text or number, its share; the value in words."""

    feature: str
    value: str | float | None
    attribution: float
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What each step said about one sample; the page, the command line and the export show it.

    Either `error` is set, or `prediction` is. `explained_item` says which row or beat the
    explanation is for. `seconds` holds the time of each step.
    """

    source: str
    task: str
    model: str
    sha256: str
    sample: Sample | None = None
    gate: Gate | None = None
    inputs: Arrays | None = None
    prediction: Prediction | None = None
    explanation: Explanation | None = None
    explained_item: int = 0
    error: HealthdashError | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that the sample and the network's inputs hold."""
        own = [getattr(self.sample, one.name) for one in fields(self.sample)] if self.sample else []
        return sum(one.nbytes for one in (*own, *(self.inputs or {}).values()) if isinstance(one, np.ndarray))

    @property
    def refusals(self) -> Mapping[int, InvalidInput]:
        """What is wrong with each row that was left out while the others were used."""
        found = self.sample.refused if self.sample else {}
        return {row: InvalidInput(reasons, hint=MEND_CELLS) for row, reasons in found.items()}

    def rows(self) -> list[tuple[int, int | None]]:
        """Pair each row of the file with its place in the prediction, in order; None: it was refused."""
        predicted = self.prediction.items.tolist() if self.prediction else []
        refused = [(row, None) for row in (self.sample.refused if self.sample else ())]
        return sorted([*zip(predicted, range(len(predicted)), strict=True), *refused])


@dataclass(frozen=True, slots=True)
class Example:
    """A synthetic sample that ships, so that the first click works without a file.

    `settings` are those of a short run, where it is a labelled set to train on.
    """

    slug: str
    title: str
    description: str
    make: Callable[[], list[Upload]]
    settings: TrainSettings = field(default_factory=TrainSettings)


class Task(ABC):
    """One question that a model answers about one kind of data.

    Class attributes
    ----------------
    slug : str
        Name on the command line and in addresses, kebab-case.
    title, summary : str
        For people. The summary says what goes in and what comes out.
    kind : str
        Tasks of one kind share a page.
    unit : str
        What one prediction is for: an image, a row, a beat.
    accepts : tuple of str
        File extensions offered by the upload widget; the bytes decide.
    labels : dict of str to str
        Label to its explanation, in the network's order.
    fields : tuple of Field
        Of a table: its columns, with units and ranges, as they are typed, matched and checked.
    methods : tuple of str
        Names of the methods that explain an output, the usual one first; empty: there is none.
    samples : dict of str to int
        Budget of a method where the usual one would miss the output by more than a percentage point.
    divisions : dict of str to str
        Of a signal: the ways to divide an input among players, with their titles, the usual one first.
    feature_names : dict of str to sequence of str
        What the columns of each of the network's inputs are called where they are explained.
    column_groups : dict of str to tuple of str
        Of a table: columns that belong together, such as all drugs, which people may take as one.
    is_generic : bool
        Whether its labels and fields come from each bundle, so that none ships; see `bound`.
    key_figures : tuple of str
        Names of the measures that say most, the first of all; empty: those that a recipe puts first.
    usual_network : str
        Of those of the studio, the one that is offered first; empty: by the kind of its items.
    """

    slug: str
    title: str
    summary: str
    kind: str
    unit: Unit
    accepts: tuple[str, ...]
    labels: Mapping[str, str]
    fields: tuple[Field, ...] = ()
    methods: tuple[str, ...] = ()
    samples: Mapping[str, int] = {}
    divisions: Mapping[str, str] = {}
    feature_names: Mapping[str, Sequence[str]] = {}
    column_groups: Mapping[str, tuple[str, ...]] = {}
    is_generic: bool = False
    key_figures: tuple[str, ...] = ()
    usual_network: str = ""

    def bound(self, bundle: Bundle) -> Task:
        """Return the task as a bundle poses it; only a generic task differs from one to another."""
        return self

    # -- reading ---------------------------------------------------------------------------

    def companions(self, path: Path) -> Sequence[Path]:
        """Return files that belong to a named one, such as the signals of a WFDB header."""
        return ()

    def group(self, uploads: Sequence[Upload]) -> list[list[Upload]]:
        """Put the files of one input together; by default each file is an input of its own."""
        return [[upload] for upload in uploads]

    @abstractmethod
    def recognises(self, upload: Upload) -> bool:
        """Say from the first bytes whether `read` is the right parser; quick, never raises."""

    @abstractmethod
    def read(self, uploads: Sequence[Upload]) -> Sample:
        """Parse the files of one input; raise `UnreadableUpload` or `InvalidInput`."""

    def validate(self, sample: Sample) -> None:  # noqa: B027  (most readers find every problem themselves)
        """Raise `InvalidInput` with every problem of a parsed sample."""

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Say whether the model may see the sample, with the reason; by default it may."""
        return Gate()

    def item_gates(self, report: Report, bundle: Bundle) -> Sequence[Gate]:
        """Return the gate of each predicted item; by default all share that of the whole sample."""
        assert report.prediction is not None
        return [report.gate or Gate()] * len(report.prediction)

    def describe(self, sample: Sample) -> dict[str, Any]:
        """Return the stored properties of a file for `inspect`."""
        return {"kind": sample.kind, "format": sample.format}

    def provenance(self, sample: Sample, row: int) -> dict[str, Any]:
        """Return what a file says of where the values of a row come from, for its line of output."""
        return {}

    # -- predicting ------------------------------------------------------------------------

    @abstractmethod
    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Turn a sample into the network's named inputs, batch first; pure."""

    def items(self, sample: Sample, config: Mapping[str, Any]) -> NDArray[np.int64] | None:
        """Return what each prepared item is (row, beat sample); None: numbers from 0."""
        return None

    def unit_of(self, sample: Sample) -> Unit:
        """Return what an item of a sample is; of a volume, a slice instead of an image."""
        return self.unit

    def predict(self, bundle: Bundle, inputs: Arrays, items: NDArray[np.int64] | None = None) -> Prediction:
        """Run the compiled forward pass and decide by the bundle's operating points."""
        raw, calibrated = bundle.forward(inputs)
        return Prediction(
            labels=bundle.info.labels,
            raw=raw,
            calibrated=calibrated,
            items=np.arange(len(raw)) if items is None else items,
            decided=bundle.info.decide(calibrated),
            unit=self.unit,
            is_calibrated=bundle.info.calibration.method != "none",
        )

    def more(self, report: Report, bundle: Bundle) -> Mapping[str, Any]:
        """Return what else stands in the JSON object of a recording; by default nothing."""
        return {}

    def figures(self, report: Report, bundle: Bundle) -> Mapping[str, float | None] | None:
        """Return what stands for a recording where its task finds and measures, and judges nothing.

        Returns
        -------
        mapping of str to float or None
            Figures by names that bear their units ("QRS, ms"), None where one cannot be taken: the line of
            the recording in tables and JSON has them instead of a label and its probabilities. None, the
            usual case: the task has a verdict.
        """
        return None

    def default_item(self, prediction: Prediction) -> int:
        """Return the item that is shown and explained first."""
        return 0

    def first_item(self, report: Report, bundle: Bundle) -> int:
        """Return the same, of the items that the model may judge."""
        assert report.prediction is not None
        return self.default_item(report.prediction)

    # -- explaining ------------------------------------------------------------------------

    def explain(
        self,
        bundle: Bundle,
        inputs: Arrays,
        request: ExplainRequest,
        on_progress: Callable[[float], object] | None = None,
    ) -> Explanation:
        """Explain the probability of `request.target` for one item (a batch of one)."""
        method = request.method or explaining.default_method(self.methods_of(bundle), inputs)
        if not request.samples:
            request = replace(request, samples=self.usual_samples(method))
        if request.players is None and method in explaining.WITH_PLAYERS:
            request = replace(request, players=self.players(inputs, bundle.info.preprocessing))
        return explaining.run(
            method, bundle.forward, inputs, bundle.background, bundle.info.labels, request, on_progress
        )

    def methods_of(self, bundle: Bundle) -> tuple[str, ...]:
        """Return the methods that are offered for a bundle, the usual one first."""
        # An autoencoder's error says by itself where an item is unlike those that it learnt.
        restores = "restored" in bundle.info.preprocessing
        return ("reconstruction", *self.methods) if restores else self.methods

    def usual_samples(self, method: str) -> int:
        """Return the budget of a method where the user chooses none."""
        return self.samples.get(method, explaining.SAMPLES)

    def players(self, inputs: Arrays, config: Mapping[str, Any], division: str = "") -> Players | None:
        """Return who shares the output out in methods of Shapley; None: columns, superpixels, equal parts.

        `division` is one of `divisions`; empty takes the usual one.
        """
        return None

    def choices(self, bundle: Bundle) -> tuple[Column, ...]:
        """Return what each column of the network's table may be, in its order; empty where it is no table."""
        return ()

    def truth_in(self, sample: Sample) -> NDArray[np.int64] | None:
        """Return the number of each used row's true label (n,); None where the file does not hold them."""
        return None

    def attributions(self, report: Report) -> list[Attribution]:
        """Return the explanation as lines whose shares sum to output - base - residual."""
        if report.explanation is None or report.inputs is None:
            return []
        found = []
        for name, shares in report.explanation.values.items():
            called = self.feature_names.get(name) or [f"{name} {number}" for number in range(shares.size)]
            values = report.inputs[name][report.explained_item].ravel()
            for feature, value, share in zip(called, values, shares.ravel(), strict=True):
                found.append(Attribution(feature, float(value), float(share)))
        return found

    # -- showing ---------------------------------------------------------------------------

    @abstractmethod
    def show(self, sample: Sample) -> tuple[View, ...]:
        """Return the views of an input as its readers expect it, before any model."""

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return the views of a report for one item (row, beat)."""
        if report.sample is None or report.prediction is None:
            return Sections()
        shown = self.show(report.sample)
        probabilities = report.prediction.probabilities(item)
        bars = ClassBars(
            title="Estimated probability",
            labels=tuple(probabilities),
            probabilities=tuple(probabilities.values()),
            predicted=report.prediction.label(item),
        )
        return Sections(input=shown, result=(bars,), explanation=self._waterfall(report))

    def _waterfall(self, report: Report) -> tuple[View, ...]:
        explanation = report.explanation
        if explanation is None:
            return ()
        lines = self.attributions(report)
        drawn = Waterfall(
            title=f"What moved the output towards {explanation.target}",
            features=tuple(line.feature for line in lines),
            attributions=np.array([line.attribution for line in lines], np.float32),
            base=explanation.base,
            output=explanation.output,
            residual=explanation.residual,
            target=explanation.target,
        )
        return (drawn,)

    @abstractmethod
    def examples(self) -> tuple[Example, ...]:
        """Return at least two synthetic samples."""

    # -- training --------------------------------------------------------------------------

    def training_examples(self) -> tuple[Example, ...]:
        """Return small synthetic labelled sets, each a single file as people upload it; by default none."""
        return ()

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that mean something for a training, beside those that were chosen."""
        return frozenset({"epochs", "batch_size", "learning_rate", "seed"})

    def check(self, path: Path, settings: TrainSettings) -> Mapping[str, Any]:
        """Return the data report of labelled data as plain data; only generic tasks have one."""
        raise TrainingError(f"{self.slug} has no data report", hint="Choose table, images or signals.")

    def changed_versions(
        self, dataset: Any, settings: TrainSettings, number: int, count: int
    ) -> NDArray[np.float32] | None:
        """Return an item as a network sees it, then `count` randomly changed versions, (1 + count, ...).

        Parameters
        ----------
        dataset : what `load_dataset` returned
        number : int
            Which item is looked at, and how it is changed.

        Returns
        -------
        float32 array or None
            None where training changes nothing that can be shown.
        """
        if not hasattr(dataset, "fitted"):
            return None
        prepared = dataset.fitted(np.arange(min(len(dataset), 64)))
        rng = np.random.default_rng(number)
        rows = rng.integers(len(dataset), size=1)
        versions = [prepared.inputs(rows, rng) for _ in range(count)]
        return np.concatenate([prepared.inputs(rows), *versions])

    def load_dataset(self, path: Path, settings: TrainSettings) -> Any:
        """Read a labelled data set from a file or folder."""
        raise self._no_recipe()

    def train(
        self, dataset: Any, settings: TrainSettings, out: Path, on_epoch: Callable[[EpochRow], None]
    ) -> Bundle:
        """Train, evaluate and save a bundle; seeded, split by group, stoppable by `on_epoch` raising."""
        raise self._no_recipe()

    def evaluate(self, bundle: Bundle, dataset: Any) -> Evaluation:
        """Measure a bundle on a labelled data set that it was not trained on."""
        raise self._no_recipe()

    def measured_again(self, bundle: Bundle, dataset: Any) -> Evaluation:
        """Measure a bundle on the test part of the data that it was trained on, as its training did.

        Only a training by split leaves such a part out; networks of folds are not kept.
        """
        raise TrainingError(
            f"{self.slug} cannot be measured again without training", hint="Train it again: healthdash train."
        )

    def answers(self, bundle: Bundle, dataset: Any) -> Answers:
        """Return what a bundle says of each item of a labelled data set, to compare it with another one."""
        raise self._no_recipe()

    def _no_recipe(self) -> TrainingError:
        return TrainingError(f"{self.slug} has no recipe for training", hint="Choose another task.")

    def said(self, label: str) -> str:
        """Name a label where people read it by itself; what is stored keeps the label."""
        return label
