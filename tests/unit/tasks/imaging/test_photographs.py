"""Photographs of a phone: upright, and without where they were taken."""

import io

import numpy as np
from PIL import Image

from healthdash.task import Upload
from healthdash.tasks import get
from healthdash.tasks.imaging.sample import ImageSample

_PLACE, _CAMERA = "51 deg 28 min", "Secret Phone 12"


def _photograph() -> bytes:
    """Return a JPEG that lies on its side (orientation 6: to be turned by 90 degrees), with a place."""
    values = np.zeros((48, 64, 3), np.uint8)
    values[:, :32] = (200, 30, 30)
    picture, exif = Image.fromarray(values), Image.Exif()
    exif[0x0112], exif[0x0110] = 6, _CAMERA
    exif.get_ifd(0x8825)[29] = _PLACE  # the date of the place, a text
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif, quality=95)
    assert _PLACE.encode() in file.getvalue()
    return file.getvalue()


def test_a_photograph_is_upright_and_tells_nothing_of_its_place_or_camera() -> None:
    task = get("chest-xray")
    sample = task.read([Upload("photograph", _photograph())])
    assert isinstance(sample, ImageSample)
    assert sample.pixels.shape == (64, 48)
    assert sample.colours is not None
    top, bottom = sample.colours[:28].mean(axis=(0, 1)), sample.colours[36:].mean(axis=(0, 1))
    assert top[0] > 150 > 30 > bottom[0]
    assert sample.header == ()
    told = repr([view for view in task.show(sample) if not hasattr(view, "pixels")]) + repr(sample.facts)
    assert _PLACE not in told
    assert _CAMERA not in told
    assert _CAMERA not in repr(task.describe(sample))
