"""Page tests run the whole app in this process, with the fake tasks unless they ask for the real ones."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from tests import fakes

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., AppTest]


class _Visited(PagesManager):
    """A server that has served a page: AppTest forgets that before every run, a real server never does."""

    def __init__(self, *args, **kwargs):
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)


@pytest.fixture(autouse=True)
def quick_garbage():
    """Keep what is there out of the garbage collection that follows every run of a page."""
    # First away with what the test before has left, which would stay for good.
    gc.collect()
    gc.freeze()


@pytest.fixture
def visited(monkeypatch):
    monkeypatch.setattr(app_test, "PagesManager", _Visited)


@pytest.fixture
def fake_tasks(monkeypatch):
    """Put the fake tasks and their models in the place of the real ones."""
    from healthdash import bundles, tasks
    from healthdash.ui import shell

    found = {task.slug: fakes.fake_bundle(task) for task in fakes.TASKS}
    monkeypatch.setattr(tasks, "all_tasks", lambda: fakes.TASKS)
    monkeypatch.setattr(
        bundles, "available", lambda slug=None: [b for s, b in found.items() if slug in (None, s)]
    )
    monkeypatch.setattr(bundles, "broken", lambda: iter(()))
    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)
    return fakes.TASKS


@pytest.fixture
def open_page() -> Open:
    """Return a function that opens a page of the app by its name and its address."""

    def opened(name: str = "home", **address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=180).run()
        if name != "home":
            app.switch_page(f"pages/{name}.py")
            app.query_params.update(address)
            app.run()
        return app

    return opened
