"""DICOM files and pictures written for tests."""

import io
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from healthdash.task import Upload


def ramp(height: int = 96, width: int = 128) -> np.ndarray:
    """Return a picture that rises from left to right, uint16."""
    return np.tile(np.arange(width, dtype=np.uint16) * 8, (height, 1))


def dataset(pixels: np.ndarray | None, **elements: Any) -> FileDataset:
    """Return a DICOM picture; `elements` are added, None takes one away."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    made.Modality, made.PatientName = "OT", "Secret^Name"
    if pixels is not None:
        made.Rows, made.Columns = pixels.shape[-2:]
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.BitsAllocated = made.BitsStored = pixels.dtype.itemsize * 8
        made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(pixels.dtype.kind == "i")
        made.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def dicom_bytes(pixels: np.ndarray | None, **elements: Any) -> bytes:
    """Return the same as the bytes of a file."""
    file = io.BytesIO()
    dataset(pixels, **elements).save_as(file, enforce_file_format=True)
    return file.getvalue()


def dicom(pixels: np.ndarray | None, **elements: Any) -> Upload:
    """Return the same as an upload with a name that says nothing."""
    return Upload("upload", dicom_bytes(pixels, **elements))


def picture(pixels: np.ndarray, form: str = "PNG", name: str = "upload") -> Upload:
    """Return a picture file as an upload."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return Upload(name, file.getvalue())
