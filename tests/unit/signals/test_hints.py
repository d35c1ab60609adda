"""Whoever gives a file that is refused is told what to do next."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from healthdash import errors, signals

_MODULES = sorted(Path(signals.__path__[0]).glob("*.py"))
_ERRORS = {
    name for name, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.InputError)
}


def _without_hint(path: Path) -> list[int]:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in _ERRORS]
    return [call.lineno for call in made if "hint" not in {keyword.arg for keyword in call.keywords}]


@pytest.mark.parametrize("path", _MODULES, ids=lambda path: path.stem)
def test_every_refusal_of_a_recording_has_a_hint(path: Path) -> None:
    assert _without_hint(path) == []
