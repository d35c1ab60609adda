"""Volumes of neuroimaging: NIfTI 1 and 2, Analyze pairs, MGH and MINC, through nibabel."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload

from .geometry import slant_in_words
from .moments import parts_in_words
from .sample import Stored
from .turning import as_read
from .volume import VolumeSample

__all__ = ["is_header_of_pair", "is_volume", "read"]

_NIFTI_1_BYTES, _NIFTI_2_BYTES = 348, 540
_MAGIC_AT = 344
_MINC_1 = (b"CDF\x01", b"CDF\x02")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MGH = b"\x00\x00\x00\x01\x00\x00"
_MOST_BYTES = 1 << 30
#: Air and bone of a CT in HU; scans of no other kind reach both so neatly.
_AIR_HU, _LOWEST_HU, _BONE_HU, _HIGHEST_HU = -900, -3100, 200, 33_000
# Of a CT more is air than lies between it and fat, where only lungs are, and some is soft tissue. Phases,
# speeds and fields of an MR reach as far, but lie evenly or round 0.
_FAT_HU, _SOFT_HU = -300, (-200, 200)
_LEAST_SOFT = 0.02
_UNITS_MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001}
_LOOKED_AT = 200_000
_HINT = "The file is damaged or cut off; export it again."


def is_volume(data: bytes) -> bool:
    """Say whether these bytes begin like NIfTI, Analyze, MGH or MINC."""
    return bool(_kind(data))


def is_header_of_pair(data: bytes) -> bool:
    """Say whether these bytes are a header whose voxels lie in a file of their own (.hdr and .img)."""
    return _kind(data) in ("NIfTI-1 pair", "NIfTI-2 pair", "Analyze")


def read(data: bytes, source: str, voxels: bytes | None = None, part: int = 0) -> VolumeSample:
    """Read a volume.

    Parameters
    ----------
    voxels : bytes or None
        The other file of a pair (.img).
    part : int
        Which of several volumes (in time, or several measures), from 0; too large: the last.

    Raises
    ------
    UnreadableUpload
        The file is damaged, cut off, or its other half is missing.
    InvalidInput
        It is larger than can be held, or no volume.
    """
    kind = _kind(data)
    if is_header_of_pair(data) and voxels is None:
        raise UnreadableUpload(
            "expected the header and the voxels of a volume, got its header (.hdr) only",
            hint="Upload the .hdr and the .img file together.",
        )
    with _nibabel():
        picture = _opened(kind, data, voxels)
        _check_size(picture.shape, picture.get_data_dtype())
        parts = max(1, int(np.prod(picture.shape[3:])))
        part = min(part, parts - 1)
        inside, slope, intercept, held = _voxels(kind, picture, part)
        sample = _sample(source, kind, picture, inside, slope, intercept, held)
    words = () if parts == 1 else (parts_in_words(parts, part),)
    return replace(sample, parts=parts, part=part, notices=(*words, *sample.notices))


def _kind(data: bytes) -> str:
    head = data[: _MAGIC_AT + 8]
    if head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c") and len(data) >= _NIFTI_1_BYTES:
        magic = head[_MAGIC_AT : _MAGIC_AT + 4]
        return {b"n+1\x00": "NIfTI-1", b"ni1\x00": "NIfTI-1 pair"}.get(magic, "Analyze")
    if head[:4] in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c") and len(data) >= _NIFTI_2_BYTES:
        return {b"n+2": "NIfTI-2", b"ni2": "NIfTI-2 pair"}.get(head[4:7], "")
    if head.startswith(_MGH) and len(data) >= 284:
        return "MGH"
    if head.startswith(_MINC_1) and b"minc" in data[: 1 << 16].lower():
        return "MINC-1"
    return "MINC-2" if head.startswith(_HDF5) and b"minc-2.0" in data[: 1 << 16] else ""


@contextmanager
def _nibabel() -> Iterator[None]:
    """Translate what nibabel, SciPy's NetCDF and h5py raise."""
    try:
        yield
    except HealthdashError:
        raise
    except Exception as error:  # many classes, most of them built in
        raise UnreadableUpload("expected a whole volume, got a damaged or cut-off one", hint=_HINT) from error


