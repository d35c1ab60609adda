"""One pass over a set of own pictures: what each file holds, and the picture as a network takes it."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from healthdash.apart import blocks
from healthdash.datasets.listing import PEOPLE, Listing, below, listed
from healthdash.datasets.survey import OnProgress, Survey
from healthdash.errors import HealthdashError, InputError, InvalidInput
from healthdash.task import Upload

from . import dicom, read
from .own_store import PictureStore
from .prepare import to_square
from .sample import Document, ImageSample, model_view
from .shortcuts import statistics
from .volume import middle_picture

__all__ = ["SIZE", "colour_square", "list_pictures", "survey_pictures"]

#: Height and width that pictures are brought to where nobody chooses.
SIZE = 128
#: Share of coloured pictures from which all are taken in colour.
_LEAST_COLOURED = 0.05
_ENDINGS = (
    ".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".gz",
)  # fmt: skip
_SNIFFED = 4096
_STATISTICS_SIDE, _SIGNATURE_SIDE, _SIGNATURE_BOX = 128, 32, 7
#: Correlation of what is left of two thumbnails without their slow changes.
_ALIKE = 0.95
_SMALLEST_SPREAD = 0.01
#: Header entries that name or point to a person (DICOM PS3.15 table E.1-1, those most often left in).
_NAMING = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "OtherPatientIDs", "AccessionNumber",
    "ReferringPhysicianName", "InstitutionName", "StudyDate", "OperatorsName",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one file holds; without arrays where it cannot be used, with the reason."""

    reason: str = ""
    hint: str = ""
    content: str = ""
    traits: Mapping[str, str] = field(default_factory=dict)
    grey: NDArray[np.uint8] | None = None
    colours: NDArray[np.uint8] | None = None
    statistics: NDArray[np.float32] | None = None
    signature: NDArray[np.float32] | None = None
    is_blank: bool = False
    naming: tuple[str, ...] = ()
    patient: str = ""


def list_pictures(folder: Path, target: str | None) -> Listing:
    """Find the pictures of a folder and the label of each.

    Raises
    ------
    InvalidInput
        There are none, or neither a table nor a folder a label.
    """
    files = below(folder)
    items = [path for path in files if _may_be_picture(folder, path)]
    return listed(folder, items, sorted(set(files) - set(items)), target, unit="picture")


def survey_pictures(
    listing: Listing, size: int, on_progress: OnProgress | None = None
) -> tuple[Listing, Survey, PictureStore]:
    """Look at every picture once.

    Parameters
    ----------
    size : int
        Height and width for the network.

    Returns
    -------
    listing : Listing
        With the patients that file headers name, where they do.
    survey : Survey
    store : PictureStore
        The pictures, in the order of `listing.files`.
    """
    files = listing.files
    store = PictureStore(len(files), size)
    seen: list[_Seen] = []
    for number, one in enumerate(_looked_at(listing.folder, files, size)):
        if one.grey is not None:
            store.put(number, one.grey, one.colours)
        seen.append(_without_pictures(one))
        if on_progress is not None:
            on_progress((number + 1) / len(files))
    store.decide(_LEAST_COLOURED)
    return _with_patients(listing, seen), _survey(seen), store


def _may_be_picture(folder: Path, path: str) -> bool:
    ending = PurePosixPath(path).suffix.lower()
    if ending in _ENDINGS:
        return True
    if ending in (".csv", ".tsv", ".txt", ".xlsx", ".json", ".md"):
        return False
    with (folder / path).open("rb") as file:
        return read.recognises(Upload("", file.read(_SNIFFED)))


def _looked_at(folder: Path, files: Sequence[str], size: int) -> Iterator[_Seen]:
    """Yield what the files hold, in their order."""
    return blocks.looked_at(look_at, folder, files, size, failed=_unusable)


def look_at(folder: str, files: tuple[str, ...], size: int) -> tuple[_Seen, ...]:
    """Return what some files hold; called apart."""
    return tuple(_look(Path(folder) / path, size) for path in files)


def _look(path: Path, size: int) -> _Seen:
    try:
        upload = Upload.from_path(path)
        sample = read.read([Upload("", upload.data)])
        if isinstance(sample, Document):
            raise InvalidInput("a DICOM file without a picture", hint="")
        sample = middle_picture(sample)
    except InputError as error:
        return _unusable(error)
    except Exception as error:  # the reader has a hole; the other files are still looked at
        return _Seen(reason=f"the file could not be read ({type(error).__name__})")
    naming = _naming(upload.data)
    return _seen(sample, size, tuple(naming), naming.get("PatientID", ""))


