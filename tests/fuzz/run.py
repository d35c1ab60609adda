"""Run cases in bounded processes, and count how they end."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from healthdash import tasks
from healthdash.apart import calls, codec, jobs
from healthdash.apart.bounds import Bounds, bounded

from .corpus import Seed
from .mutate import damaged

__all__ = ["Found", "outcome", "run"]

_SECONDS = 10.0
_BOUNDS = Bounds(memory_mib=2_048, cpu_s=3_600)
_BLOCK = 200


@dataclass
class Found:
    """How cases ended: "read", "refused", "unforeseen", "hung", "crashed"; and those that failed."""

    on_failure: Callable[[dict[str, Any]], object] = lambda failure: None
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, case: int, task: str, end: str, detail: str) -> None:
        self.counts[end] += 1
        if end not in ("read", "refused"):
            self.failures.append({"case": case, "task": task, "end": end, "detail": detail})
            self.on_failure(self.failures[-1])


def outcome(seed: Seed) -> tuple[str, str]:
    """Read one input as a child of the server does; return how it ended, and where."""
    for node, buffers in (
        calls.called(*calls.asked(jobs.recognised, (seed.uploads,), {}), 0),
        calls.called(*calls.asked(jobs.grouped, (seed.task, seed.uploads), {}), 0),
        calls.called(*calls.asked(jobs.described, (seed.task, seed.uploads), {}), 0),
        calls.called(*calls.asked(jobs.sample_of, (seed.task, "", seed.uploads), {}), 0),
    ):
        if node[0] == "failure":
            failure = codec.unpack(node[1], calls.Failure, buffers)
            if not failure.is_ours:
                return "unforeseen", f"{failure.name} at {' '.join(failure.places[-4:])}"
            return "refused", ""
    return "read", ""


def run(
    cases: Sequence[int],
    seed: int,
    corpus: Sequence[Seed],
    workers: int = 2,
    on_failure: Callable[[dict[str, Any]], object] = lambda failure: None,
) -> Found:
    """Run cases beside each other; the same numbers give the same cases."""
    tasks.all_tasks()
    found, waiting = Found(on_failure), [list(cases[at : at + _BLOCK]) for at in range(0, len(cases), _BLOCK)]
    running: dict[Connection, _Worker] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            worker = _Worker(waiting.pop(0), seed, corpus)
            running[worker.link] = worker
        for link in wait(list(running), timeout=0.5):
            if not running[link].heard(found):
                rest = running.pop(link).rest
                waiting[:0] = [rest] if rest else []
        for worker in running.values():
            worker.end_if_late()
    return found


class _Worker:
    """A process that reads a block of cases and tells each before and after."""

    def __init__(self, block: list[int], seed: int, corpus: Sequence[Seed]) -> None:
        self.rest, self._corpus, self._seed = block, corpus, seed
        self._since, self._case, self._is_late = time.monotonic(), block[0], False
        self.link, theirs = multiprocessing.Pipe(duplex=False)
        self._process = multiprocessing.get_context("fork").Process(
            target=_work, args=(theirs, block, seed, corpus), daemon=True
        )
        self._process.start()
        theirs.close()

    def heard(self, found: Found) -> bool:
        """Take the next line; False where the process has ended."""
        try:
            told = self.link.recv()
        except EOFError:
            self._process.join()
            if self.rest:
                task = damaged(self.rest[0], self._seed, self._corpus).task
                end = "hung" if self._is_late else "crashed"
                found.add(self.rest.pop(0), task, end, f"exit code {self._process.exitcode}")
            return False
        found.add(*told)
        self.rest.pop(0)
        self._since = time.monotonic()
        return True

    def end_if_late(self) -> None:
        if time.monotonic() - self._since > _SECONDS + 2:
            self._is_late = True
            self._process.kill()


def _work(link: Connection, block: Sequence[int], seed: int, corpus: Sequence[Seed]) -> None:
    import logging
    import os
    import warnings

    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    bounded(_BOUNDS)
    for case in block:
        made = damaged(case, seed, corpus)
        end, detail = outcome(made)
        link.send((case, made.task, end, detail))
