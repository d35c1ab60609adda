"""A training from labelled items to a bundle: cut, fit, assemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from healthdash.bundles import Bundle
from healthdash.training.evaluation import Evaluation
from healthdash.training.settings import TrainSettings
from healthdash.training.studio import elsewhere
from healthdash.training.studio.assembly import Amend, Finished, FitAll, assemble
from healthdash.training.studio.figures import Judged
from healthdash.training.studio.fitting import Fitted, OnEpoch, Part, fit_fold
from healthdash.training.studio.generative import helped
from healthdash.training.studio.items import Labelled
from healthdash.training.studio.networks import NETWORKS
from healthdash.training.studio.parts import parts_of

__all__ = ["train"]


def train(
    labelled: Labelled,
    settings: TrainSettings,
    out: Path,
    on_epoch: OnEpoch,
    *,
    fit_all: FitAll | None = None,
    amend: Amend | None = None,
    command: str = "",
) -> Bundle:
    """Train, evaluate and save a bundle of a network of the studio.

    Parameters
    ----------
    labelled : Labelled
        Read a batch at a time; everything is fitted on training items only.
    settings : TrainSettings
        What is None is left to the network's defaults.
    out : Path
        Folder of the bundle; its name is the bundle's.
    on_epoch : function
        Gets a row an epoch, and may raise `TrainingStopped`.
    fit_all : function of parts
        Fits them elsewhere, side by side; None: as `elsewhere` says, or here, one after the other.
    amend : function of an evaluation
        Adds what only the task can measure.
    command : str
        The command that this is run by, for the card.

    Raises
    ------
    TooLittleData
        A label has too few groups to be split.
    TrainingDiverged
        The loss is no longer a number.
    """
    if settings.network and NETWORKS[settings.network].role == "anomaly":
        from healthdash.training.studio.generative import anomaly

        return anomaly.train(labelled, settings, out, on_epoch, command=command)

    def here(parts: Sequence[Part]) -> list[Fitted]:
        return [fit_fold(labelled, settings, part, on_epoch) for part in parts]

    away = elsewhere.place()
    fit = fit_all or (away(labelled, settings, on_epoch) if away else here)
    parts = parts_of(labelled, settings)
    finished = Finished(parts, fit(parts), fit, command=command, amend=amend)
    if helped.is_asked(settings):
        finished = _compared(labelled, settings, finished, on_epoch)
    return assemble(labelled, settings, out, finished)


def _compared(labelled: Labelled, settings: TrainSettings, finished: Finished, on_epoch: OnEpoch) -> Finished:
    """Fit the same parts without synthetic items, and let the evaluation tell the difference."""
    plain, parts = helped.without(settings, finished.parts)
    fits = [fit_fold(labelled, plain, part, on_epoch) for part in parts]
    amend = finished.amend

    def told(evaluation: Evaluation, judged: Judged, learnt: Sequence[Part]) -> Evaluation:
        evaluation = amend(evaluation, judged, learnt) if amend else evaluation
        rows = helped.compared(labelled, judged.rows, finished.parts, finished.fitted, fits)
        return evaluation.model_copy(update={"comparisons": (*rows, *evaluation.comparisons)})

    return replace(finished, amend=told)
