"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.figures import table
from healthdash.tasks.imaging.dicom_pixels import ALLOWED

ROOT = Path(__file__).resolve().parents[2]


def test_its_figures_are_those_of_the_bundles():
    assert table() in (ROOT / "README.md").read_text(encoding="utf-8"), "run python -m benchmarks.figures"


def test_its_make_commands_are_recipes():
    readme, recipes = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for name in ("run", "test", "check", "format", "bench", "models"):
        assert f"make {name}" in readme
        assert f"\n{name}:" in recipes


def test_it_counts_the_transfer_syntaxes_that_are_read():
    assert f"{len(ALLOWED)} transfer syntaxes" in (ROOT / "README.md").read_text()


def test_the_samples_of_its_first_predict_are_there():
    (pattern,) = re.findall(r"predict chest-xray (healthdash/\S+)", (ROOT / "README.md").read_text())
    assert list(ROOT.glob(pattern))


def test_its_links_lead_to_pages():
    links = re.findall(r"\]\((docs/[^)#]+)", (ROOT / "README.md").read_text())
    assert [one for one in links if not (ROOT / one).is_file()] == []


def test_it_leads_to_every_page_of_docs():
    readme = (ROOT / "README.md").read_text()
    assert [one.name for one in (ROOT / "docs").glob("*.md") if f"docs/{one.name}" not in readme] == []
