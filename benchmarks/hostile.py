"""Memory of the real server while hostile files come through its pages, above one that has predicted."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.app import analyse, sample_addresses
from benchmarks.memory import PeakMemory
from benchmarks.rows import Row, missing
from benchmarks.server import Server, browser, started
from tests.hostile import dicom, pictures, signals, tables
from tests.hostile.case import Case

#: Issue 5: "server memory never more than 300 MB above idle".
_MOST_MB = 300.0
_PATIENCE_MS = 120_000
#: A little more than `disconnectedSessionTTL` of .streamlit/config.toml: then an upload is forgotten.
_SESSIONS_END_S, _LEAVE_S = 80, 3
#: Where people would bring a file, and with which task.
_PAGES = {"images": "images?task=lung-ct", "ecg": "ecg?task=ecg-beats"}
_TABLES = "records?task=heart-disease"
#: Of every kind: bombs, absurd sizes, other files, entities, programs in a pickle, millions of cells.
_NAMES = (
    "dicom-rows", "dicom-deflated-bomb", "dicom-rle-bomb", "png-bomb", "gif-frames", "gzip-bomb",
    "nifti-dims", "zip-flat-bomb", "zip-traversal", "pickle", "wfdb-passwd", "xml-laughs", "xml-many",
    "matlab-bomb", "csv-columns", "csv-rows", "csv-one-line", "xlsx-wide", "xlsx-strings-bomb",
    "parquet-bomb",
)  # fmt: skip
_CASES = {case.name: case for case in (*dicom.CASES, *pictures.CASES, *signals.CASES, *tables.CASES)}


def rows() -> Iterator[Row]:
    """Yield a row a file: the most that the server held until it was refused, and what it kept."""
    with started() as server, browser() as chromium:
        page = chromium.new_page()
        for address in sample_addresses(server):
            analyse(page, address)
        page.close()
        idle = server.memory_mb()
        if idle is None:
            yield missing("memory under hostile files", "this system does not tell the memory of a process")
            return
        for name in _NAMES:
            yield _row(server, chromium, _CASES[name], idle)
        time.sleep(_SESSIONS_END_S)
        page = chromium.new_page()  # Streamlit lets go of ended sessions when another one ends
        page.goto(server.url, timeout=_PATIENCE_MS)
        page.get_by_role("button", name="Remove my data").wait_for(timeout=_PATIENCE_MS)
        page.close()
        time.sleep(_LEAVE_S)
        yield Row(
            name="after all of them, their sessions ended",
            ours=f"{(server.memory_mb() or 0) - idle:+,.0f} MB",
            reference=f"{idle:,.0f} MB idle, with every model that ships loaded",
        )


def _row(server: Server, chromium: Any, case: Case, idle: float) -> Row:
    context = chromium.new_context()
    with PeakMemory(server.process.pid) as memory, tempfile.TemporaryDirectory() as folder:
        said = _refusal(context.new_page(), server, case, Path(folder))
        kept = (server.memory_mb() or 0) - idle
    context.close()
    is_refused = re.search(case.reason, said, re.IGNORECASE) is not None
    above = memory.peak - idle
    return Row(
        name=f"hostile: {case.name}",
        ours=f"{above:+,.0f} MB at most, {kept:+,.0f} MB once refused",
        target=f"refused, at most {_MOST_MB:.0f} MB above idle",
        check="refused" if is_refused else f"said: {said[:60]}",
        verdict="met" if is_refused and above <= _MOST_MB else "missed",
    )


def _refusal(page: Any, server: Server, case: Case, folder: Path) -> str:
    """Bring the files of a case to its page; return what the page says of them."""
    paths = []
    for upload in case.uploads():
        path = folder / upload.name
        path.write_bytes(upload.data)
        paths.append(path)
    address = f"{server.url}/{_PAGES.get(case.reader, _TABLES)}"
    page.goto(address, timeout=_PATIENCE_MS, wait_until="commit")
    widget = page.get_by_test_id("stFileUploader").first
    with page.expect_file_chooser(timeout=_PATIENCE_MS) as chooser:
        widget.locator("button", has_text="Upload").first.click(timeout=_PATIENCE_MS)
    chooser.value.set_files(paths)
    said = page.get_by_role("alert").first
    said.wait_for(timeout=_PATIENCE_MS)
    return str(said.inner_text())
