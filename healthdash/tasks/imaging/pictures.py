"""Pictures that are not DICOM: PNG, JPEG, TIFF, WebP, BMP and GIF, through Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload

from .colour import is_grey, luminance
from .png import deep_png
from .sample import ImageSample, Stored
from .tiff import exact_page, is_negative
from .volume import VolumeSample

__all__ = ["LARGEST_PICTURE", "is_picture", "read"]

#: Most pixels of one frame: a quarter more than a mammogram at full detail, and bounded memory.
LARGEST_PICTURE = 64_000_000
_MOST_FRAMES = 10_000
_MOST_KEPT_BYTES = 240 << 20
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
_MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00\x08\x00",  # BigTIFF
    b"MM\x00+\x00\x08",
    b"BM",
    b"GIF87a",
    b"GIF89a",
)
_GREY_MODES = ("L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def is_picture(data: bytes) -> bool:
    """Say whether these bytes begin like a picture that is read here."""
    is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    is_tiff_polyglot = data[128:132] == b"DICM"  # a DICOM file may carry a TIFF header in its preamble
    return (is_webp or data.startswith(_MAGIC)) and not is_tiff_polyglot


def read(data: bytes, source: str) -> ImageSample | VolumeSample:
    """Read a picture, or pages of one size as a stack; pages of several sizes give the largest.

    Raises
    ------
    UnreadableUpload
        The file is damaged or cut off.
    InvalidInput
        It is larger than `LARGEST_PICTURE`.
    """
    with _pillow():
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        _check_size(picture)
        name, frames = str(picture.format), _frames(picture)
        sizes = [_page(picture, number).size for number in range(frames)] if frames > 1 else [picture.size]
        if len(set(sizes)) == 1 and frames > 1:
            return _stack(data, picture, frames, source)
        largest = max(range(frames), key=lambda n: sizes[n][0] * sizes[n][1])
        picture.seek(largest)
        exact = deep_png(data, picture)
        exact = exact_page(data, picture, largest) if exact is None else exact
        picture.load()
        stored = _measured(np.asarray(picture) if exact is None else exact)
        invert = is_negative(picture, exact)
        if exact is None:
            pixels, colours, full_scale = _values(ImageOps.exif_transpose(picture) or picture)
        else:
            pixels, colours, full_scale = _exact_values(exact)
    words = (
        (f"The file holds {frames} pictures of several sizes; the largest is used.",) if frames > 1 else ()
    )
    if colours is not None and stored.dtype not in ("uint8", "bool"):
        words = (*words, f"Its colours are of {stored.dtype}; 8 bits of each are shown and analysed.")
    return ImageSample(
        source=source,
        kind="image",
        format=name,
        notices=words,
        pixels=pixels,
        colours=colours,
        stored=stored,
        full_scale=full_scale,
        invert=invert,
        facts=_facts(picture.size),
    )


def _frames(picture: Image.Image) -> int:
    """Return how many pages count; those of a phone's photo after the first are previews."""
    frames = 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))
    if frames > _MOST_FRAMES:
        raise InvalidInput(
            f"expected at most {_MOST_FRAMES} pages, got {frames}", hint="Cut the file into smaller parts."
        )
    return frames


def _page(picture: Image.Image, number: int) -> Image.Image:
    picture.seek(number)
    _check_size(picture)
    return picture


