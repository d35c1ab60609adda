"""The ECG sheet as a reader uses it: true millimetres, caliper, filters, and the way along a recording."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import swiped

pytestmark = pytest.mark.tf
_PX_PER_MM = 96 / 25.4
_MEASURED = re.compile(r"(\d+) ms · (\d+) /min · (\d\.\d\d) mV")


def _opened(new_page, **screen) -> tuple[Page, Locator]:
    """Open the waves of a drawn recording; return the page and its sheet."""
    page = new_page("ecg?task=ecg-waves&sample=ecg-normal", **screen)
    expect(page.get_by_role("heading", name="Measurements", exact=True)).to_be_visible()
    expect(page.get_by_text("Loading the model")).to_have_count(0)
    # The page is whole: nothing above the sheet moves it any more.
    expect(page.get_by_text("About this model").first).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    sheet = page.locator("svg.sheet").first
    expect(sheet.locator("rect.wave").first).to_be_attached()
    return page, sheet


def _size_mm(sheet: Locator) -> float:
    box = sheet.bounding_box()
    assert box is not None
    return box["width"] / _PX_PER_MM


def _read(page: Page) -> str:
    return page.locator(".ecg .read").first.inner_text()


def test_a_reader_measures_filters_and_moves_along(new_page):
    page, sheet = _opened(new_page)
    # Ten seconds at 25 mm/s, the pulse before them.
    assert _size_mm(sheet) == pytest.approx(12 + 250 + 2, abs=0.5)
    page.locator(".ecg .read").first.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    x, y = box["x"] + 50 * _PX_PER_MM, box["y"] + 20 * _PX_PER_MM
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12.5 * _PX_PER_MM, y - 5 * _PX_PER_MM, steps=4)
    page.mouse.up()
    expect(page.locator(".ecg .read").first).to_have_text(_MEASURED)
    ms, rate, height = _MEASURED.match(_read(page)).groups()
    assert int(ms) == pytest.approx(500, abs=12)
    assert int(rate) == pytest.approx(120, abs=4)
    assert float(height) == pytest.approx(0.5, abs=0.03)

    sheet.press("ArrowRight")  # a quarter of a millimetre: 10 ms
    assert int(_MEASURED.match(_read(page))[1]) == pytest.approx(int(ms) + 10, abs=1)
    sheet.press("Escape")
    expect(page.locator(".ecg .read").first).to_contain_text("Drag on the paper")

    assert "no filter" in sheet.text_content()
    page.get_by_role("button", name="low-pass 40 Hz").click()
    expect(sheet).to_contain_text("low-pass 40 Hz")
    page.get_by_role("radio", name="50", exact=True).first.click()
    expect(sheet).to_contain_text("50 mm/s")
    assert _size_mm(sheet) == pytest.approx(12 + 500 + 2, abs=0.5)

    strip = page.locator("svg.strip").first
    before = sheet.get_attribute("aria-label")
    strip.click(position={"x": strip.bounding_box()["width"] * 0.75, "y": 30})
    expect(sheet).not_to_have_attribute("aria-label", before)
    assert "85.0 to 95.0 s" in sheet.get_attribute("aria-label")
    strip.focus()
    for seen in ("95.0 to 105.0 s", "105.0 to 115.0 s"):  # the strip is made anew and keeps the focus
        page.keyboard.press("ArrowRight")
        expect(sheet).to_have_attribute("aria-label", re.compile(re.escape(seen)))


def test_a_finger_moves_the_paper_or_a_leg_of_the_caliper_and_leaves_no_number_unmeant(new_page):
    page, sheet = _opened(new_page, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    read, scroll = page.locator(".ecg .read").first, page.locator(".ecg .scroll").first
    sheet.evaluate("e => e.scrollIntoView({block: 'center'})")
    y = sheet.bounding_box()["y"] + 60
    swiped(page, (250, y), (120, y))
    assert scroll.evaluate("e => e.scrollLeft") > 50
    expect(read).to_contain_text("Press Caliper")
    page.mouse.move(200, y)
    page.mouse.move(300, y)  # no button is down
    expect(read).to_contain_text("Press Caliper")
    page.get_by_role("button", name="Caliper", exact=True).first.tap()
    expect(read).to_contain_text("200 ms")
    sheet.evaluate("e => e.scrollIntoView({block: 'center'})")
    y, x = sheet.bounding_box()["y"] + 60, sheet.locator(".caliper line").nth(1).bounding_box()["x"]
    swiped(page, (x + 3, y), (x + 3 + 25 * _PX_PER_MM, y))
    assert int(_MEASURED.match(_read(page))[1]) == pytest.approx(1200, abs=12)


def test_keys_keep_the_caliper_on_the_paper_and_in_sight_and_the_strip_is_a_slider(new_page):
    page, sheet = _opened(new_page, viewport={"width": 390, "height": 844})
    sheet.press("c")
    for _ in range(60):  # of 5 mm each
        sheet.press("Alt+ArrowRight")
    begin = float(sheet.locator(".caliper rect").get_attribute("x"))
    assert int(_MEASURED.match(_read(page))[1]) == pytest.approx(1000 * (264 - begin) / 25, abs=2)
    leg = sheet.locator(".caliper line").nth(1).bounding_box()["x"]
    box = page.locator(".ecg .scroll").first.bounding_box()
    assert box["x"] <= leg <= box["x"] + box["width"]

    strip = page.locator("svg.strip").first
    for key, told in (("End", "110.0 to 120.0 s of 120 s"), ("Home", "0.0 to 10.0 s of 120 s"),
                      ("PageUp", "100.0 to 110.0 s of 120 s")):  # fmt: skip
        strip.press(key)
        expect(strip).to_have_attribute("aria-valuetext", told)


def test_a_narrow_screen_scrolls_the_paper_and_keeps_its_millimetres(new_page):
    page, sheet = _opened(new_page, viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert _size_mm(sheet) == pytest.approx(264, abs=0.5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_text("True millimetres on this screen").first.click()
    slider = page.get_by_role("slider", name="Width of the card on the screen").first
    slider.fill("1.2")
    assert _size_mm(sheet) == pytest.approx(1.2 * 264, abs=0.5)
