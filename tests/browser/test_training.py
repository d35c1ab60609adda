"""Training in the browser: labelled data in, curves that grow, a model that can be used."""

from __future__ import annotations

import os
import re
import signal

import numpy as np
import pytest
from playwright.sync_api import expect

from healthdash import tasks

from .conftest import Server, set_length, upload


def _labelled_rows(n: int = 200) -> bytes:
    """Return a table of invented patients; disease follows age and ST depression, with noise."""
    fields = tasks.get("heart-disease").fields
    rng = np.random.default_rng(0)
    lines = [",".join([*(field.name for field in fields), "num"])]
    for _ in range(n):
        row = {field.name: getattr(field, "default", None) for field in fields}
        row |= {"age": int(rng.integers(35, 75)), "oldpeak": round(float(rng.gamma(1, 1)), 1)}
        row |= {"chol": int(rng.normal(240, 40)), "thalach": int(rng.normal(150, 20))}
        ill = (row["age"] - 55) / 10 + row["oldpeak"] - 1 + rng.normal(0, 0.5) > 0
        lines.append(",".join([*(str(value) for value in row.values()), str(int(ill))]))
    return "\n".join(lines).encode()


@pytest.mark.tf
@pytest.mark.slow
def test_curves_grow_while_it_trains_and_the_model_is_offered(new_page):
    page = new_page("train?task=heart-disease")
    upload(page, [{"name": "own.csv", "mimeType": "text/csv", "buffer": _labelled_rows()}])
    set_length(page, epochs=5, folds=2)
    page.get_by_role("button", name="Train", exact=True).click()
    epoch = page.get_by_test_id("stMetric").filter(has_text=re.compile(r"Epoch\s*\d+ of \d+"))
    expect(epoch).to_be_visible(timeout=240_000)
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    done = page.get_by_role("heading", name=re.compile("Done: "))
    expect(done).to_be_visible(timeout=300_000)
    name = re.search(r"model (own[\w-]*)", done.inner_text())[1]
    page.get_by_role("link", name="Use it").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value(
        re.compile(re.escape(f"({name}, your own)"))
    )


def test_data_that_cannot_be_used_is_told_in_words(new_page):
    page = new_page("train?task=heart-disease")
    upload(page, [{"name": "own.csv", "mimeType": "text/csv", "buffer": b"age,sex\n1,2\n"}])
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Failed: "))).to_be_visible()
    expect(page.get_by_text(re.compile("missing column", re.I)).first).to_be_visible()


def test_a_run_can_be_stopped(new_page):
    page = new_page("train?task=heart-disease")
    upload(page, [{"name": "own.csv", "mimeType": "text/csv", "buffer": _labelled_rows()}])
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Stopped: "))).to_be_visible()


@pytest.mark.tf
@pytest.mark.slow
def test_a_run_goes_on_when_browser_and_app_are_killed_and_the_same_browser_finds_it(browser, tmp_path):
    ours, other = browser.new_context(), browser.new_context()
    first, second = Server(tmp_path), None
    try:
        page = ours.new_page()
        page.set_default_timeout(240_000)
        page.goto(f"{first.url}/train?task=heart-disease")
        page.get_by_role("button", name="Synthetic table").click()
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_role("heading", name=re.compile("Training: "))).to_be_visible()
        page.wait_for_url(re.compile(r"run="))
        address = page.url.split("/")[-1]
        page.close()
        _kill(first)
        second = Server(tmp_path)
        page = ours.new_page()
        page.goto(f"{second.url}/{address}")
        expect(page.get_by_role("heading", name=re.compile("Done: "))).to_be_visible(timeout=300_000)
        page.get_by_role("button", name="All runs").click()
        expect(page.get_by_role("heading", name="Runs")).to_be_visible()
        strange = other.new_page()
        strange.goto(f"{second.url}/{address}")
        expect(strange.get_by_text("There is no such run here")).to_be_visible()
    finally:
        ours.close()
        other.close()
        for server in filter(None, (first, second)):
            _kill(server)


def _kill(server):
    """End a server without a chance to tidy up."""
    if server.process.poll() is None:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
