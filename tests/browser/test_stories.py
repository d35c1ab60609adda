"""From an upload to its explanation, for each kind of data, as a reader does it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from healthdash import tasks

from .conftest import swiped, upload

STORIES = [
    ("images", "chest-xray"),
    ("images", "lung-ct"),
    ("ecg", "ecg-beats"),
    ("records", "heart-disease"),
]


def _files(slug: str, number: int = 0) -> list[dict]:
    uploads = tasks.get(slug).examples()[number].make()
    return [{"name": u.name, "mimeType": "application/octet-stream", "buffer": u.data} for u in uploads]


def _main(page: Page):
    return page.get_by_test_id("stMain")


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize(("path", "slug"), STORIES)
def test_from_an_upload_to_its_explanation(new_page, path, slug):
    page = new_page(f"{path}?task={slug}")
    upload(page, _files(slug))
    expect(_main(page).get_by_text(re.compile("estimated probability", re.I)).first).to_be_visible()
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(_main(page).get_by_text(re.compile("the shares add up"))).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.tf
@pytest.mark.parametrize(("path", "slug"), STORIES)
def test_a_sample_is_one_click_from_home(new_page, path, slug):
    page = new_page()
    page.get_by_role("link", name=f"Try a sample: {tasks.get(slug).title}").click()
    expect(_main(page).get_by_text(re.compile("estimated probability", re.I)).first).to_be_visible()
    expect(page).to_have_url(re.compile(f"/{path}.*task={slug}"))


@pytest.mark.parametrize(("path", "slug"), STORIES)
def test_a_bad_file_gets_a_message_and_no_traceback(new_page, path, slug):
    page = new_page(f"{path}?task={slug}")
    upload(page, [{"name": "holiday.txt", "mimeType": "text/plain", "buffer": b"no file of any kind " * 9}])
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.get_by_role("button", name="Explain", exact=True)).to_have_count(0)


@pytest.mark.tf
def test_many_files_with_a_bad_one_give_a_table_and_a_download(new_page):
    slug = "chest-xray"
    files = _files(slug, 0) + _files(slug, 1)
    for number, file in enumerate(files):
        file["name"] = f"{number}-{file['name']}"
    page = new_page(f"images?task={slug}")
    upload(page, [*files, {"name": "bad.png", "mimeType": "image/png", "buffer": b"\x89PNG"}])
    expect(page.get_by_text("2 of 3 analysed")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the results").click()
    text = download.value.path().read_text("utf-8-sig")
    assert len(text.splitlines()) == 4
    assert "not for clinical use" in text


def test_two_browsers_do_not_see_each_other(new_page):
    first, second = new_page("records?task=heart-disease"), new_page("records?task=heart-disease")
    (file,) = _files("heart-disease")
    upload(first, [file | {"name": "only-mine.csv"}])
    expect(_main(first).get_by_text("only-mine.csv").first).to_be_visible()
    second.reload()
    expect(second.get_by_role("button", name="Remove my data")).to_be_visible()
    expect(_main(second).get_by_text("only-mine.csv")).to_have_count(0)


@pytest.mark.tf
def test_removing_my_data_takes_the_result_away_and_state_survives_other_pages(new_page):
    page = new_page("records?task=heart-disease&sample=heart-high")
    result = _main(page).get_by_text("Estimated probability").first
    expect(result).to_be_visible()
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.get_by_role("link", name="Patient records").click()
    expect(result).to_be_visible()
    page.get_by_role("button", name="Remove my data").click()
    expect(page.get_by_role("button", name="Explain", exact=True)).to_have_count(0)


@pytest.mark.tf
@pytest.mark.slow
def test_removing_my_data_empties_the_typed_patient_each_time(new_page):
    page = new_page("records?task=heart-disease")
    result = _main(page).get_by_text("Estimated probability").first
    age, send = page.get_by_label("Age, years"), page.get_by_role("button", name="Analyse")
    for _ in range(2):  # after the first time the browser does not make the widgets anew by itself
        if not send.is_visible():
            page.get_by_text("Or type one patient").click()
        age.fill("71")
        send.click()
        expect(result).to_be_visible()
        page.get_by_role("link", name="Models", exact=True).click()
        expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
        page.get_by_role("link", name="Patient records").click()
        expect(age).to_have_value("71")
        page.get_by_role("button", name="Remove my data").click()
        # Until the rerun ends, the old form stands beside the new one.
        expect(age.first).to_have_value(str(tasks.get("heart-disease").fields[0].default))
        expect(age).to_have_count(1)


def test_a_narrow_screen_shows_everything_without_sideways_scrolling(new_page):
    for address in ("", "ecg?task=ecg-beats&sample=" + tasks.get("ecg-beats").examples()[0].slug, "models"):
        page = new_page(address, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
        main = _main(page)
        expect(main.get_by_role("heading").first).to_be_visible()
        wide, seen = main.evaluate("element => [element.scrollWidth, element.clientWidth]")
        assert wide <= seen + 1


def test_each_page_is_called_by_its_name(new_page):
    page = new_page()
    for name in ("Models", "Home"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(f"{name} · healthdash")


def test_a_finger_over_a_chart_scrolls_the_page_and_cuts_nothing_down(new_page):
    page = new_page("models", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    chart, main = page.locator(".js-plotly-plot").first, _main(page)
    chart.wait_for()
    # The page grows while it is drawn: there must be room to scroll.
    long = "e => e && e.scrollHeight > 2 * e.clientHeight"
    page.wait_for_function(long, arg=main.element_handle())
    chart.evaluate("e => e.scrollIntoView({block: 'center'})")
    seen = "e => JSON.stringify([e._fullLayout.xaxis.range, e._fullLayout.yaxis.range])"
    box, before, top = chart.bounding_box(), chart.evaluate(seen), main.evaluate("e => e.scrollTop")
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"]
    swiped(page, (x, y), (x, y - 200))
    assert main.evaluate("e => e.scrollTop") > top + 50
    assert chart.evaluate(seen) == before


def test_the_keyboard_alone_leads_from_home_to_a_sample(new_page):
    page = new_page()
    wanted = page.get_by_role("link", name="Try a sample").first
    expect(wanted).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            break
    else:
        pytest.fail("forty presses of Tab never reached the link")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sample="))
