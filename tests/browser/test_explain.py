"""The page Explain as a reader uses it: hand over, compare, share a link, take a report home."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from healthdash import tasks

from .conftest import upload
from .made_pictures import series

_ADDS_UP = re.compile("the shares add up")


def _main(page):
    return page.get_by_test_id("stMain")


def _sample(slug: str) -> dict:
    (file,) = tasks.get(slug).examples()[0].make()
    return {"name": "Jane Doe.csv", "mimeType": "text/csv", "buffer": file.data}


@pytest.mark.tf
def test_from_a_result_to_a_comparison_a_link_and_a_report(new_page, tmp_path):
    slug = "heart-disease"
    page = new_page(f"records?task={slug}&sample={tasks.get(slug).examples()[1].slug}")
    page.get_by_role("link", name="Look closer").click()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible()
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    _main(page).get_by_text("Two classes", exact=True).click()
    expect(_main(page).get_by_text("Both sides have the same scale")).to_be_visible()
    expect(_main(page).get_by_text(_ADDS_UP)).to_have_count(2)
    expect(page).to_have_url(re.compile("compare=classes"))

    again = new_page(page.url.split("/", 3)[3])
    expect(_main(again).get_by_text("Both sides have the same scale")).to_be_visible()
    assert again.url == page.url

    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    asked, problems = [], []
    offline = page.context.browser.new_context(offline=True).new_page()
    offline.on("request", lambda request: asked.append(request.url))
    offline.on("pageerror", lambda error: problems.append(str(error)))
    offline.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    offline.goto(report.as_uri())
    expect(offline.locator(".js-plotly-plot .bars").first).to_be_visible()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert problems == []
    offline.context.close()


@pytest.mark.tf
def test_numbers_at_the_bars_are_seen_after_a_change_of_light_and_dark(new_page):
    page = new_page("records?task=heart-disease&sample=heart-low")
    number = page.locator(".bartext-outside").first
    for scheme, ink in (("light", "rgb(22, 36, 43)"), ("dark", "rgb(227, 236, 239)")) * 2:
        page.emulate_media(color_scheme=scheme)
        expect(number).to_have_css("fill", ink)


@pytest.mark.tf
@pytest.mark.parametrize("slug", ["heart-disease", "ecg-beats"])
def test_one_press_of_back_leads_to_the_result_with_its_choices(new_page, slug):
    task = tasks.get(slug)
    page = new_page(f"{task.kind}?task={slug}&sample={task.examples()[0].slug}")
    label = _another_class(page)
    page.get_by_role("link", name="Look closer").click()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"class={label}"))
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_have_count(0)
    expect(_class(page)).to_have_value(label)
    page.go_forward()
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    page.get_by_role("link", name="Back to the result").click()
    expect(page.get_by_role("heading", name="Why?")).to_be_visible()
    expect(_class(page)).to_have_value(label)


@pytest.mark.tf
def test_the_slice_of_a_volume_that_was_chosen_is_the_one_looked_at_closer(new_page):
    (file,) = next(e for e in tasks.get("lung-ct").examples() if e.slug == "malignant-dicom").make()
    page = new_page("images?task=lung-ct")
    volume = {"name": "volume.zip", "mimeType": "application/zip", "buffer": series(file.data, 4)}
    upload(page, [volume])
    number = _main(page).get_by_role("spinbutton", name="Slice, 1 to 4")
    number.fill("3")
    number.press("Enter")
    link = page.get_by_role("link", name="Look closer")
    expect(link).to_have_attribute("href", re.compile("item=3"))
    link.click()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible()
    expect(_main(page).get_by_role("spinbutton", name="Slice, 1 to 4")).to_have_value("3")
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def _class(page):
    return _main(page).get_by_role("combobox", name="Class")


def _another_class(page) -> str:
    """Choose a class that is not the one of the result, by the keyboard, and return it."""
    expect(_class(page)).to_be_visible()
    before = _class(page).input_value()
    for _ in range(20):
        # The end of a run of the page may close the list: then once more.
        _class(page).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_timeout(1000)
        if _class(page).input_value() != before:
            break
    return _class(page).input_value()


@pytest.mark.tf
def test_an_upload_is_in_no_link_and_in_no_file_that_is_taken_home(new_page):
    page = new_page("explain?task=heart-disease")
    upload(page, [_sample("heart-disease")])
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    assert "Jane" not in page.url
    for name in ("Values (CSV)", "Picture (PNG)", "Report (HTML)"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert "Jane" not in download.value.suggested_filename
        assert b"Jane Doe" not in download.value.path().read_bytes()
    other = new_page(page.url.split("/", 3)[3])
    expect(_main(other).get_by_text("Choose a sample, or upload a file.")).to_be_visible()


@pytest.mark.tf
def test_a_heat_map_says_its_values_under_the_pointer(new_page):
    page = new_page("explain?task=chest-xray&sample=normal&samples=50")
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    plot = _main(page).locator(".js-plotly-plot .nsewdrag").first
    plot.hover()
    expect(_main(page).locator(".hoverlayer").get_by_text("percentage points").first).to_be_visible()


@pytest.mark.tf
def test_a_narrow_screen_needs_no_sideways_scrolling(new_page):
    narrow = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    page = new_page("explain?task=heart-disease&sample=heart-high&compare=classes", **narrow)
    expect(_main(page).get_by_text("Both sides have the same scale")).to_be_visible()
    wide, seen = _main(page).evaluate("element => [element.scrollWidth, element.clientWidth]")
    assert wide <= seen + 1


@pytest.mark.tf
def test_a_long_explanation_is_stopped_and_shows_what_there_is(new_page):
    page = new_page("explain?task=chest-xray")
    page.goto(f"{page.url}&sample=bacterial&method=kernel-shap&samples=3200")
    expect(_main(page).get_by_text(re.compile(", largest standard error"))).to_be_visible()
    page.get_by_role("button", name="Stop, and show what there is").click()
    told = _main(page).get_by_text(_ADDS_UP)
    expect(told).to_be_visible()
    evaluations = int(re.search(r"([\d,]+) model evaluations", told.inner_text())[1].replace(",", ""))
    assert evaluations < 2 * 3200  # a coalition and its complement each


@pytest.mark.tf
def test_pairs_ways_and_a_cohort_of_a_table(new_page):
    slug = "heart-disease"
    page = new_page(f"explain?task={slug}&sample={tasks.get(slug).examples()[1].slug}")
    expect(_main(page).get_by_text(_ADDS_UP)).to_be_visible()
    page.get_by_role("button", name="Look at all pairs").click()
    expect(
        _main(page).get_by_text(re.compile("less than one by one|more than one by one")).first
    ).to_be_visible()
    page.get_by_role("button", name="Look for changes that cross 50%").click()
    expect(_main(page).get_by_text(re.compile("→")).first).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Explain \d+ rows")).click()
    page.get_by_role("tab", name="Every row").click()
    expect(_main(page).locator(".js-plotly-plot:visible").last).to_be_visible()
