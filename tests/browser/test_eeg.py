"""The page of EEG as a reader uses it: the drawn sample, a montage, the next page, the spectrum."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import upload

_PX_PER_MM = 96 / 25.4


def _opened(new_page, **screen) -> tuple[Page, Locator]:
    """Open the page of EEG with its sample; return the page and the figure of the lines."""
    page = new_page("eeg", **screen)
    page.get_by_role("button", name="Drawn EEG, eyes open and shut").click()
    expect(page.get_by_text("BrainVision, 19 channels, 256 Hz, 120.0 s")).to_be_visible()
    figure = page.get_by_test_id("stPlotlyChart").first
    expect(figure).to_contain_text("Fp1")
    return page, figure


def _between(page: Page, figure: Locator, *names: str) -> float:
    """Return how far below each other two lines stand, px; a figure that is drawn anew is waited for."""
    for _ in range(100):
        boxes = [figure.get_by_text(name, exact=True).bounding_box() for name in names]
        if all(boxes):
            first, second = (box["y"] for box in boxes)
            return second - first
        page.wait_for_timeout(100)
    raise AssertionError(f"{names} are not in sight")


def test_a_reader_turns_a_page_in_a_montage_and_sees_the_spectrum(new_page):
    page, figure = _opened(new_page)
    # Lines stand a centimetre apart on a screen of 96 pixels an inch.
    assert _between(page, figure, "Fp1", "Fp2") == pytest.approx(10 * _PX_PER_MM, abs=1)

    page.get_by_role("radio", name="Longitudinal bipolar").click()
    expect(figure).to_contain_text("Fp1-F7")
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("spinbutton", name="Begins at, s (of 120)")).to_have_value("30.00")
    expect(figure).to_contain_text("Comment: Eyes shut")
    page.get_by_text("Fewer points", exact=True).click()
    expect(page.get_by_text("Drawn through 4,")).to_be_visible()

    charts = page.get_by_test_id("stPlotlyChart")
    expect(charts).to_have_count(2)
    expect(charts.nth(1)).to_contain_text("frequency, Hz")
    expect(charts.nth(1).locator(".heatmaplayer image")).to_be_attached()
    expect(page.get_by_role("heading", name="Power of the bands on this page")).to_be_visible()


def test_a_rate_said_after_the_refusal_opens_the_file_on_a_narrow_dark_screen(new_page):
    page = new_page("eeg", viewport={"width": 390, "height": 844}, color_scheme="dark")
    rows = "\n".join(f"{(n * 7) % 50},{(n * 11) % 60}" for n in range(1000))
    upload(page, [{"name": "x.csv", "mimeType": "text/csv", "buffer": f"C3,C4\n{rows}".encode()}])
    expect(page.get_by_test_id("stAlert").first).to_contain_text("rate")
    page.get_by_text("If the file does not say its rate or unit").click()
    field = page.get_by_role("spinbutton", name="Sampling rate, Hz")
    field.fill("250")
    field.press("Enter")
    expect(page.get_by_text("2 channels, 250 Hz, 4.0 s")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_contain_text("C3")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
