"""The task ecg-beats: what each beat of an ECG is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import InvalidInput
from healthdash.signals import formats
from healthdash.task import Arrays, Attribution, Example, Gate, Prediction, Report, Sample, Task, Unit, Upload
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers
from healthdash.views import Sections, View

from . import read as reading
from .sample import EcgSample

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.explain.players import Players
    from healthdash.training.evaluation import Evaluation
    from healthdash.training.history import EpochRow

__all__ = ["EcgBeats"]


class EcgBeats(Task):
    """Beats of an ECG, labelled as ANSI/AAMI EC57 groups them."""

    slug = "ecg-beats"
    title = "Beats of an ECG"
    summary = (
        "An ECG goes in (WFDB, EDF, SCP-ECG, DICOM, XML, CSV...; one lead is enough), the place of each beat "
        "and what it is come out: normal, supraventricular, ventricular, fusion or unknown."
    )
    kind = "ecg"
    unit: Unit = "beat"
    accepts = formats.ENDINGS
    labels: Mapping[str, str] = {
        "N": "normal: from the sinus node, bundle branch block included",
        "S": "supraventricular: early, from the atria or the AV node",
        "V": "ventricular: from a ventricle",
        "F": "fusion of a ventricular and a normal beat",
        "Q": "unknown or paced",
    }
    methods = ("expected-gradients", "integrated-gradients", "exact-shapley", "occlusion")
    divisions = {  # noqa: RUF012
        "parts": "Parts of the beat",
        "beats": "This beat and its neighbours",
        "leads": "Leads",
    }
    key_figures: tuple[str, ...] = ("V sensitivity", "V +P by EC57", "V +P", "S sensitivity", "S +P by EC57")
    samples = {"expected-gradients": 800}  # noqa: RUF012  (200 miss the output by 2 percentage points)

    # -- reading -----------------------------------------------------------------------------

    def companions(self, path: Path) -> Sequence[Path]:
        """Return the files beside a header that belong to it; names are checked, paths refused."""
        return formats.companions(path)

    def group(self, uploads: Sequence[Upload]) -> list[list[Upload]]:
        """Put header, signal and annotation files of a recording together."""
        return reading.group(uploads)

    def recognises(self, upload: Upload) -> bool:
        """Say whether this is a recorded signal of any format."""
        return reading.recognises(upload)

    def read(self, uploads: Sequence[Upload]) -> EcgSample:
        """Parse one recording."""
        return reading.read(uploads)

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Refuse what is flat, too short, in a wrong unit, or no ECG."""
        from .gate import gate

        assert isinstance(sample, EcgSample)
        return gate(sample, bundle.info.gate)

    def describe(self, sample: Sample) -> dict[str, Any]:
        """Return rate, leads, duration and the values as stored."""
        assert isinstance(sample, EcgSample)
        stored = sample.stored
        return {
            "kind": "signal",
            "format": sample.format,
            "stored": {
                "shape": list(stored.shape),
                "dtype": stored.dtype,
                "min": stored.low,
                "max": stored.high,
            },
            "rate_hz": sample.rate_hz,
            "leads": list(stored.leads),
            "duration_s": round(stored.shape[0] / sample.rate_hz, 4),
            "unit": stored.unit,
        }

    # -- predicting --------------------------------------------------------------------------

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Find the beats and return their windows, intervals, shapes and rhythm."""
        from .prepare import sample_inputs

        assert isinstance(sample, EcgSample)
        if not len(sample.beats):
            raise InvalidInput(
                "expected a recording with heartbeats, found none", hint="Check lead and unit."
            )
        return sample_inputs(sample, sample.beats, config)

    def items(self, sample: Sample, config: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the sample number of each beat."""
        assert isinstance(sample, EcgSample)
        return sample.beats

    def default_item(self, prediction: Prediction) -> int:
        """Return the surest beat that is not normal, else the middle one."""
        unusual = np.flatnonzero(prediction.decided != 0)
        if len(unusual) == 0:
            return len(prediction) // 2
        sure = prediction.calibrated[unusual, prediction.decided[unusual]]
        return int(unusual[sure.argmax()])

    def more(self, report: Report, bundle: Bundle) -> Mapping[str, Any]:
        """Return the heart rate and the variation between normal beats for the JSON object of a recording."""
        from .measurements import to_plain
        from .rhythm_views import labelled_beats, rhythm_figures

        assert isinstance(report.sample, EcgSample)
        assert report.prediction is not None
        return {"measurements": to_plain(rhythm_figures(labelled_beats(report.sample, report.prediction)))}

    # -- explaining and showing --------------------------------------------------------------

    def players(self, inputs: Arrays, config: Mapping[str, Any], division: str = "") -> Players:
        """Return the parts of a beat, the beats around it, or the leads."""
        from .players import DIVISIONS

        return DIVISIONS[division or next(iter(self.divisions))](inputs, config)

    def attributions(self, report: Report) -> list[Attribution]:
        """Return the explanation by part of the trace, interval and shape."""
        from .prepare import CONFIG
        from .views import attributions

        if report.explanation is None or report.inputs is None:
            return []
        return attributions(report, CONFIG)

    def show(self, sample: Sample) -> tuple[View, ...]:
        """Return the recording on ECG paper."""
        from .views import shown

        assert isinstance(sample, EcgSample)
        return shown(sample)

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return the trace with its beats, the summary and one beat's reasons."""
        from .views import sections

        if report.sample is None or report.prediction is None:
            return Sections()
        return sections(report, bundle, self.labels, item)

    def examples(self) -> tuple[Example, ...]:
        """Return drawn recordings."""
        from .samples import examples

        return examples()

    # -- training ----------------------------------------------------------------------------

    def training_examples(self) -> tuple[Example, ...]:
        """Return drawn recordings with the label of every beat."""
        from .samples import training_set

        return (training_set(),)

    def heeded(self, settings: TrainSettings) -> frozenset[str]:
        """Return the settings that the recipe takes: every network learns for all its epochs."""
        return super().heeded(settings) | {"folds", "members", "augment"}

    def load_dataset(self, path: Path, settings: TrainSettings) -> list[EcgSample]:
        """Read the annotated WFDB records below a folder."""
        from .dataset import load

        return load(path)

    def train(
        self,
        dataset: list[EcgSample],
        settings: TrainSettings,
        out: Path,
        on_epoch: Callable[[EpochRow], None],
    ) -> Bundle:
        """Train with whole recordings left out; the mean of the folds' networks is saved."""
        from .recipe import train

        return train(dataset, settings, out, on_epoch)

    def evaluate(self, bundle: Bundle, dataset: list[EcgSample]) -> Evaluation:
        """Measure a bundle on annotated recordings, with beats of the detector."""
        from .evaluate import evaluate

        return evaluate(self, bundle, dataset)

    def answers(self, bundle: Bundle, dataset: list[EcgSample]) -> Answers:
        """Return the probabilities of the found beats that match an annotated one, by recording."""
        from .evaluate import answers

        return answers(self, bundle, dataset)
