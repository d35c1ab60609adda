"""What all tests share: the markers' conditions, real data, a toy task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

import healthdash  # noqa: F401  (before any test imports scikit-learn: it says how OpenMP waits)

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    for item in items:
        for mark in item.iter_markers("data"):
            if reason := _lacking(mark.args, os.environ.get("HEALTHDASH_DATA", "")):
                item.add_marker(pytest.mark.skip(reason=reason))


def _lacking(sets: Sequence[str], data: str) -> str:
    """Return which of the data sets that a test is marked with are not here; "" where all are.

    Parameters
    ----------
    sets : sequence of str
        Folders below `data`: ``@pytest.mark.data("signals/mitdb")``. At least one, so that no test passes
        because it found nothing to look at.
    """
    if not sets:
        raise pytest.UsageError("expected the folders of the data sets in every mark data, got none")
    if not data:
        return "HEALTHDASH_DATA is not set: no real data sets here"
    missing = [one for one in sets if not any(Path(data, one).glob("*"))]
    return f"not below HEALTHDASH_DATA: {', '.join(missing)}" if missing else ""


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of the real data sets."""
    return Path(os.environ["HEALTHDASH_DATA"])


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the user's own folder."""
    from healthdash import settings

    monkeypatch.setenv("HEALTHDASH_HOME", str(tmp_path_factory.mktemp("home")))
    settings.current.cache_clear()
