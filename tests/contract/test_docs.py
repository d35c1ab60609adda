"""The pages of docs name what there is."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import pytest

from healthdash import cli, settings
from healthdash.explain import METHODS
from healthdash.fields import CategoryField, NumberField
from healthdash.tasks.records import TASKS
from healthdash.tasks.records.task import RecordsTask

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: Long lists of codes are told by their first and last, or by where they are found.
_MOST_CODES = 8


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("task", [one for one in TASKS if one.fields], ids=lambda task: task.slug)
def test_every_column_of_a_table_is_told(task: RecordsTask):
    section = page("records.md").split(f"\n`{task.slug}`, ", 1)[1].split("\n\n", 2)[1]
    rows = {name: row for row in section.splitlines() for name in row.split("|")[1].split("`")[1::2]}
    extra = {task.target, task.group_column} - {None}
    assert set(rows) == {field.name for field in task.fields} | extra
    for field in task.fields:
        told = rows[field.name]
        if isinstance(field, NumberField):
            assert f"{field.low:g} to {field.high:g} {field.unit}".strip() in told
        elif isinstance(field, CategoryField) and len(field.choices) <= _MOST_CODES:
            assert all(f"`{code}`" in told for code in field.choices)


def test_every_setting_is_told_and_no_other():
    source = inspect.getsource(settings)
    read = set(re.findall(r'"(HEALTHDASH_[A-Z_]+)"', source)) | {"HEALTHDASH_DATA"}
    told = re.findall(r"^\| `(HEALTHDASH_[A-Z_]+)` \|", page("settings.md"), re.MULTILINE)
    assert sorted(told) == sorted(read)


def test_every_method_of_explanation_is_told():
    told = dict(
        re.findall(r"^\| `([a-z-]+)` \|.*\| `healthdash/(.+)\.py` \|$", page("explanations.md"), re.MULTILINE)
    )
    assert {name: f"healthdash.{path.replace('/', '.')}" for name, path in told.items()} == dict(METHODS)


def test_every_data_set_that_a_test_needs_is_told():
    tests = Path(__file__).resolve().parents[1]
    marks = "".join(
        re.findall(r"mark\.data\(([^)]*)\)", "".join(p.read_text() for p in tests.rglob("test_*.py")))
    )
    told = re.findall(r"^\| `([a-z]+/[a-z0-9_]+)` \|", page("data.md"), re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(re.findall(r'"([^"]+)"', marks)) <= set(told)


def _commands() -> list[str]:
    """Return the commands of the README and the pages, with one value for each placeholder."""
    told = "".join(path.read_text() for path in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))])
    lines = re.findall(r"^python -m healthdash ([^#>\n]*)", told.replace("\\\n", " "), re.MULTILINE)
    whole = [
        re.sub(r"\.\.\.|[\[\]]", "", line).replace("zip|savedmodel|onnx|script", "zip") for line in lines
    ]
    return [line for line in whole if line.split()[1:2] != ["|"]]


@pytest.mark.parametrize("command", _commands())
def test_every_command_of_the_pages_is_understood(command: str):
    cli._parser().parse_args(shlex.split(command))
