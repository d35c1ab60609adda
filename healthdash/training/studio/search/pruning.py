"""Ends trials early that are worse than the others were at the same epoch."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Pruner"]

#: So many others must be through, and so many epochs be done, before one is ended.
_FIRST_TRIALS, _FIRST_EPOCHS = 4, 3


class Pruner:
    """The median rule: end a trial whose best loss so far is above the median of the others'.

    Parameters
    ----------
    others : sequence of sequences of float
        Validation losses of the trials that are through, an epoch each.

    References
    ----------
    Golovin et al. 2017, KDD, Google Vizier, section 3.2.2 (median stopping).
    """

    def __init__(self, others: Sequence[Sequence[float]]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        rule = optuna.pruners.MedianPruner(n_startup_trials=_FIRST_TRIALS, n_warmup_steps=_FIRST_EPOCHS)
        study = optuna.create_study(pruner=rule)
        for losses in others:
            if losses:
                seen = {epoch: float(loss) for epoch, loss in enumerate(losses, 1)}
                through = optuna.trial.create_trial(value=min(seen.values()), intermediate_values=seen)
                study.add_trial(through)
        self._trial = study.ask()

    def ends(self, epoch: int, val_loss: float) -> bool:
        """Note the validation loss of an epoch, from 1, and say whether to end the trial after it."""
        self._trial.report(val_loss, epoch)
        return bool(self._trial.should_prune())
