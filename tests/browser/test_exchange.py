"""A model's whole life in the browser: own data, a remedy, two runs, use, out as a file, and in again."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from .conftest import set_length, upload

_LONG_MS = 400_000


def _patients(n: int = 160) -> bytes:
    """Return invented patients with a number each; illness follows age and marker, with noise."""
    rng = np.random.default_rng(0)
    lines = ["patient_number,age,marker,smoker,outcome"]
    for number in range(n):
        age, marker = int(rng.integers(30, 80)), round(float(rng.gamma(2, 1)), 2)
        smoker = "yes" if rng.random() < 0.3 else "no"
        ill = (age - 55) / 10 + marker - 2 + (smoker == "yes") + rng.normal(0, 0.7) > 0
        lines.append(f"{10_000 + number * 7},{age},{marker},{smoker},{'ill' if ill else 'well'}")
    return "\n".join(lines).encode()


def _upload_and_mend(page: Page) -> None:
    """Give the table, and take the remedies of its report."""
    upload(page, [{"name": "own.csv", "mimeType": "text/csv", "buffer": _patients()}])
    remedy = page.get_by_role("button", name="Take every remedy that needs no decision")
    remedy.click()
    expect(remedy).to_have_count(0)


def _train(page: Page, name: str, epochs: int) -> None:
    """Train on the table that was given, and watch until the model is there."""
    page.get_by_label("Name of the new model").fill(name)
    set_length(page, epochs=epochs, folds=2)
    page.get_by_role("button", name="Train", exact=True).click()
    epoch = page.get_by_test_id("stMetric").filter(has_text=re.compile(r"Epoch\s*\d+ of \d+"))
    expect(epoch).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_role("heading", name=re.compile("Done: "))).to_be_visible(timeout=_LONG_MS)


@pytest.mark.tf
@pytest.mark.slow
def test_own_data_become_a_model_that_is_compared_used_taken_out_and_brought_in(new_page, tmp_path):
    page = new_page("train?task=table")
    _upload_and_mend(page)
    _train(page, "first", 3)
    page.get_by_role("button", name="All runs").click()
    # The same table again: what was chosen about it is still known.
    upload(page, [{"name": "own.csv", "mimeType": "text/csv", "buffer": _patients()}])
    expect(page.get_by_role("heading", name="Data report")).to_be_visible()
    _train(page, "second", 4)
    page.get_by_role("button", name="All runs").click()
    _compare(page)
    _use(page)
    file = _download(page, tmp_path)
    _bring_in(page, file)


def _compare(page: Page) -> None:
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    for name in ("first", "second"):
        _choose(page, name)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Validation loss")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()


def _choose(page: Page, name: str) -> None:
    """Choose a run by the keyboard; the end of a run of the page may close the list meanwhile."""
    widget = page.get_by_test_id("stMultiSelect").filter(has_text="Runs to compare")
    box, chosen = widget.get_by_role("combobox"), widget.get_by_text(re.compile(f"^{name}, "))
    for _ in range(20):
        box.fill("")
        box.fill(name)
        page.wait_for_timeout(500)
        box.press("Enter")
        page.wait_for_timeout(1000)
        if chosen.count():
            return
    expect(chosen).to_be_visible()


def _use(page: Page) -> None:
    page.goto(re.sub(r"/train.*", "/records?task=table", page.url))
    page.get_by_role("button", name=re.compile("usual", re.I)).first.click()
    expect(page.get_by_text(re.compile("estimated probability", re.I)).first).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def _download(page: Page, folder) -> bytes:
    page.goto(re.sub(r"/records.*", "/models?model=table/first", page.url))
    page.get_by_role("tab", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Bundle (zip)").click()
    assert download.value.suggested_filename == "first.zip"
    download.value.save_as(folder / "first.zip")
    return (folder / "first.zip").read_bytes()


def _bring_in(page: Page, file: bytes) -> None:
    page.get_by_text("Bring in a model").click()
    upload(page, [{"name": "first.zip", "mimeType": "application/zip", "buffer": file}])
    page.get_by_role("button", name="Check and keep it").click()
    expect(page.get_by_text("first-2 was checked, tried and kept")).to_be_visible(timeout=_LONG_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_hostile_file_is_refused_with_its_reason(new_page):
    page = new_page("models")
    page.get_by_text("Bring in a model").click()
    upload(page, [{"name": "evil.zip", "mimeType": "application/zip", "buffer": b"PK\x03\x04 no zip"}])
    page.get_by_role("button", name="Check and keep it").click()
    expect(page.get_by_text("Refused for a damaged archive")).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
