"""docs/add-a-task.md, followed as written in a copy of the library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = re.compile(r"^`(?P<path>[\w/.]+\.py)`\n```python\n(?P<code>.*?)^```", re.S | re.M)
SHELL = re.compile(r"^```bash\n(?P<code>.*?)^```", re.S | re.M)


@pytest.mark.tf
@pytest.mark.slow
def test_the_page_gives_a_working_task(tmp_path):
    text = (ROOT / "docs" / "add-a-task.md").read_text()
    shutil.copytree(
        ROOT / "healthdash", tmp_path / "healthdash", ignore=shutil.ignore_patterns("__pycache__")
    )
    for found in FILE.finditer(text):
        path = tmp_path / found["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found["code"])
    (commands,) = (found["code"] for found in SHELL.finditer(text))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e"],
        input=commands,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    trained, obstructed, clear = (json.loads(line) for line in done.stdout.splitlines())
    assert trained["metrics"]["AUC"]["value"] > 0.9
    assert (obstructed["label"], clear["label"]) == ("obstructed", "normal")
    explanation = obstructed["explanation"]
    total = sum(value["attribution"] for value in explanation["values"])
    assert explanation["base"] + total == pytest.approx(obstructed["probabilities"]["obstructed"], abs=1e-3)
    card = (tmp_path / "models" / "spirometry" / "example" / "card.md").read_text()
    assert "How good its explanations are" in card
    assert "2 synthetic rows" in card
