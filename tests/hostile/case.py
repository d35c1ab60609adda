"""What a hostile file is, and small pieces of which many are made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from healthdash.task import Upload

Made = bytes | list[Upload]


@dataclass(frozen=True)
class Case:
    """One hostile upload.

    `reader` is what people would bring it to; `reason` is a pattern that the message of its refusal matches.
    """

    name: str
    reader: Literal["images", "ecg", "table", "records"]
    make: Callable[[], Made]
    reason: str

    def uploads(self) -> list[Upload]:
        made = self.make()
        return [Upload("upload", made)] if isinstance(made, bytes) else made


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive; names are taken as they are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 1)
    return packed.getvalue()