def _unusable(error: HealthdashError) -> _Seen:
    return _Seen(reason=error.message, hint=error.hint)


def _seen(sample: ImageSample, size: int, naming: tuple[str, ...], patient: str) -> _Seen:
    whole = model_view(sample)
    square = to_square(whole, _STATISTICS_SIDE)[0, ..., 0]
    figures = statistics(_bytes(square)[None])[0]
    return _Seen(
        content=_content(sample),
        traits=_traits(sample, figures),
        grey=_bytes(to_square(whole, size)[0, ..., 0]),
        colours=None if sample.colours is None else colour_square(sample.colours, size),
        statistics=figures,
        signature=_signature(square),
        is_blank=float(square.std()) < _SMALLEST_SPREAD,
        naming=naming,
        patient=patient,
    )


def _without_pictures(one: _Seen) -> _Seen:
    """Return what is kept of every file; its pictures are in the store."""
    return replace(one, grey=None, colours=None)


def _traits(sample: ImageSample, figures: NDArray[np.float32]) -> dict[str, str]:
    height, width = sample.pixels.shape
    return {
        "file format": sample.format,
        "width": str(width),
        "height": str(height),
        "stored values": sample.stored.dtype,
        "colours": "grey" if sample.colours is None else "colour",
        "modality": sample.modality or "not told",
        "brightness": f"{figures[0]:.4f}",
        "contrast": f"{figures[1]:.4f}",
        "sharpness": f"{figures[-5]:.4f}",
    }


def _content(sample: ImageSample) -> str:
    values = sample.pixels if sample.colours is None else sample.colours
    found = hashlib.sha256(repr((values.shape, sample.invert)).encode())
    found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _signature(square: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the fine structure of a picture, of mean 0 and length 1: what is left of a thumbnail
    without its slow changes, for all pictures of one part of the body are alike in these.
    """
    thumbnail = Image.fromarray(square).resize((_SIGNATURE_SIDE, _SIGNATURE_SIDE), Image.Resampling.BOX)
    small = np.asarray(thumbnail, np.float32)
    fine = (small - uniform_filter(small, _SIGNATURE_BOX)).ravel()
    fine = fine - fine.mean()
    length = float(np.linalg.norm(fine))
    return np.asarray(fine / length if length > _SMALLEST_SPREAD else np.zeros_like(fine), np.float32)


def colour_square(colours: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return colours (height, width, 3) squashed to (size, size, 3)."""
    resized = Image.fromarray(colours).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(resized, np.uint8)


def _bytes(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)


def _naming(data: bytes) -> dict[str, str]:
    """Return the header entries of a DICOM file that name a person, and what they say."""
    if not dicom.is_dicom(data):
        return {}
    import pydicom

    try:
        header = pydicom.dcmread(
            io.BytesIO(data), stop_before_pixels=True, specific_tags=list(_NAMING), force=True
        )
        return {name: text for name in _NAMING if (text := str(header.get(name) or "").strip())}
    except Exception:  # a damaged header names nobody that can be read
        return {}


def _with_patients(listing: Listing, seen: Sequence[_Seen]) -> Listing:
    """Add the column of the patients that headers name, where it tells files apart."""
    patients = np.append(np.asarray([one.patient for one in seen], object), "")
    names = patients[listing.file_of]
    if not 1 < len(set(names) - {""}) < len(names):
        return listing
    return replace(listing, frame=listing.frame.assign(**{PEOPLE: names}))


def _survey(seen: Sequence[_Seen]) -> Survey:
    nothing = np.zeros(_SIGNATURE_SIDE**2, np.float32)
    width = next((len(one.statistics) for one in seen if one.statistics is not None), 0)
    unknown = np.full(width, np.nan, np.float32)
    return Survey(
        unit="picture",
        reasons=np.asarray([one.reason for one in seen], np.str_),
        contents=np.asarray([one.content for one in seen], np.str_),
        signatures=np.stack([nothing if one.signature is None else one.signature for one in seen]),
        alike=_ALIKE,
        traits=pd.DataFrame([dict(one.traits) for one in seen]).fillna("").astype(object),
        statistics=np.stack([unknown if one.statistics is None else one.statistics for one in seen]),
        faults={"blank": np.asarray([one.is_blank for one in seen], bool)},
        identifying=dict(Counter(name for one in seen for name in one.naming)),
        hints={one.reason: one.hint for one in seen if one.hint},
    )
