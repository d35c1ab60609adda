"""The viewer in Chromium: frames a second while a large volume scrolls, and what reaches the browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.rows import Row
from benchmarks.server import browser, started

_PAGE = "benchmarks/viewer_page.py"
_LEAST_FRAMES = 20.0
_SCROLL_S = 5.0
_PATIENCE_MS = 90_000
_SIZE = "512 x 512 x 200 int16"
#: Turns the wheel once each time the browser is ready to draw, and counts what was drawn.
_SCROLL = """async ([box, seconds]) => {
    const canvas = box.querySelector(".pane canvas");
    const frame = canvas.getBoundingClientRect();
    const seen = new Set();
    const before = Number(box.dataset.drawn);
    const start = performance.now();
    let turned = 0;
    while (performance.now() - start < 1000 * seconds) {
        const down = Math.floor(turned++ / 190) % 2 === 0;
        canvas.dispatchEvent(new WheelEvent("wheel", {
            deltaY: down ? -40 : 40, clientX: frame.x + 9, clientY: frame.y + 9, cancelable: true,
        }));
        await new Promise((ready) => requestAnimationFrame(ready));
        seen.add(`${box.dataset.slice}`);
    }
    const took = (performance.now() - start) / 1000;
    return [(Number(box.dataset.drawn) - before) / took, seen.size];
}"""


def rows() -> Iterator[Row]:
    """Yield the time to the first slice and to all, then frames a second with one plane and three."""
    with started(_PAGE) as server, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        sent: list[int] = []
        page.on("requestfinished", lambda request: _note(request, sent))
        opened = time.perf_counter()
        page.goto(server.url, timeout=_PATIENCE_MS)
        box = page.locator("section.viewer")
        box.wait_for(timeout=_PATIENCE_MS)
        _wait(page, box, "e => Number(e.dataset.loaded) > 0")
        first = time.perf_counter() - opened
        _wait(page, box, "e => e.dataset.loaded === '1.000'")
        whole = time.perf_counter() - opened
        once = sum(sent)
        yield Row(
            name=f"viewer: {_SIZE}, from an empty tab to the first slice (Chromium)",
            ours=f"{first:.1f} s; all {whole:.1f} s",
            check=f"{once / 1e6:.0f} MB of {200 * 512 * 512 * 2 / 1e6:.0f} MB sent",
        )
        yield from _scrolled(page, box)
        page.get_by_role("button", name="Run the page again").click()
        page.wait_for_timeout(2_000)
        again = sum(sent) - once
        yield Row(
            name=f"viewer: {_SIZE}, sent again when the page runs again",
            ours=f"{again / 1e6:.1f} MB",
            target="nothing",
            verdict="met" if again == 0 else "missed",
        )


def _scrolled(page: Any, box: Any) -> Iterator[Row]:
    for name in ("one plane", "three planes"):
        if name == "three planes":
            page.get_by_role("button", name="Three planes").click()
        frames, slices = page.evaluate(_SCROLL, [box.element_handle(), _SCROLL_S])
        yield Row.compared(
            f"viewer: {_SIZE} scrolled by the wheel, {name} (Chromium)",
            ours=f"{frames:.1f} frames/s",
            reference=f"{_LEAST_FRAMES:.0f} frames/s asked for",
            ratio=frames / _LEAST_FRAMES,
            at_least=1.0,
            check=f"{slices} different slices seen in {_SCROLL_S:.0f} s",
        )


def _note(request: Any, sent: list[int]) -> None:
    if "/media/" in request.url:
        sent.append(int(request.response().headers.get("content-length", 0)))


def _wait(page: Any, box: Any, condition: str) -> None:
    page.wait_for_function(f"([e]) => ({condition})(e)", arg=[box.element_handle()], timeout=_PATIENCE_MS)
