"""The task ecg-waves: where the waves of an ECG begin and end, and the intervals that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.task import Arrays, Attribution, Example, Prediction, Report, Sample, Unit
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers
from healthdash.views import Sections

from ..sample import EcgSample
from ..task import EcgBeats

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.explain.players import Players
    from healthdash.training.evaluation import Evaluation
    from healthdash.training.history import EpochRow

__all__ = ["EcgWaves"]


class EcgWaves(EcgBeats):
    """P waves, QRS complexes and T waves, lead by lead.

    The network says of every sample what it is; waves and measurements are made of that. A prediction, in
    the sense of all tasks, is for a window of four seconds of one lead: the share of its middle two seconds
    that is each wave. What is explained is this share: "how much P is here, and what speaks for it".
    """

    slug = "ecg-waves"
    title = "ECG waves and intervals"
    summary = (
        "An ECG goes in (one lead is enough), the limits of each P wave, QRS complex and T wave come out, "
        "with heart rate, PR, QRS, QT, QTc, axis and the variation of the intervals between beats."
    )
    unit: Unit = "window"
    labels = {  # noqa: RUF012
        "none": "no wave: between waves, or no heartbeat",
        "P": "P wave: the atria depolarise",
        "QRS": "QRS complex: the ventricles depolarise",
        "T": "T wave: the ventricles repolarise",
    }
    methods = ("exact-shapley", "expected-gradients", "integrated-gradients", "occlusion")
    divisions = {}  # noqa: RUF012
    key_figures = ("QRS onset, sensitivity", "P onset, sensitivity", "T offset, sensitivity")
    samples = {"expected-gradients": 400}  # noqa: RUF012

    # -- predicting --------------------------------------------------------------------------

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Return windows of one lead, as the network sees it."""
        from .condition import INPUT, conditioned, window_starts, windows

        assert isinstance(sample, EcgSample)
        chosen = sample.signal_mv[:, sample.model_leads[:1]]
        lead = conditioned(chosen, sample.rate_hz, config)[:, 0]
        return {INPUT: windows(lead, window_starts(len(lead), config), config)}

    def items(self, sample: Sample, config: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the sample number at which the middle part of each window begins."""
        from ..resample import resampled_length
        from .condition import window_starts

        assert isinstance(sample, EcgSample)
        length = resampled_length(len(sample.signal_mv), sample.rate_hz, config["rate_hz"])
        starts = window_starts(length, config) + (config["samples"] - config["core"]) // 2
        at = np.rint(np.maximum(starts, 0) * (sample.rate_hz / config["rate_hz"]))
        return np.asarray(at, np.int64)

    def default_item(self, prediction: Prediction) -> int:
        """Return the window with most of a P wave, which is what is seen worst."""
        return int(prediction.calibrated[:, prediction.labels.index("P")].argmax())

    def more(self, report: Report, bundle: Bundle) -> Mapping[str, Any]:
        """Return every wave and measurement for the JSON object of a recording."""
        from .shown import plain

        return plain(report, bundle)

    def figures(self, report: Report, bundle: Bundle) -> Mapping[str, float | None]:
        """Return rate, intervals and numbers of waves: waves are found, nothing is said of the recording."""
        from .shown import figures

        return figures(report, bundle)

    # -- explaining and showing --------------------------------------------------------------

    def players(self, inputs: Arrays, config: Mapping[str, Any], division: str = "") -> Players:
        """Return eight stretches of the window."""
        from .shown import stretches

        return stretches(inputs, config)

    def attributions(self, report: Report) -> list[Attribution]:
        """Return the explanation by stretch of the window."""
        from .shown import attributions

        return attributions(report)

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return the recording with its waves, the measurements and one window's reasons."""
        from .shown import sections

        return sections(report, bundle, item)

    # -- training ----------------------------------------------------------------------------

    def training_examples(self) -> tuple[Example, ...]:
        """Return drawn recordings with the limits of every wave."""
        from .samples import training_set

        return (training_set(),)

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that the recipe takes."""
        return frozenset({"epochs", "batch_size", "learning_rate", "seed", "augment", "dropout"})

    def load_dataset(self, path: Path, settings: TrainSettings) -> Any:
        """Read the WFDB records below a folder that have an annotation file for each lead."""
        from .limits import load

        return load(path)

    def train(
        self,
        dataset: Any,
        settings: TrainSettings,
        out: Path,
        on_epoch: Callable[[EpochRow], None],
    ) -> Bundle:
        """Train on some patients, measure on others."""
        from .recipe import train

        return train(dataset, settings, out, on_epoch)

    def measured_again(self, bundle: Bundle, dataset: Any) -> Evaluation:
        """Measure the held-out patients again."""
        from .recipe import measured_again

        return measured_again(bundle, dataset)

    def evaluate(self, bundle: Bundle, dataset: Any) -> Evaluation:
        """Measure a bundle on annotated recordings."""
        from .delineate import delineator_of
        from .measured import answered, evaluation

        return evaluation(
            answered(dataset, delineator_of(bundle), bundle.info.preprocessing),
            part="these recordings",
            split_rule="All recordings of the data set named; none should be one that the model learnt from.",
            counts={"recordings": len(dataset)},
        )

    def answers(self, bundle: Bundle, dataset: Any) -> Answers:
        """Return the probabilities of single annotated samples; a patient is a group."""
        from .delineate import delineator_of
        from .measured import answered

        found = answered(dataset, delineator_of(bundle), bundle.info.preprocessing)
        return Answers(
            bundle.info.labels,
            found.truth,
            found.probability,
            found.probability.argmax(axis=1),
            found.patient,
        )
