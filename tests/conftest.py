"""What all tests share: the markers' conditions, real data, a toy task."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    data = os.environ.get("HEALTHDASH_DATA")
    for item in items:
        if item.get_closest_marker("data") and not data:
            item.add_marker(pytest.mark.skip(reason="HEALTHDASH_DATA is not set: no real data sets here"))


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