def _opened(kind: str, data: bytes, voxels: bytes | None) -> Any:
    import nibabel  # loaded where it is needed: it takes longer than a small volume

    classes = {
        "NIfTI-1": nibabel.Nifti1Image, "NIfTI-1 pair": nibabel.Nifti1Pair,
        "NIfTI-2": nibabel.Nifti2Image, "NIfTI-2 pair": nibabel.Nifti2Pair,
        "Analyze": nibabel.Spm99AnalyzeImage, "MGH": nibabel.MGHImage,
        "MINC-1": nibabel.Minc1Image,
    }  # fmt: skip
    if kind == "MINC-2":
        return _minc_2(data)
    made = classes[kind].make_file_map()
    made["image"].fileobj = io.BytesIO(data if voxels is None else voxels)
    if "mat" in made:  # of SPM, never uploaded
        made["mat"].fileobj = io.BytesIO()
    if "header" in made:
        made["header"].fileobj = io.BytesIO(data)
    return classes[kind].from_file_map(made)


def _minc_2(data: bytes) -> Any:
    """Open MINC 2, which is HDF5, from bytes; nibabel's own way wants a file name."""
    import h5py
    from nibabel.minc2 import Minc2File, Minc2Image

    opened = h5py.File(io.BytesIO(data), "r")
    _check_links(opened)
    inside = Minc2File(opened)
    header = Minc2Image.header_class(inside.get_data_dtype(), inside.get_data_shape(), inside.get_zooms())
    return Minc2Image(Minc2Image.ImageArrayProxy(inside), inside.get_affine(), header)


def _check_links(opened: Any) -> None:
    """An HDF5 file may name other files, which are never opened for it (CVE-2026-1669)."""
    import h5py

    def is_elsewhere(name: str, link: Any) -> bool | None:  # None goes on; nothing may be raised here
        if not isinstance(link, h5py.HardLink):
            return isinstance(link, h5py.ExternalLink) or None
        item = opened[name]
        return (isinstance(item, h5py.Dataset) and bool(item.external or item.is_virtual)) or None

    if opened.visititems_links(is_elsewhere):
        raise InvalidInput("the file refers to another file, which is not opened", hint=_HINT)


