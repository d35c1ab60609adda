"""Pictures that are not DICOM: PNG, JPEG, TIFF, WebP, BMP and GIF, through Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload

from .colour import is_grey, luminance
from .sample import ImageSample, Stored

__all__ = ["LARGEST_PICTURE", "is_picture", "read"]

#: Most pixels of one frame: a quarter more than a mammogram at full detail, and bounded memory.
LARGEST_PICTURE = 64_000_000
_MOST_FRAMES = 1000
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
_MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\x00",
    b"MM\x00*",
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


def read(data: bytes, source: str) -> ImageSample:
    """Read a picture; of several frames the middle one.

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
        frames = min(int(getattr(picture, "n_frames", 1)), _MOST_FRAMES)
        stored = _stored(picture, frames)
        picture.seek(frames // 2 if frames > 1 else 0)
        picture.load()
        upright = ImageOps.exif_transpose(picture) or picture
        name, mode = str(picture.format), str(picture.mode)
        pixels, colours, full_scale = _values(upright)
    return ImageSample(
        source=source,
        kind="image",
        format=name,
        notices=_notices(frames),
        pixels=pixels,
        colours=colours,
        stored=stored,
        full_scale=full_scale,
        frames=frames,
        frame=frames // 2 if frames > 1 else 0,
        facts=_facts(name, mode, stored),
    )


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
            f"expected a whole picture, got a damaged or cut-off one ({type(error).__name__})",
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


def _stored(picture: Image.Image, frames: int) -> Stored:
    """Measure the values of all frames as the file holds them."""
    low, high, shape, kind = np.inf, -np.inf, (), ""
    for number in range(frames):
        picture.seek(number)
        _check_size(picture)
        frame = np.asarray(picture)
        frame = frame.astype(np.uint8) if frame.dtype == bool else frame
        low, high = min(low, frame.min()), max(high, frame.max())
        shape, kind = frame.shape, str(frame.dtype)
    picture.seek(0)
    return Stored((frames, *shape) if frames > 1 else shape, kind, float(low), float(high))


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


def _notices(frames: int) -> tuple[str, ...]:
    if frames == 1:
        return ()
    return (f"The file holds {frames} pictures; number {frames // 2 + 1} is used.",)


def _facts(name: str, mode: str, stored: Stored) -> tuple[tuple[str, str], ...]:
    height, width = stored.shape[-2:] if mode in (*_GREY_MODES, "1", "P") else stored.shape[-3:-1]
    return (("File format", name), ("Size", f"{width} x {height} pixels"), ("Stored values", stored.dtype))
