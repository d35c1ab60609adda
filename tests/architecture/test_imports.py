"""Who may import whom: the directions of the design, read from the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = sorted((ROOT / "healthdash").rglob("*.py"))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path) -> set[str]:
    """Return the absolute names of all modules that a file imports, also inside functions."""
    found = set()
    package = _module(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, [base, node.module]))
            found |= {name} | {f"{name}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", LIBRARY, ids=_module)
def test_only_the_ui_imports_streamlit(path):
    inside = "ui" in path.relative_to(ROOT / "healthdash").parts
    assert inside or not any(name.split(".")[0] == "streamlit" for name in _imported(path))


@pytest.mark.parametrize("path", [p for p in LIBRARY if "tasks" in p.parts], ids=_module)
def test_a_task_folder_never_imports_another(path):
    own = _module(path).split(".")[2:3]
    others = {
        n.split(".")[2] for n in _imported(path) if n.startswith("healthdash.tasks.") and n.count(".") >= 2
    }
    assert not own or others <= set(own)


@pytest.mark.parametrize("path", [p for p in LIBRARY if {"explain", "training"} & set(p.parts)], ids=_module)
def test_explain_and_training_know_no_concrete_task(path):
    assert not any(name.startswith(("healthdash.tasks", "healthdash.ui")) for name in _imported(path))


READERS = {"signals", "tables", "fhir", "apart"}
READERS_OF_PICTURES = {
    "read.py", "pictures.py", "series.py", "tiff.py", "png.py", "volume_files.py", "zipped.py",
}  # fmt: skip


def _reads_files(path: Path) -> bool:
    if "imaging" in path.parts:
        return path.name in READERS_OF_PICTURES or path.name.startswith("dicom")
    # Leaks of the outcome are measured as training measures them.
    return bool(READERS & set(path.parts)) and _module(path) != "healthdash.tables.leaks"


@pytest.mark.parametrize("path", [p for p in LIBRARY if _reads_files(p)], ids=_module)
def test_readers_of_files_know_nothing_of_training(path):
    assert not any(name.startswith("healthdash.training") for name in _imported(path))


@pytest.mark.parametrize("path", [p for p in LIBRARY if "ui" not in p.parts], ids=_module)
def test_the_library_never_imports_the_ui(path):
    assert not any(name.startswith("healthdash.ui") for name in _imported(path))


def test_listing_the_tasks_loads_nothing_heavy():
    code = (
        "import sys, healthdash; from healthdash import tasks; tasks.all_tasks();"
        "print([m for m in ('tensorflow', 'keras', 'shap', 'streamlit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "path", [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))], ids=lambda p: p.name
)
def test_pages_are_thin(path):
    assert len(path.read_text().splitlines()) <= 40


def test_nothing_is_unpickled():
    banned = {"pickle", "joblib", "dill", "cloudpickle"}
    assert not {_module(p) for p in LIBRARY if banned & {n.split(".")[0] for n in _imported(p)}}
    assert not [p for p in LIBRARY if "allow_pickle=True" in p.read_text()]