def _check_size(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    size = int(np.prod([int(side) for side in shape], dtype=object)) * dtype.itemsize
    if len(shape) < 2 or min(shape) < 1:
        raise InvalidInput("expected a volume of two or three dimensions, got none", hint=_HINT)
    if size > _MOST_BYTES:
        raise InvalidInput(
            f"expected a volume of at most {_MOST_BYTES >> 20} MB, got more", hint="Cut it into parts."
        )


def _voxels(kind: str, picture: Any, part: int) -> tuple[NDArray[Any], float, float, Stored]:
    """Return voxels (x, y, z) or (x, y, z, 3), slope and intercept, and what the whole file holds.

    MINC scales each slice in its own way, so its voxels come scaled.
    """
    proxy, slope, intercept = picture.dataobj, 1.0, 0.0
    if kind.startswith("MINC"):
        image = proxy.minc_file._image
        every, raw = np.asarray(proxy), np.asarray(image.data if kind == "MINC-1" else image)
    else:
        every = raw = np.asarray(proxy.get_unscaled() if hasattr(proxy, "get_unscaled") else proxy)
        slope, intercept = float(getattr(proxy, "slope", 1.0)), float(getattr(proxy, "inter", 0.0))
    is_colour = every.dtype.names is not None  # RGB24 and RGBA32 of NIfTI
    if is_colour:
        every = raw = np.stack([every[name] for name in "RGB"], axis=-1)
    elif every.dtype.kind == "c":
        every = raw = np.abs(every)
    held = _stored(raw)
    extra = every.ndim - 3 - is_colour
    if extra > 0:  # several volumes
        every = every[(slice(None),) * 3 + np.unravel_index(part, every.shape[3 : 3 + extra])]
    elif every.ndim - is_colour == 2:
        every = every[:, :, None]
    return _plain_type(every), slope, intercept, held


def _stored(raw: NDArray[Any]) -> Stored:
    finite = raw[np.isfinite(raw)] if raw.dtype.kind == "f" else raw
    if not finite.size:
        raise InvalidInput("expected a volume with values, got none that is a number", hint=_HINT)
    dtype = str(raw.dtype.newbyteorder("="))
    return Stored(raw.shape, dtype, float(finite.min()), float(finite.max()))


def _plain_type(voxels: NDArray[Any]) -> NDArray[Any]:
    """Return the same values in the smallest of the types that a volume has."""
    if voxels.dtype.kind == "f":
        return np.nan_to_num(voxels.astype(np.float32), posinf=0.0, neginf=0.0)
    if voxels.dtype.itemsize > 4:
        return voxels.astype(np.int32 if np.abs(voxels).max(initial=0) < 1 << 31 else np.float32)
    return voxels.astype(np.uint8 if voxels.dtype == bool else voxels.dtype.newbyteorder("="))


def _sample(
    source: str, kind: str, picture: Any, voxels: NDArray[Any], slope: float, intercept: float, held: Stored
) -> VolumeSample:  # fmt: skip
    unit, unit_mm = _unit_of_length(kind, picture)
    turned = as_read(voxels, np.diag([unit_mm] * 3 + [1.0]) @ np.asarray(picture.affine, np.float64))
    is_known = _says_directions(kind, picture)
    has_spacing = _are_lengths(turned.spacing_mm)
    notices = [*_notices(is_known), *(slant_in_words(turned.steps_mm) if has_spacing else ())]
    if unit_mm != 1:
        notices.append(f"The file tells lengths in {unit}; they are shown in mm.")
    is_ct = turned.voxels.ndim == 3 and _looks_like_ct(turned.voxels, slope, intercept)
    if is_ct:
        notices.append("The values look like Hounsfield units and are read as such; the file does not say.")
    slices = len(turned.voxels)
    return VolumeSample(
        source=source,
        kind="volume",
        format=kind,
        notices=tuple(notices),
        voxels=turned.voxels,
        stored=held,
        slopes=np.full(slices, slope),
        intercepts=np.full(slices, intercept),
        unit="HU" if is_ct else "grey value",
        spacing_mm=turned.spacing_mm if has_spacing else None,
        steps_mm=turned.steps_mm if has_spacing else None,
        stored_spacing_mm=_spacing([unit_mm * zoom for zoom in picture.header.get_zooms()]),
        positions_mm=np.arange(slices, dtype=np.float64) * turned.spacing_mm[0] + turned.start_mm,
        directions=turned.directions if is_known else ("", "", ""),
        affine=turned.affine if is_known else None,
        colours=turned.voxels.ndim == 4,
        full_scale=(0.0, 255.0) if turned.voxels.ndim == 4 else None,
        facts=(("Kind", kind), ("Size", " x ".join(map(str, held.shape)))),
    )


def _unit_of_length(kind: str, picture: Any) -> tuple[str, float]:
    """Return the unit of length of a file, and how many mm it is; NIfTI alone says another one than mm."""
    named = picture.header.get_xyzt_units()[0] if kind.startswith("NIfTI") else ""
    return named, _UNITS_MM.get(named, 1.0)


def _spacing(zooms: Sequence[float]) -> tuple[float, ...] | None:
    """Return the spacing of the first three axes without the noise of single precision; None: it is none."""
    spacing = tuple(round(float(zoom), 6) for zoom in zooms[:3])
    return spacing if _are_lengths(spacing) else None


def _are_lengths(spacing: Sequence[float]) -> bool:
    return all(math.isfinite(length) and length > 0 for length in spacing)


def _says_directions(kind: str, picture: Any) -> bool:
    """NIfTI may leave both of its transforms undefined (codes 0); Analyze has none."""
    if kind == "Analyze":
        return False
    if not kind.startswith("NIfTI"):
        return True
    return bool(picture.header["sform_code"] > 0 or picture.header["qform_code"] > 0)


def _looks_like_ct(voxels: NDArray[Any], slope: float, intercept: float) -> bool:
    """Say whether values reach from air to bone, and lie as those of a body in air do."""
    low, high = float(voxels.min()) * slope + intercept, float(voxels.max()) * slope + intercept
    if not (_LOWEST_HU <= low <= _AIR_HU and _BONE_HU <= high <= _HIGHEST_HU):
        return False
    some = voxels.reshape(-1)[:: max(1, voxels.size // _LOOKED_AT)] * slope + intercept
    air, between = (some <= _AIR_HU).mean(), ((some > _AIR_HU) & (some < _FAT_HU)).mean()
    soft = ((some >= _SOFT_HU[0]) & (some <= _SOFT_HU[1])).mean()
    return bool(air >= between and soft >= _LEAST_SOFT)


def _notices(is_known: bool) -> Iterator[str]:
    if not is_known:
        yield "The file does not say how it lies in the patient: sides and plane are unknown."
