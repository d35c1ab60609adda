"""What can be set from outside, read once from the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from healthdash.errors import InputError

__all__ = ["REPOSITORY", "Settings", "current"]

#: Folder above the library: it holds the models that ship, and is where a child process finds the library.
REPOSITORY = Path(__file__).resolve().parent.parent
_PATHS = tuple(f"HEALTHDASH_{name}" for name in ("MODELS", "HOME", "DATA", "WEIGHTS"))
_LISTS = ("HEALTHDASH_DATA_FOLDERS",)


@dataclass(frozen=True, slots=True)
class Settings:
    """Folders and limits of this process.

    Attributes
    ----------
    shipped_models : Path
        Bundles that come with the repository, one folder a task.
    home : Path
        The user's own folder: trained bundles live in ``home / "models"``.
    max_upload_mb : int, mebibyte
        Larger uploads are refused before they are parsed.
    threads : int
        Threads that TensorFlow may use; 0 leaves the choice to TensorFlow.
    database_url : str
        Where the training runs are listed (``HEALTHDASH_DATABASE_URL``, such as
        "postgresql://user:password@host/name"); empty: an SQLite file in `home`.
    runs_at_once : int
        Training runs that may go on beside each other (``HEALTHDASH_RUNS_AT_ONCE``); others wait.
    data_folders : tuple of Path
        Folders of this machine below which people may name labelled data in the place of an upload
        (``HEALTHDASH_DATA_FOLDERS``, separated as in ``PATH``); none: uploads only.
    ray_address : str
        A Ray cluster that trains and predicts in the place of this machine (``HEALTHDASH_RAY_ADDRESS``,
        such as "auto" or "ray://host:10001"); empty: none.
    ray_workers : int
        Workers of the cluster on which `train` spreads each single network (``HEALTHDASH_RAY_WORKERS``).
    weights_folder : Path or None
        Where files of weights lie from which a training may begin (``HEALTHDASH_WEIGHTS``); None: in `home`.
    read_apart : bool
        Whether uploads are read in processes of their own (``HEALTHDASH_APART``, 0 turns it off).
    read_seconds : float, seconds
    read_memory_mb, read_answer_mb : int, mebibyte
        Time and memory that reading one upload may take, and what may come of it
        (``HEALTHDASH_READ_SECONDS``, ``HEALTHDASH_READ_MEMORY_MB``, ``HEALTHDASH_READ_ANSWER_MB``).
    """

    shipped_models: Path
    home: Path
    max_upload_mb: int
    threads: int
    database_url: str = field(default="", repr=False)
    runs_at_once: int = 1
    data_folders: tuple[Path, ...] = ()
    weights_folder: Path | None = None
    ray_address: str = ""
    ray_workers: int = 1
    read_apart: bool = True
    read_seconds: float = 10.0
    read_memory_mb: int = 2048
    read_answer_mb: int = 256

    @property
    def own_models(self) -> Path:
        """Folder of the bundles that the user trained."""
        return self.home / "models"

    @property
    def weights(self) -> Path:
        """Folder of the weights of known networks."""
        return self.weights_folder or self.home / "weights"

    @property
    def runs(self) -> Path:
        """Folder of the training runs: a folder each, and the list of them."""
        return self.home / "runs"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; every one of them has a default.

        Raises
        ------
        InputError
            One that is a number is none, or is too low.
        """
        return cls(
            shipped_models=Path(environment.get("HEALTHDASH_MODELS", REPOSITORY / "models")),
            home=Path(environment.get("HEALTHDASH_HOME", Path.home() / ".healthdash")),
            max_upload_mb=_whole(environment, "HEALTHDASH_MAX_UPLOAD_MB", 200, low=1),
            threads=_whole(environment, "HEALTHDASH_THREADS", 0),
            database_url=environment.get("HEALTHDASH_DATABASE_URL", ""),
            ray_address=environment.get("HEALTHDASH_RAY_ADDRESS", ""),
            ray_workers=max(1, _whole(environment, "HEALTHDASH_RAY_WORKERS", 1)),
            runs_at_once=max(1, _whole(environment, "HEALTHDASH_RUNS_AT_ONCE", 1)),
            data_folders=tuple(
                Path(one) for one in environment.get("HEALTHDASH_DATA_FOLDERS", "").split(os.pathsep) if one
            ),
            read_apart=environment.get("HEALTHDASH_APART", "1") != "0",
            read_seconds=_number(environment, "HEALTHDASH_READ_SECONDS", 10),
            read_memory_mb=_whole(environment, "HEALTHDASH_READ_MEMORY_MB", 2048, low=1),
            read_answer_mb=_whole(environment, "HEALTHDASH_READ_ANSWER_MB", 256, low=1),
            weights_folder=Path(weights) if (weights := environment.get("HEALTHDASH_WEIGHTS")) else None,
        )


def _number(environment: Mapping[str, str], name: str, default: float, *, low: float = 0) -> float:
    """Return a setting that is a finite number of at least `low`."""
    told = environment.get(name) or str(default)
    try:
        value = float(told)
    except ValueError:
        value = math.nan
    if not low <= value < math.inf:
        raise _wrong(name, f"a number from {low:g} on", told)
    return value


def _whole(environment: Mapping[str, str], name: str, default: int, *, low: int = 0) -> int:
    """Return a setting that is a whole number of at least `low`."""
    told = environment.get(name) or str(default)
    try:
        value = int(told)
    except ValueError:
        value = low - 1
    if value < low:
        raise _wrong(name, f"a whole number from {low} on", told)
    return value


def _wrong(name: str, expected: str, told: str) -> InputError:
    return InputError(
        f"setting {name}: expected {expected}, got {told!r}", hint="docs/settings.md lists the settings."
    )


@lru_cache(maxsize=1)
def current() -> Settings:
    """Return the settings of this process.

    Relative paths of the environment are made absolute in it: a process that we start inherits them, and may
    work in another folder.
    """
    for name in (*_PATHS, *_LISTS):
        if told := os.environ.get(name):
            paths = told.split(os.pathsep) if name in _LISTS else [told]
            whole = (str(Path(path).expanduser().absolute()) for path in paths if path)
            os.environ[name] = os.pathsep.join(whole)
    return Settings.from_environment(os.environ)
