"""A server of its own and a Chromium for the stories; skipped, loudly, where there is no browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

ROOT = Path(__file__).resolve().parents[2]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Two cores may be busy with other tests, and a first result waits for TensorFlow.
_PATIENCE_MS = 150_000
_CLICKS = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


def _chromium() -> str:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        reason = "no Chromium here: the browser tests did not run (install chromium, or set CHROMIUM)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = _chromium()
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        yield opened
        opened.close()


class Server:
    """The app as `make run` starts it, on a free port, with a home of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = home / "server.log"
        command = [sys.executable, "-m", "healthdash", "serve", "--port", str(port)]
        environment = {**os.environ, "HEALTHDASH_HOME": str(home)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5)
            except OSError:
                time.sleep(0.25)
            else:
                return
        raise TimeoutError(self.log.read_text())

    def stop(self) -> None:
        os.killpg(self.process.pid, 15)
        self.process.wait(20)


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("server"))
    try:
        # The stories begin when TensorFlow is there: on a busy machine its import takes minutes.
        page = browser.new_page()
        page.goto(started.url)
        expect(page.get_by_text("float")).to_be_visible(timeout=5 * _PATIENCE_MS)
        page.close()
        yield started
    finally:
        started.stop()


@pytest.fixture
def new_page(browser: Browser, server: Server):
    """Return a function that opens an address in a browser of its own (cookies, session, screen)."""
    contexts = []

    def opened(address: str = "", **screen) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | screen))
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{server.url}/{address}")
        expect(page.get_by_role("button", name="Remove my data")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()


def swiped(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a finger over the screen, as the browser hears it from a touch screen."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        told = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    touch("touchStart", start)
    for step in range(1, 13):
        touch("touchMove", tuple(a + (b - a) * step / 12 for a, b in zip(start, end, strict=True)))
        page.evaluate("() => new Promise(requestAnimationFrame)")
    touch("touchEnd")


def set_length(page: Page, *, epochs: int, folds: int) -> None:
    """Open the settings of a training and choose how many epochs it takes at most, and how many folds."""
    page.get_by_text("Settings", exact=True).click()
    _fill(page, "Most epochs", epochs)
    page.get_by_text("More, for experts", exact=True).click()
    _fill(page, "Folds", folds)


def _fill(page: Page, label: str, number: int) -> None:
    field = page.get_by_role("spinbutton", name=label, exact=True)
    field.fill(str(number))
    field.press("Enter")


def upload(page: Page, files: list[dict]) -> None:
    """Choose files (name, mimeType, buffer) in the upload widget of a page.

    A click that meets the widget while a run of the page replaces it opens no dialog; as a person
    would, this clicks again.
    """
    button = page.get_by_test_id("stFileUploader").locator("button", has_text="Upload").first
    expect(button).to_be_visible()
    for _ in range(_CLICKS):
        try:
            with page.expect_file_chooser(timeout=_PATIENCE_MS / _CLICKS) as chooser:
                button.click()
        except NotInTime:
            continue
        chooser.value.set_files(files)
        return
    raise AssertionError(f"{_CLICKS} clicks on Upload opened no dialog")
