"""Labelled pictures from a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from healthdash.errors import InputError, InvalidInput, TooLittleData

from .manifest import fingerprint, inside, manifest_of
from .prepare import from_bytes, to_square

__all__ = ["LabelledPictures", "load_manifest"]

Reader = Callable[[Path], NDArray[np.float32]]

#: Names of labels in published data, and ours.
_SAME_LABEL = {"bacteria": "bacterial", "virus": "viral"}
_FINER_LABEL = "subtype"
_PARTS, _FEWEST_PARTS = 10, 3
_FEWEST_PICTURES = 12


@dataclass(frozen=True, kw_only=True)
class LabelledPictures:
    """Pictures as the network sees them, with their labels.

    Attributes
    ----------
    pictures : uint8 (n, size, size)
    labels : int64 (n,)
        Numbers into `names`.
    names : tuple of str
    groups : str array (n,)
        Patient of each picture, or another unit that must not be split.
    series : str array (n,)
        What the file's name begins with: pictures of one acquisition series.
    fingerprint : str
        sha256 of the manifest, to recognise published data.
    title : str
        Name of the folder.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    groups: NDArray[np.str_]
    series: NDArray[np.str_]
    fingerprint: str
    title: str

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def parts(self) -> int:
        """In how many parts the groups are cut: ten, or as many as the rarest label has groups."""
        present = np.unique(self.labels)
        fewest = min(len(np.unique(self.groups[self.labels == label])) for label in present)
        return int(min(_PARTS, max(_FEWEST_PARTS, fewest)))

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The pictures as network input, float32 (n, size, size, 1), 0 to 1."""
        return from_bytes(self.pictures[..., None])


def load_manifest(
    folder: Path,
    size: int,
    read_pixels: Reader,
    order: Sequence[str] = (),
) -> LabelledPictures:
    """Read every picture that a manifest lists.

    Parameters
    ----------
    folder : Path
        Holds `manifest.csv`: columns path and label; group (the patient), if there is one;
        subtype, if there is one, is a finer label and taken instead. Or one folder a label.
    size : int
        Height and width of the network's input.
    read_pixels : function of a path
        Returns float32 (height, width), 0 black to 1 white.
    order : sequence of str
        Labels in the order that the network must have; other labels follow, sorted.

    Raises
    ------
    InvalidInput
        The manifest is unsound, a path leaves the folder, or a picture cannot be read.
    TooLittleData
        There are fewer than 12 pictures, or only one label.
    """
    table = manifest_of(folder)
    labels = table[_FINER_LABEL if _FINER_LABEL in table else "label"].replace(_SAME_LABEL)
    names = _ordered(sorted(labels.unique()), order)
    _check_enough(table, names)
    paths = [inside(folder, path) for path in table["path"]]
    return LabelledPictures(
        pictures=_squares(paths, size, read_pixels),
        labels=np.array([names.index(label) for label in labels], np.int64),
        names=names,
        groups=table["group"].to_numpy(str),
        series=np.array([_series(path.stem) for path in paths]),
        fingerprint=fingerprint(folder, table),
        title=folder.name,
    )


def _squares(paths: Sequence[Path], size: int, read_pixels: Reader) -> NDArray[np.uint8]:
    """Read pictures as bytes, as published ones are stored."""
    squares = np.zeros((len(paths), size, size), np.uint8)
    for number, path in enumerate(paths):
        try:
            grey = read_pixels(path)
        except InputError as error:
            raise InvalidInput(f"picture {number + 1}: {error.message}", hint=error.hint) from error
        squares[number] = np.rint(to_square(grey, size)[0, :, :, 0] * 255)
    return squares


def _ordered(found: Sequence[str], order: Sequence[str]) -> tuple[str, ...]:
    known: Mapping[str, int] = {name: i for i, name in enumerate(order)}
    return tuple(sorted(found, key=lambda name: (known.get(name, len(known)), name)))


def _check_enough(table: pd.DataFrame, names: Sequence[str]) -> None:
    if len(table) < _FEWEST_PICTURES or len(names) < 2:
        raise TooLittleData(
            f"expected at least {_FEWEST_PICTURES} pictures of two labels, got {len(table)} of {len(names)}",
            hint="Add pictures, or labels.",
        )


def _series(stem: str) -> str:
    """Return the letters that a file's name begins with: NORMAL2-IM, person, benign."""
    return stem.rstrip("0123456789-_.").split("_")[0].rstrip("0123456789-")
