"""The task signals: any labelled recordings of a user's; labels, leads and windows come from the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.datasets.own import OwnFiles
from healthdash.errors import InvalidInput
from healthdash.task import Arrays, Attribution, Example, Gate, Prediction, Report, Sample, Unit
from healthdash.training import TrainSettings
from healthdash.training.paired import Answers
from healthdash.views import Sections

from .own_samples import drawn_recordings, own_training_set
from .sample import EcgSample
from .task import EcgBeats

if TYPE_CHECKING:
    from healthdash.bundles import Bundle
    from healthdash.datasets.looked import Looked
    from healthdash.datasets.survey import OnProgress
    from healthdash.explain.players import Players

    from .own_set import OwnSignals as SignalSet

__all__ = ["OwnSignals", "PosedSignals"]


#: Few enough for exact Shapley values.
_STRETCHES = 8


class OwnSignals(OwnFiles, EcgBeats):
    """Whatever labelled recordings of a user's ask."""

    slug = "signals"
    title = "Own signals"
    summary = "A recording like those of your own that you trained with in, the chance of each label out."
    unit: Unit = "window"
    labels = {}  # noqa: RUF012  (those of the bundle)
    samples = {}  # noqa: RUF012
    divisions = {}  # noqa: RUF012
    item_kind = "signal"

    def bound(self, bundle: Bundle) -> PosedSignals:
        """Return the task as a bundle poses it."""
        return PosedSignals(bundle.info.labels, bundle.info.preprocessing)

    def gate(self, sample: Sample, bundle: Bundle) -> Gate:
        """Refuse or warn about what is unlike the signals of the training."""
        from .own_gate import judge_own

        return judge_own(self.prepare(sample, bundle.info.preprocessing), bundle)

    def prepare(self, sample: Sample, config: Mapping[str, Any]) -> Arrays:
        """Return the windows that the network sees: `signal` (n, samples, leads), millivolt."""
        from .own_windows import INPUT, constants, cut, taken

        assert isinstance(sample, EcgSample)
        rate_hz, samples, leads = constants(config)
        signal = taken(sample, leads, rate_hz)
        return {INPUT: cut(signal, _starts(sample, len(signal), config), samples)}

    def items(self, sample: Sample, config: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the sample number of each beat, or of the beginning of each window."""
        from .own_windows import constants
        from .resample import resampled_length

        assert isinstance(sample, EcgSample)
        if config["form"] == "beats":
            return sample.beats
        rate_hz, _, _ = constants(config)
        length = resampled_length(len(sample.signal_mv), sample.rate_hz, rate_hz)
        starts = np.maximum(_starts(sample, length, config), 0)
        return np.rint(starts * (sample.rate_hz / rate_hz)).astype(np.int64)

    def default_item(self, prediction: Prediction) -> int:
        """Return the surest item of the label that the items have in the mean."""
        label = int(prediction.calibrated.mean(axis=0).argmax())
        return int(prediction.calibrated[:, label].argmax())

    def more(self, report: Report, bundle: Bundle) -> Mapping[str, Any]:
        """Return nothing: which label is the normal beat only the user knows."""
        return {}

    def players(self, inputs: Arrays, config: Mapping[str, Any], division: str = "") -> Players:
        """Return stretches of equal length of the window, all leads together."""
        from healthdash.explain.players import grid

        return grid({name: values.shape[1:] for name, values in inputs.items()}, _STRETCHES)

    def attributions(self, report: Report) -> list[Attribution]:
        """Return the explanation by lead and stretch of the window."""
        from .own_views import attributions

        return attributions(report)

    def render(self, report: Report, bundle: Bundle, item: int = 0) -> Sections:
        """Return the trace with its items, the output, and one item's reasons."""
        from .own_views import sections

        return sections(report, bundle, item)

    def examples(self) -> tuple[Example, ...]:
        """Return nothing: only a bundle knows the leads."""
        return ()

    # -- training ----------------------------------------------------------------------------

    def training_examples(self) -> tuple[Example, ...]:
        """Return drawn recordings with a table of labels in a zip archive."""
        return (own_training_set(),)

    def look(self, folder: Path, target: str | None, on_progress: OnProgress | None = None) -> Looked:
        """Look at every file of labelled signals once."""
        from .own_check import look_at_signals

        return look_at_signals(folder, target, on_progress)

    def load_dataset(self, path: Path, settings: TrainSettings) -> Any:
        """Read labelled signals and mend them."""
        from .own_set import load_signals

        return load_signals(path, settings)

    def answers(self, bundle: Bundle, dataset: Any) -> Answers:
        """Return the probabilities of labelled items: those of one recording's windows averaged."""
        from healthdash.training.studio.wholes import by_whole

        from .own_windows import INPUT

        signals: SignalSet = dataset.labelled_as(bundle.info.labels)
        blocks = np.array_split(np.arange(len(signals)), max(1, len(signals) // 256))
        given = [bundle.forward.probabilities({INPUT: signals.inputs(block)}) for block in blocks]
        rows, mean = by_whole(signals, np.arange(len(signals)), np.concatenate(given))
        return Answers(
            bundle.info.labels, signals.truth[rows], mean, bundle.info.decide(mean), signals.groups[rows]
        )


class PosedSignals(OwnSignals):
    """The task as one bundle poses it.

    Parameters
    ----------
    labels : tuple of str
    config : mapping
        Constants of the preprocessing: what was labelled, and the leads.
    """

    def __init__(self, labels: tuple[str, ...], config: Mapping[str, Any]) -> None:
        self._config = config
        self.labels = {label: f"The label {label} of the training data." for label in labels}
        self.unit = "beat" if config["form"] == "beats" else "window"

    def examples(self) -> tuple[Example, ...]:
        """Return drawn recordings with the model's leads."""
        return drawn_recordings(self._config["leads"])


def _starts(sample: EcgSample, length: int, config: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return where the windows begin, at the model's rate; beats are found as the shipped task finds them."""
    from .own_windows import constants, starts_of

    rate_hz, samples, _ = constants(config)
    if config["form"] != "beats":
        return starts_of(length, samples, int(config["most_windows"]))
    if not len(sample.beats):
        raise InvalidInput("expected a recording with heartbeats, found none", hint="Check lead and unit.")
    at = np.rint(sample.beats * (rate_hz / sample.rate_hz)).astype(np.int64)
    return np.asarray(at - samples // 2, np.int64)
