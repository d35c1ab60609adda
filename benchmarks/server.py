"""The real app on a free port, Chromium to look at it, and what the server holds in memory."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import resident_mb

__all__ = ["Server", "browser", "started"]

_ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Server:
    """A running app.

    Attributes
    ----------
    url : str
    started : float
        `time.perf_counter()` when the process was started.
    """

    url: str
    process: subprocess.Popen[bytes]
    started: float

    def seconds(self) -> float:
        """Return the time since the process was started."""
        return time.perf_counter() - self.started

    def has_tensorflow(self) -> bool | None:
        """Say whether TensorFlow's library is in the process; None: this system does not tell."""
        maps = Path(f"/proc/{self.process.pid}/maps")
        return "libtensorflow" in maps.read_text() if maps.exists() else None

    def memory_mb(self) -> float | None:
        """Return the resident memory of the process."""
        return resident_mb(self.process.pid)


@contextmanager
def started(script: str = "app.py") -> Iterator[Server]:
    """Start `streamlit run` of a script with an empty folder of own models, and stop it afterwards."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(home)
        )
        server = Server(f"http://localhost:{port}", process, begun)
        try:
            _wait(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def browser() -> Iterator[Any]:
    """Yield Chromium: Playwright's own, or the one of this machine.

    Raises
    ------
    ImportError, playwright.sync_api.Error
        There is none.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path).exists()
        path = None if own else shutil.which("chromium") or shutil.which("google-chrome")
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def _environment(home: str) -> dict[str, str]:
    return {**os.environ, "HEALTHDASH_HOME": home}


def _wait(server: Server) -> None:
    """Wait until the server answers; a server that ended, or is silent for a minute, is an error."""
    while server.seconds() < _PATIENCE_S:
        if server.process.poll() is not None:
            raise RuntimeError(f"the app ended with {server.process.returncode}")
        try:
            with urllib.request.urlopen(server.url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    raise RuntimeError("the app did not answer within a minute")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
