"""What a generative network makes while it learns: small files beside the history of the run.

A look is two files in the folder `samples`, named by the epoch: `00012.npz` (no pickle) with

``items``   float32 (m, *shape), in the unit of the items; rows hold numbers, and codes as 1, 2, ...
``labels``  int64 (m,), places in the names of the labels
``told``    JSON as bytes: {"format": 1, "epoch", "kind": "row|picture|signal", "labels": [...], "run",
            "columns": [{"name", "kind", "values"?}]}

and, of pictures and signals, `00012.png`: a line of pictures or traces for each label. No item in it is
one of a patient: all were made by the network.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from healthdash.training import checkpoint

__all__ = ["FOLDER", "Look", "folder", "kept_in", "looks", "read", "write"]

#: Name of the folder, in that of the run.
FOLDER = "samples"
_FORMAT = 1
_CELL, _GAP = 96, 4
_TRACE_WIDTH, _TRACE_HEIGHT = 192, 72
_LINE = ((31, 119, 180), (214, 39, 40), (44, 160, 44))

Floats = NDArray[np.float32]
_folder: ContextVar[Path | None] = ContextVar("samples", default=None)


@dataclass(frozen=True, eq=False)
class Look:
    """What a network made in one epoch; see the module for the file.

    Attributes
    ----------
    items : float32 (m, *shape)
    truth : int64 (m,)
        The label that each was made for.
    columns : sequence of dict
        Of rows: name and kind of each column, with its values where it holds codes.
    """

    epoch: int
    kind: str
    labels: tuple[str, ...]
    items: Floats
    truth: NDArray[np.int64]
    columns: Sequence[Mapping[str, Any]] = ()
    run: str = ""


@contextmanager
def kept_in(path: Path | None) -> Iterator[None]:
    """Let every generative network inside write what it makes into a folder; None writes nothing."""
    entered = _folder.set(path)
    try:
        yield
    finally:
        _folder.reset(entered)


def folder() -> Path | None:
    """Return where looks are written; None writes none."""
    return _folder.get()


def write(look: Look) -> None:
    """Write a look; of several networks (folds, members) only the first one's are kept."""
    place = _folder.get()
    if place is None:
        return
    place.mkdir(parents=True, exist_ok=True)
    known = looks(place)
    if known and read(place, known[0]).run != look.run:
        return
    columns = [{k: one[k] for k in ("name", "kind", "values") if k in one} for one in look.columns]
    told = {"format": _FORMAT, "epoch": look.epoch, "kind": look.kind, "labels": list(look.labels),
            "run": look.run, "columns": columns}  # fmt: skip
    with checkpoint.written(_file(place, look.epoch, "npz")) as partial, partial.open("wb") as opened:
        np.savez_compressed(
            opened,
            items=look.items,
            labels=look.truth,
            told=np.frombuffer(json.dumps(told).encode(), np.uint8),
        )
    if look.kind != "row":
        with checkpoint.written(_file(place, look.epoch, "png")) as partial:
            _drawn(look).save(partial, format="PNG")


def looks(place: Path) -> list[int]:
    """Return the epochs that were looked at, rising."""
    return sorted(int(file.stem) for file in place.glob("*.npz") if file.stem.isdigit())


def read(place: Path, epoch: int) -> Look:
    """Return a look.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        with np.load(_file(place, epoch, "npz"), allow_pickle=False) as stored:
            told = json.loads(stored["told"].tobytes())
            return Look(
                epoch=told["epoch"], kind=told["kind"], labels=tuple(told["labels"]), run=told["run"],
                columns=told["columns"], items=stored["items"], truth=stored["labels"],
            )  # fmt: skip
    except (KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError("expected the samples of a run, got a damaged file") from error


def picture(place: Path, epoch: int) -> Path | None:
    """Return the drawing of a look, where there is one."""
    file = _file(place, epoch, "png")
    return file if file.is_file() else None


def _file(place: Path, epoch: int, ending: str) -> Path:
    return place / f"{epoch:05d}.{ending}"


def _drawn(look: Look) -> Image.Image:
    """Return a sheet with a line for each label."""
    lines = [look.items[look.truth == number] for number in range(len(look.labels))]
    low, high = float(look.items.min()), float(look.items.max())
    draw = _cell if look.kind == "picture" else _trace
    cells = [[draw(item, low, max(high - low, 1e-6)) for item in line] for line in lines]
    width, height = next(cell.size for line in cells for cell in line)
    across = max(len(line) for line in cells)
    sheet = Image.new("RGB", (across * (width + _GAP), len(cells) * (height + _GAP)), "white")
    for down, line in enumerate(cells):
        for right, cell in enumerate(line):
            sheet.paste(cell, (right * (width + _GAP), down * (height + _GAP)))
    return sheet


def _cell(item: Floats, low: float, span: float) -> Image.Image:
    grey = np.clip(255 * (item - low) / span, 0, 255).astype(np.uint8)
    image = Image.fromarray(grey if grey.shape[-1] == 3 else grey[..., 0])
    scale = max(1, _CELL // max(image.size))
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST).convert("RGB")


def _trace(item: Floats, low: float, span: float) -> Image.Image:
    image = Image.new("RGB", (_TRACE_WIDTH, _TRACE_HEIGHT), (250, 250, 250))
    pen = ImageDraw.Draw(image)
    across = np.linspace(0, _TRACE_WIDTH - 1, len(item))
    for lead, values in enumerate(item.T[: len(_LINE)]):
        down = (_TRACE_HEIGHT - 5) * (1 - (values - low) / span) + 2
        pen.line(list(zip(across.tolist(), down.tolist(), strict=True)), fill=_LINE[lead], width=1)
    return image
