"""Some hundred damaged samples: no crash, no hang, only our own errors."""

from __future__ import annotations

from tests.fuzz.corpus import seeds
from tests.fuzz.mutate import damaged
from tests.fuzz.run import outcome, run


def test_the_same_case_is_the_same_file():
    corpus = seeds(is_small=True)
    assert damaged(7, 0, corpus) == damaged(7, 0, corpus)
    assert damaged(7, 0, corpus) != damaged(7, 1, corpus)


def test_an_undamaged_sample_is_read():
    assert {outcome(seed)[0] for seed in seeds(is_small=True)[:3]} == {"read"}


def test_damaged_samples_are_read_or_refused():
    found = run(range(300), 0, seeds(is_small=True))
    assert not found.failures
    assert found.counts["read"] > 10
    assert found.counts["refused"] > 10
    assert sum(found.counts.values()) == 300
