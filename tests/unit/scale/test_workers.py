"""What a network on several workers tells of its epochs; the training itself is tested on a cluster."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from healthdash.scale import workers
from healthdash.training import TrainSettings


class _Lost(Exception):
    """A worker that is not there any more."""


class _Broken(Exception):
    """An error within a worker."""


def test_each_epoch_of_each_phase_is_told_once_though_a_worker_was_lost(monkeypatch: pytest.MonkeyPatch):
    phases = [("network, pre-training", 3), ("network", 4)]
    rows = [{"run": run, "epoch": epoch} for run, count in phases for epoch in range(1, count + 1)]
    attempts = iter([rows[:5], rows[2:]])

    class Team:
        def __init__(self, ray: object, count: int) -> None:
            self.rows = next(attempts)

        def fit(self, labelled, settings, part, on_epoch) -> str:
            for row in self.rows:
                on_epoch(row)
            if self.rows[-1] is not rows[-1]:
                raise _Lost
            return "fitted"

        def end(self) -> None:
            pass

    ray = SimpleNamespace(exceptions=SimpleNamespace(RayActorError=_Lost, RayTaskError=_Broken))
    monkeypatch.setattr(workers, "connected", lambda: ray)
    monkeypatch.setattr(workers, "_Team", Team)
    told: list[dict[str, object]] = []
    assert workers.fit_across(None, TrainSettings(), None, told.append, 2) == "fitted"
    assert told == rows
