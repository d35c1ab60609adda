"""The first page is served before TensorFlow is imported, and nothing is fetched from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import Server


def _has_tensorflow(process_id: int) -> bool:
    """Say whether a process, or a child of it, has mapped TensorFlow's library."""
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    maps = Path(f"/proc/{process_id}/maps").read_text()
    return "libtensorflow" in maps or any(_has_tensorflow(int(child)) for child in children)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc to look into the server")
def test_the_first_page_is_there_before_tensorflow(browser, tmp_path):
    server = Server(tmp_path)
    try:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.get_by_role("heading", name="Deep learning on health data")).to_be_visible()
        assert not _has_tensorflow(server.process.pid)
        expect(page.get_by_text("Device: loading")).to_be_visible()
        expect(page.get_by_text("float")).to_be_visible()
        assert _has_tensorflow(server.process.pid)
    finally:
        server.stop()


def test_nothing_is_fetched_from_outside(browser, server):
    asked = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for address in ("", "images", "ecg", "eeg", "records", "explain", "models", "train"):
        page.goto(f"{server.url}/{address}")
        expect(page.get_by_role("button", name="Remove my data")).to_be_visible()
    host = server.url.removeprefix("http://")
    outside = [url for url in asked if host not in url and not url.startswith(("data:", "blob:"))]
    assert outside == []


def test_a_link_to_a_page_is_good_for_the_very_first_visitor(browser, tmp_path):
    server = Server(tmp_path)
    try:
        page = browser.new_page()
        page.goto(f"{server.url}/records")
        expect(page.get_by_role("heading", name="Patient records", level=1)).to_be_visible()
        expect(page.get_by_role("button", name="Remove my data")).to_be_visible()
        expect(page.get_by_text("Page not found")).to_have_count(0)
    finally:
        server.stop()
