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
    trained, _, obstructed, clear = (json.loads(line) for line in done.stdout.splitlines())
    assert trained["metrics"]["AUC"]["value"] > 0.9
    assert (obstructed["label"], clear["label"]) == ("obstructed", "normal")
    explanation = obstructed["explanation"]
    assert {value["feature"] for value in explanation["values"]} == {
        "log of FEV1 in litres", "log of FVC in litres",
    }  # fmt: skip
    total = sum(value["attribution"] for value in explanation["values"])
    assert explanation["base"] + total == pytest.approx(obstructed["probabilities"]["obstructed"], abs=1e-3)
    card = (tmp_path / "models" / "spirometry" / "example" / "card.md").read_text()
    assert "How good its explanations are" in card
    assert "12 synthetic rows" in card
    _passes_what_every_task_must(tmp_path, environment)


def _passes_what_every_task_must(folder, environment):
    """Run the contract tests of tasks and bundles over the new one, and the style check over its code."""
    for name in ("tests", "benchmarks", "pyproject.toml", "README.md"):
        (folder / name).symlink_to(ROOT / name)
    python, words = sys.executable, ["-q", "-p", "no:cacheprovider", "-k", "spirometry"]
    tests = [f"tests/contract/test_{name}.py" for name in ("every_task", "every_model", "train_command")]
    for command in (
        [python, "-m", "ruff", "check", "healthdash/tasks/spirometry", "pages"],
        [python, "-m", "pytest", *tests, *words],
    ):
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
