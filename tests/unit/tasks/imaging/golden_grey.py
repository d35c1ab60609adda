"""Display grey of small DICOM pictures, computed by dcm2pnm of DCMTK (OFFIS, Debian package dcmtk).

    python -m tests.unit.tasks.imaging.golden_grey     writes golden_grey.json beside this file

The pictures are made here; none is a patient's. Only their grey, 0 to 65535, is kept.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence

from . import written

__all__ = ["CASES", "GOLDEN", "PROGRAM", "by_program", "case"]

GOLDEN = Path(__file__).with_suffix(".json")
PROGRAM = shutil.which("dcm2pnm")
_ROWS, _COLUMNS = 6, 40
_CT = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}
_SOFT = {"WindowCenter": 40, "WindowWidth": 400}


def _lut(first: int, entries: np.ndarray, bits: int, signed: bool = False) -> Dataset:
    table = Dataset()
    table.LUTDescriptor = [len(entries), first, bits]
    table.LUTData = entries.astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    table["LUTDescriptor"].VR = "SS" if signed else "US"
    return table


_BENT = (np.linspace(0, 1, 512) ** 2 * 4095).round()
_MODALITY = _lut(100, np.linspace(0, 3000, 1024).round(), 12)
_MODALITY.ModalityLUTType = "US"

#: What is in the header, and the options of dcm2pnm that choose the same transformation as ours.
CASES: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "CT, window LINEAR": ({**_CT, **_SOFT}, ("+Wi", "1")),
    "CT, second window": ({**_CT, "WindowCenter": [40, -600], "WindowWidth": [400, 1500]}, ("+Wi", "2")),
    "window of width 1": ({**_CT, "WindowCenter": 40, "WindowWidth": 1}, ("+Wi", "1")),
    "half center, odd width": ({**_CT, "WindowCenter": 40.5, "WindowWidth": 351}, ("+Wi", "1")),
    "CT, window SIGMOID": ({**_CT, **_SOFT, "VOILUTFunction": "SIGMOID"}, ("+Wi", "1")),
    "slope of a PET": ({"Modality": "PT", "RescaleSlope": 2.5, "RescaleIntercept": 0,
                        "WindowCenter": 2000, "WindowWidth": 3000}, ("+Wi", "1")),
    "negative slope": ({"RescaleSlope": -1, "RescaleIntercept": 1000, **_SOFT}, ("+Wi", "1")),
    "MONOCHROME1": ({**_CT, **_SOFT, "PhotometricInterpretation": "MONOCHROME1"}, ("+Wi", "1")),
    "presentation INVERSE": ({**_CT, **_SOFT, "PresentationLUTShape": "INVERSE"}, ("+Wi", "1")),
    "VOI LUT": ({"VOILUTSequence": Sequence([_lut(200, _BENT, 12)])}, ("+Wl", "1")),
    "modality LUT, window": ({"ModalityLUTSequence": Sequence([_MODALITY]), "WindowCenter": 1500,
                              "WindowWidth": 2000}, ("+Wi", "1")),
    "signed 12 of 16 bits": ({"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1,
                              "WindowCenter": 0, "WindowWidth": 2000}, ("+Wi", "1")),
    "high bit 13": ({"BitsStored": 12, "HighBit": 13, "WindowCenter": 200, "WindowWidth": 300}, ("+Wi", "1")),
}  # fmt: skip


def case(name: str) -> bytes:
    """Return the DICOM file of a case: a ramp of all values that matter, six rows high."""
    elements, _ = CASES[name]
    values = np.linspace(0, 2600, _ROWS * _COLUMNS).round().astype(np.uint16).reshape(_ROWS, _COLUMNS)
    if elements.get("PixelRepresentation"):
        values = ((values.astype(np.int32) - 1300) & 0xFFF).astype(np.uint16)
    return written.dicom_bytes(values, **elements)


def by_program(name: str) -> np.ndarray:
    """Return the display grey that dcm2pnm computes, uint16 (6, 40)."""
    assert PROGRAM
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "in.dcm", Path(folder) / "out.pgm"
        source.write_bytes(case(name))
        options = [*CASES[name][1], "-O", "+opn", "16"]
        subprocess.run([PROGRAM, *options, str(source), str(made)], check=True, capture_output=True)
        return _greys(made.read_text())


def _greys(plain: str) -> np.ndarray:
    """Read a plain (ASCII) PGM."""
    words = re.sub(r"#.*", "", plain).split()
    assert words[0] == "P2"
    width, height, largest = (int(word) for word in words[1:4])
    values = np.array(words[4:], np.int64).reshape(height, width)
    return np.asarray(np.rint(values * (65535 / largest)), np.uint16)


def main() -> None:
    """Write the golden file."""
    version = subprocess.run([str(PROGRAM), "--version"], capture_output=True, text=True, check=True).stdout
    told = {
        "program": re.sub(r"\s+", " ", version.splitlines()[0]).strip("$ :"),
        "options": {name: " ".join(options) for name, (_, options) in CASES.items()},
        "grey": {name: by_program(name).ravel().tolist() for name in CASES},
    }
    GOLDEN.write_text(json.dumps(told, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main()
