"""The recipes install what changed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_changed_pin_of_any_included_file_is_installed_again():
    (rule,) = re.findall(r"^\.venv/dev:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    included = re.findall(r"^-r (.+)$", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    watched_by_app = {"requirements.txt"}
    assert set(rule.split()) == {".venv/app", "requirements-dev.txt", *included} - watched_by_app
