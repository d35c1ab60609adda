"""The app as a reader meets it: first page, first prediction, memory with one and ten sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from benchmarks.rows import Row, missing
from benchmarks.server import Server, browser, started
from benchmarks.shipped import with_examples

__all__ = ["analyse", "rows", "sample_addresses"]

_PAGES = {"images": "images", "ecg": "ecg", "records": "records"}
_SESSIONS = 10
_PATIENCE_MS = 90_000


def rows() -> Iterator[Row]:
    """Yield the times of a fresh start, then the memory as sessions come."""
    with started() as server, browser() as chromium:
        answered = server.seconds()
        page = chromium.new_page()
        page.goto(server.url, timeout=_PATIENCE_MS, wait_until="commit")
        page.get_by_role("link", name=re.compile("Open ")).first.wait_for(timeout=_PATIENCE_MS)
        shown, loaded = server.seconds(), server.has_tensorflow()
        yield Row(
            name="start to first page on screen (Chromium)",
            ours=f"{shown:.1f} s (server answers after {answered:.1f} s)",
            target="before TensorFlow is imported",
            check="" if loaded is None else f"TensorFlow {'was' if loaded else 'not'} loaded",
            verdict="no target" if loaded is None else "missed" if loaded else "met",
        )
        yield from _predictions(server, chromium, page)


def _predictions(server: Server, chromium: Any, page: Any) -> Iterator[Row]:
    addresses = sample_addresses(server)
    if not addresses:
        yield missing("start to first prediction; memory of the server", "no model ships yet")
        return
    before = server.memory_mb()
    analyse(page, addresses[0])
    yield Row(name="start to first prediction on screen", ours=f"{server.seconds():.1f} s")
    yield _memory("memory of the server, one session, one prediction", server, before)
    one = server.memory_mb()
    for session in range(1, _SESSIONS):
        analyse(chromium.new_context().new_page(), addresses[session % len(addresses)])
    yield _memory(f"memory of the server, {_SESSIONS} sessions, {len(addresses)} models", server, one)
    many = server.memory_mb()
    for address in addresses:
        _explain(chromium.new_context().new_page(), address)
    yield _memory(f"memory of the server, then {len(addresses)} explanations, one a model", server, many)


def _explain(page: Any, address: str) -> None:
    """Open a sample and explain its result as the page offers it."""
    analyse(page, address)
    page.get_by_role("button", name="Explain", exact=True).click()
    page.get_by_text(re.compile("the shares add up")).first.wait_for(timeout=_PATIENCE_MS)


def _memory(name: str, server: Server, before: float | None) -> Row:
    now = server.memory_mb()
    if now is None or before is None:
        return missing(name, "this system does not tell the memory of a process")
    return Row(name=name, ours=f"{now:,.0f} MB", reference=f"{before:,.0f} MB before")


def sample_addresses(server: Server) -> list[str]:
    """Return the address of the first sample of each task that has a model."""
    offered = [task for task, bundle in with_examples() if bundle is not None and task.kind in _PAGES]
    asked = [urlencode({"task": task.slug, "sample": task.examples()[0].slug}) for task in offered]
    return [f"{server.url}/{_PAGES[t.kind]}?{query}" for t, query in zip(offered, asked, strict=True)]


def analyse(page: Any, address: str) -> None:
    """Open a sample and wait until its result is drawn down to the explanation."""
    page.goto(address, timeout=_PATIENCE_MS, wait_until="commit")
    page.get_by_role("heading", name="Why?").wait_for(timeout=_PATIENCE_MS)
