"""The README says what is so."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import table

ROOT = Path(__file__).resolve().parents[2]


def test_its_figures_are_those_of_the_bundles():
    assert table() in (ROOT / "README.md").read_text(encoding="utf-8"), "run python -m benchmarks.figures"


def test_its_two_commands_are_recipes():
    readme, recipes = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    for name in ("run", "test"):
        assert f"make {name}" in readme
        assert f"\n{name}:" in recipes