def _stack(data: bytes, picture: Image.Image, frames: int, source: str) -> VolumeSample:
    """Return pages of one size: frames in time, of a file that says how long each is shown."""
    name, first = str(picture.format), _page(picture, 0)
    told = _facts(first.size)
    size = frames * picture.width * picture.height * (1 if first.mode in ("1", "L") else 3)
    step = max(1, -(-size // _MOST_KEPT_BYTES))
    kept: list[NDArray[Any]] = []
    stored, invert = None, False
    for number in range(frames):
        page = _page(picture, number)
        exact = exact_page(data, page, number)
        invert = is_negative(page, exact)
        stored = _joined(stored, _measured(np.asarray(page) if exact is None else exact))
        if number % step == 0:
            kept.append(_native(page) if exact is None else _plain(exact))
    assert stored is not None
    voxels = np.stack(kept) if len({page.ndim for page in kept}) == 1 else np.stack([_rgb(p) for p in kept])
    if voxels.ndim == 4 and is_grey(voxels):
        voxels = voxels[..., 0].copy()
    duration = picture.info.get("duration")
    words = f"The file holds {frames} pages; every {step}th is kept, as more would not fit."
    is_byte = voxels.dtype == np.uint8
    return VolumeSample(
        source=source,
        kind="volume",
        format=name,
        notices=(words,) if step > 1 else (),
        voxels=voxels,
        stored=replace(stored, shape=(frames, *stored.shape)),
        slopes=np.ones(len(voxels)),
        intercepts=np.zeros(len(voxels)),
        is_time=name != "TIFF",
        frame_time_ms=float(duration) * step if duration else None,
        colours=voxels.ndim == 4,
        full_scale=(0.0, 255.0) if is_byte else None,
        invert=invert,
        facts=told,
    )


def _joined(one: Stored | None, other: Stored) -> Stored:
    if one is None:
        return other
    low, high = min(one.minimum, other.minimum), max(one.maximum, other.maximum)
    return replace(one, minimum=low, maximum=high)


def _native(page: Image.Image) -> NDArray[Any]:
    """Return stored greys (height, width), or colours as uint8 (height, width, 3)."""
    if page.mode not in _GREY_MODES:
        return np.asarray(_flat(page).convert("RGB"))
    grey = np.asarray(page)
    if not np.isfinite(grey).all():
        raise InvalidInput("expected finite grey values", hint="Export the picture without gaps.")
    return grey.astype(grey.dtype.newbyteorder("="))


def _rgb(page: NDArray[Any]) -> NDArray[Any]:
    return page if page.ndim == 3 else np.repeat(page[..., None], 3, axis=2)


@contextmanager
def _pillow() -> Iterator[None]:
    """Translate what Pillow raises; its messages may quote the file."""
    try:
        yield
    except HealthdashError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error and more
        raise UnreadableUpload(
            "expected a whole picture, got a damaged or cut-off one",
            hint="Export it again, or try another file.",
        ) from error


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > LARGEST_PICTURE:
        raise _too_large()


def _too_large() -> InvalidInput:
    return InvalidInput(
        f"expected at most {LARGEST_PICTURE // 1_000_000} million pixels, got more",
        hint="Make the picture smaller, or cut out the part that matters.",
    )


def _measured(values: NDArray[Any]) -> Stored:
    """Return type and range of the values of one page as the file holds them."""
    values = values.astype(np.uint8) if values.dtype == bool else values
    return Stored(values.shape, str(values.dtype), float(values.min()), float(values.max()))


def _plain(exact: NDArray[Any]) -> NDArray[Any]:
    """Return greys in a type of volumes, or colours in bytes."""
    if not np.isfinite(exact).all():
        raise InvalidInput("expected finite grey values", hint="Export the picture without gaps.")
    if exact.ndim == 2:
        return exact.astype(np.float32 if exact.dtype.kind == "f" else exact.dtype.newbyteorder("="))
    if exact.dtype.kind != "u" or exact.shape[2] < 3:
        return exact[..., 0].astype(np.float32)
    return np.asarray(exact[..., :3] >> 8 * (exact.dtype.itemsize - 1), np.uint8)


def _exact_values(
    exact: NDArray[Any],
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None, tuple[float, float] | None]:
    """Return the same as `_values` for values that Pillow would change."""
    plain = _plain(exact)
    if plain.ndim == 2:
        return plain.astype(np.float32), None, None
    if exact.dtype.itemsize > 1 and is_grey(plain):  # all of its bits, as of a picture in grey
        return np.asarray(np.rint(luminance(exact[..., :3])), np.float32), None, None
    return luminance(plain), None if is_grey(plain) else plain, (0.0, 255.0)


def _values(
    picture: Image.Image,
) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None, tuple[float, float] | None]:
    """Return grey values, the colours if there are any, and the values of black and white."""
    if picture.mode in _GREY_MODES:
        grey = np.asarray(picture, np.float32)
        if not np.isfinite(grey).all():
            raise InvalidInput("expected finite grey values", hint="Export the picture without gaps.")
        return grey, None, (0.0, 255.0) if picture.mode == "L" else None
    colours = np.asarray(_flat(picture).convert("RGB"))
    grey = luminance(colours)
    return grey, None if is_grey(colours) else colours, (0.0, 255.0)


def _flat(picture: Image.Image) -> Image.Image:
    """Put a see-through picture on black, as X-ray viewers do."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, (0, 0, 0, 255)), layer)


def _facts(size: tuple[int, int]) -> tuple[tuple[str, str], ...]:
    return (("Size", f"{size[0]} x {size[1]} pixels"),)
