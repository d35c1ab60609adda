"""Take a bundle from outside: checked before loading, tried in a child process, and only then kept."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from healthdash import bundles, settings, tasks
from healthdash.bundle_folder import FILES
from healthdash.bundles import Bundle, BundleInfo
from healthdash.errors import RefusedModel
from healthdash.training.card import render_card

from . import arrays, child, container, documents, network_file
from .documents import Documents

__all__ = ["accept", "checked"]

#: A child that imports TensorFlow on a busy machine takes a minute before it begins.
_WALL_S = 400.0
_TRIAL = "healthdash.exchange.trial"
_TOLD = ("Checking the files", "Trying the model in a process of its own", "Keeping it")


def accept(data: bytes, on_step: Callable[[str], object] = lambda _: None) -> Bundle:
    """Check a bundle's archive, try the model, and keep it among the user's models.

    Nothing of it is loaded in this process; the card is written anew from what the bundle holds, so that
    no text of a stranger is shown that was not checked.

    Parameters
    ----------
    data : bytes
        The zip archive of a bundle, as `outgoing` writes it.
    on_step : function of str
        Told what is done now, in words.

    Returns
    -------
    Bundle
        In the user's models; under another name where the task has a model of that name.

    Raises
    ------
    RefusedModel
        By the name of the reason.
    ModelMismatch
        The format is newer than this version reads.
    UnknownModel
        There is no such task here.
    """
    on_step(_TOLD[0])
    files, found = checked(data)
    root = settings.current().home / "incoming"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=root))
    try:
        _write(folder, files, found, found.info)
        on_step(_TOLD[1])
        _try(folder)
        on_step(_TOLD[2])
        return _kept(folder, files, found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def checked(data: bytes) -> tuple[Mapping[str, bytes], Documents]:
    """Do every check that loads nothing; return the files and the parsed texts."""
    files = container.opened(data)
    found = documents.checked(files)
    task = tasks.get(found.info.task)
    if not task.is_generic and found.info.labels != tuple(task.labels):
        raise RefusedModel("its labels", f"expected those of the task {task.slug}, in its order")
    arrays.check(files["background.npz"], found.info.inputs, max(found.golden.background_rows))
    network_file.check_configuration(files["model.keras"])
    return files, found


def _try(folder: Path) -> None:
    """Let a child process load the model and answer its golden inputs."""
    try:
        told = child.run(_TRIAL, [str(folder)], wall_s=_WALL_S)
    except child.OverBounds as error:
        raise RefusedModel("its time or memory", error.message) from error
    if told:
        raise RefusedModel(str(told["reason"]), str(told["detail"]))


def _kept(folder: Path, files: Mapping[str, bytes], found: Documents) -> Bundle:
    """Move a tried bundle to the user's models, in one step; a name that is taken gets a number."""
    root = settings.current().own_models / found.info.task
    root.mkdir(parents=True, exist_ok=True)
    taken = {bundle.name for bundle in bundles.available(found.info.task)}
    name = found.info.name
    for number in itertools.count(2):
        if name not in taken and not (root / name).exists():
            break
        name = f"{found.info.name}-{number}"
    _write(folder, files, found, found.info.model_copy(update={"name": name}))
    folder.chmod(0o755)
    folder.rename(root / name)
    return bundles.open_folder(root / name)


def _write(folder: Path, files: Mapping[str, bytes], found: Documents, info: BundleInfo) -> None:
    """Write a bundle's files; the card and the description are our own writing of what was parsed."""
    card = render_card(info.model_dump(mode="json"), found.evaluation)
    ours = {"bundle.json": info.model_dump_json(indent=1).encode(), "card.md": card.encode()}
    for name in FILES:
        (folder / name).write_bytes(ours.get(name, files[name]))
