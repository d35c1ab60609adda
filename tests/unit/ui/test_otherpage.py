"""A file on a page that cannot read it: the page that can is named."""

from __future__ import annotations

import io

from PIL import Image

from healthdash.task import Upload
from healthdash.ui import otherpage


def _picture() -> bytes:
    stored = io.BytesIO()
    Image.new("L", (80, 80), 90).save(stored, "PNG")
    return stored.getvalue()


def test_the_page_of_a_file_is_told_by_its_bytes():
    signal = "\n".join(["time_s,I_mV", *(f"{n / 500:.3f},{n % 7 / 10}" for n in range(2000))])
    table = "age,sex,chol\n" + "63,1,233\n41,0,204\n" * 9
    assert otherpage.kind_of([Upload("x", _picture())]) == "images"
    assert otherpage.kind_of([Upload("x", signal.encode())]) == "ecg"
    assert otherpage.kind_of([Upload("x", table.encode())]) == "records"
    assert otherpage.kind_of([Upload("x", b'{"resourceType": "Bundle", "type": "batch"}')]) == "records"
    assert otherpage.kind_of([Upload("x", b"%PDF-1.4 \x00\x01")]) == ""
    assert otherpage.kind_of([]) == ""
