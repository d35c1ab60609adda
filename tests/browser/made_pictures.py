"""DICOM files written for the stories."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

__all__ = ["dicom_bytes", "series"]


def dicom_bytes(pixels: np.ndarray, *, VOILUT: tuple[int, int] | None = None, **elements: Any) -> bytes:
    """Return a picture as a file; `VOILUT` (first, entries) adds a bent table of 8 bits."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    made.PatientName = "Secret^Name"
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.PixelRepresentation = 16, 16, 0
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    made.HighBit = made.BitsStored - 1
    made.PixelData = pixels.tobytes()
    if VOILUT is not None:
        made.VOILUTSequence = [_bent_table(*VOILUT)]
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


def series(slice_file: bytes, count: int) -> bytes:
    """Return a zip archive of a series: the same slice again and again, 2.5 mm apart, rolled a little."""
    whole, uid = io.BytesIO(), generate_uid()
    with zipfile.ZipFile(whole, "w") as archive:
        for number in range(count):
            one = dcmread(io.BytesIO(slice_file))
            one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            one.SeriesInstanceUID = one.StudyInstanceUID = uid
            one.InstanceNumber = number + 1
            one.ImagePositionPatient = [0, 0, 2.5 * number]
            one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            one.PixelData = np.roll(one.pixel_array, number, axis=0).tobytes()
            file = io.BytesIO()
            one.save_as(file)
            archive.writestr(f"{number}.dcm", file.getvalue())
    return whole.getvalue()


def _bent_table(first: int, entries: int) -> Dataset:
    table = Dataset()
    table.LUTDescriptor = [entries, first, 8]
    bent = 255 * np.linspace(0, 1, entries) ** 0.4
    table.add_new(0x00283006, "OW", np.rint(bent).astype("<u2").tobytes())
    return table
