"""Opening each kind of picture and volume, against the bare library read of the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless, generate_uid

from benchmarks.rows import Row, alternate
from healthdash.task import Upload
from healthdash.tasks.imaging import read
from healthdash.tasks.imaging.volume import VolumeSample

__all__ = ["rows"]

_BUDGET_S = 3.0
_SIDE, _SLICES = 512, 200
_SERIES = generate_uid()

Bare = Callable[[], NDArray[np.float32]]


def rows() -> Iterator[Row]:
    """Yield a row a kind: a slice in three codes, a series, NIfTI, PNG of 16 bits and JPEG."""
    voxels = _body()
    for name, syntax in (("uncompressed", None), ("JPEG-LS", JPEGLSLossless), ("RLE", RLELossless)):
        data = _slice(voxels[0], 0, syntax)
        yield _row(f"open a CT slice, {name}", [data], lambda data=data: _bare_slice(data))
    series = [_slice(voxels[k], k) for k in range(_SLICES)]
    yield _row(
        f"open {_SLICES} CT slices as one volume", series, lambda: np.stack([_bare_slice(d) for d in series])
    )
    brain = nibabel.Nifti1Image(voxels[:100].transpose(2, 1, 0), np.diag([-1.0, -1, 1, 1])).to_bytes()
    yield _row("open NIfTI, 512 x 512 x 100", [brain], lambda: _bare_nifti(brain))
    grey = np.asarray(voxels[0].astype(np.int32) + 1024, np.uint16)
    for name, form, values in (("PNG, 16 bits", "PNG", grey), ("JPEG", "JPEG", (grey >> 4).astype(np.uint8))):
        picture = _picture(np.tile(values, (4, 4)), form)
        yield _row(f"open a {name}, 2048 x 2048", [picture], lambda picture=picture: _bare_picture(picture))


def _row(name: str, files: Sequence[bytes], bare: Bare) -> Row:
    """Compare with the bare read to values in HU, or to grey."""
    uploads = [Upload("", data) for data in files]
    ours = _values(uploads)
    apart = float(np.abs(ours - bare()).max())
    mine, theirs = alternate([lambda: read.read(uploads), bare], budget_s=_BUDGET_S, most=50)
    return Row.compared(
        name,
        ours=f"{1000 * mine:.1f} ms",
        reference=f"{1000 * theirs:.1f} ms (bare read)",
        ratio=mine / theirs,
        check=f"largest difference {apart:.1e}",
        equal=apart < 1e-3,
    )


def _values(uploads: Sequence[Upload]) -> NDArray[np.float32]:
    sample = read.read(uploads)
    if isinstance(sample, VolumeSample):
        return np.stack([sample.values(k) for k in range(len(sample))])
    return sample.pixels


def _body() -> NDArray[np.int16]:
    """Return an ellipse of tissue with noise in air, in HU."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    body = np.where(x**2 + 1.6 * y**2 < 0.8, 40, -1000).astype(np.int16)
    return np.stack([body + rng.integers(-20, 20, body.shape, dtype=np.int16) for _ in range(_SLICES)])


def _slice(pixels: NDArray[np.int16], number: int, syntax: UID | None = None) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    made.Modality, made.SeriesInstanceUID, made.InstanceNumber = "CT", _SERIES, number
    made.ImagePositionPatient, made.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    made.PixelSpacing, made.RescaleSlope, made.RescaleIntercept = [0.7, 0.7], 1, 0
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
    made.PixelData = pixels.tobytes()
    if syntax is not None:
        made.compress(syntax, generate_instance_uid=False)
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _picture(values: NDArray[np.generic], form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, form)
    return file.getvalue()


def _bare_slice(data: bytes) -> NDArray[np.float32]:
    dataset = pydicom.dcmread(io.BytesIO(data))
    return dataset.pixel_array.astype(np.float32)


def _bare_nifti(data: bytes) -> NDArray[np.float32]:
    """Read what ours does: single precision; the axes are only named otherwise."""
    return np.asarray(nibabel.Nifti1Image.from_bytes(data).dataobj).astype(np.float32).transpose(2, 1, 0)


def _bare_picture(data: bytes) -> NDArray[np.float32]:
    return np.asarray(Image.open(io.BytesIO(data)), np.float32)
