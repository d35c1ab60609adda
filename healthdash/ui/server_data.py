"""Labelled data that lie on this machine already, below folders that its settings allow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from healthdash import settings
from healthdash.errors import InvalidInput
from healthdash.task import Task, Upload
from healthdash.ui import problems

__all__ = ["OnServer", "allowed", "choose", "drop"]

_KEY = "train:server"


@dataclass(frozen=True, slots=True)
class OnServer(Upload):
    """Data that were named in the place of an upload; `data` only tells them from others."""

    path: Path = Path()


def drop() -> None:
    """Forget the folder or file that was named."""
    st.session_state[_KEY] = ""


def choose(task: Task, given: Callable[[], None]) -> OnServer | Upload | None:
    """Ask for a folder or file of this machine, where the settings allow any; None without one.

    Of a table the file itself is read, as if it had been uploaded. `given` is called when one is named.
    """
    folders = settings.current().data_folders
    if not folders:
        return None
    named = st.text_input(
        "Or a folder or file of the server", key=_KEY, on_change=given,
        placeholder=f"{folders[0]}/…", help=f"Below: {', '.join(str(one) for one in folders)}.",
    )  # fmt: skip
    if not named.strip():
        return None
    try:
        path = allowed(Path(named.strip()), folders)
    except InvalidInput as error:
        problems.tell(error)
        return None
    if task.kind == "records":
        if path.is_file():
            return Upload(f"data{path.suffix.lower()[:8]}", path.read_bytes())
        st.warning("Name the file of the table, or the zip file of its parts.", icon=":material/warning:")
        return None
    mark = hashlib.sha256(f"{path} {path.stat().st_mtime_ns}".encode()).hexdigest()
    return OnServer("server", mark.encode(), path=path)


def allowed(path: Path, folders: tuple[Path, ...]) -> Path:
    """Return the true place of a folder or file that lies below an allowed folder.

    Raises
    ------
    InvalidInput
        It lies elsewhere, also by way of a link, or is not there; which of these is not told.
    """
    found = path.resolve()
    if not any(found.is_relative_to(folder.resolve()) for folder in folders) or not found.exists():
        raise InvalidInput(
            "expected a folder or file below those that this server allows",
            hint="Ask whoever runs the server (setting HEALTHDASH_DATA_FOLDERS), or upload the data.",
        )
    return found
