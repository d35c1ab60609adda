"""Hostile tables and records."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from .case import Case, zipped
from .pictures import _Evil, hdf5_elsewhere, object_arrays
from .signals import laughs

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(sheet: str, strings: str = "", **others: bytes) -> bytes:
    """Return an .xlsx whose sheet is any XML (ECMA-376, part 1, 18.3)."""
    made = io.BytesIO()
    book = Workbook()
    book.active.append(["a", "b"])
    book.save(made)
    with zipfile.ZipFile(made) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{_MAIN}">{sheet}</worksheet>'.encode()
    if strings:
        files["xl/sharedStrings.xml"] = strings.encode()
    return zipped(files | others)


def rows(*cells: str) -> str:
    return "<sheetData>" + "".join(f"<row>{one}</row>" for one in cells) + "</sheetData>"


def wide_sheet() -> bytes:
    cells = '<c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c>'
    more = "".join(
        f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 2_000)
    )
    return workbook(f'<dimension ref="A1:XFD1048576"/><sheetData><row r="1">{cells}</row>{more}</sheetData>')


def far_sheet() -> bytes:
    return workbook('<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
                    '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>')  # fmt: skip


def strings_bomb() -> bytes:
    many = f'<sst xmlns="{_MAIN}">' + f"<si><t>{'A' * 30_000}</t></si>" * 20_000 + "</sst>"
    return workbook(rows('<c t="s"><v>0</v></c><c t="s"><v>1</v></c>'), many)


def formulas_only() -> bytes:
    cell = "<c><f>WEBSERVICE(\"http://127.0.0.1/\")</f></c><c><f>cmd|'/c calc'!A0</f></c>"
    return workbook(rows(cell, cell))


def xml_sheet() -> bytes:
    book = workbook(rows("<c><v>1</v></c><c><v>2</v></c>"))
    evil = f'<?xml version="1.0"?>{laughs()}<sst xmlns="{_MAIN}"><si><t>&e11;</t></si></sst>'
    return book if not evil else workbook(rows('<c t="s"><v>0</v></c><c t="s"><v>0</v></c>'), evil)


def opendocument(repeat: int) -> bytes:
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    names += 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    names += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    cell = f'<table:table-cell table:number-columns-repeated="{repeat}" office:value-type="string">'
    cell += "<text:p>x</text:p></table:table-cell>"
    row = f'<table:table-row table:number-rows-repeated="{repeat}">{cell}</table:table-row>'
    sheet = f'<office:spreadsheet><table:table table:name="a">{row}</table:table></office:spreadsheet>'
    content = f"<office:document-content {names}><office:body>{sheet}</office:body></office:document-content>"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return made.getvalue()


def old_workbook() -> bytes:
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\xff" * 2_000
    )


def parquet_bomb() -> bytes:
    """Return a column of 60 million equal texts, which takes some kilobytes (dictionary and run lengths)."""
    data = io.BytesIO()
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000_000, pa.int8()), pa.array(["x" * 50]))
    pq.write_table(pa.table({"a": one, "b": one}), data)
    return data.getvalue()


def fhir(depth: int) -> bytes:
    inner = '{"extension":[' * depth + "]}" * depth
    return b'{"resourceType":"Patient","extension":[' + inner.encode() + b"]}"


def sav() -> bytes:
    return b"$FL2" + b" " * 60 + struct.pack("<iiiii", 2, 2_000_000_000, 1, 0, 2_000_000_000) + bytes(200)


def exponents() -> bytes:
    return b"age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal\n" + (
        b"64,1,4,148,1e2147483648,0,2,150,1,2.4,?,?,?\n"
    )


_LARGE = "at most|larger|too large|more than|columns|memory|seconds"
_NO_TABLE = "expected|damaged|cannot be|table"

CASES = [
    Case(
        "csv-columns",
        "table",
        lambda: b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b"1," * 999_999 + b"1\n",
        _LARGE,
    ),
    Case("csv-nul", "table", lambda: b"a,b\n" + bytes(1_000_000), _NO_TABLE),
    Case("csv-one-line", "table", lambda: b"a" * (190 << 20), f"{_LARGE}|{_NO_TABLE}"),
    Case("csv-quote", "table", lambda: b'a,b\n"' + b"x\n" * 20_000_000, f"{_LARGE}|{_NO_TABLE}|quot"),
    Case(
        "csv-rows",
        "table",
        lambda: b"a,b,c,d,e,f,g,h,i,j,k,l,m\n" + b"1,2,3,4,5,6,7,8,9,10,11,12,13\n" * 1_200_000,
        _LARGE,
    ),
    Case("csv-exponent", "records", exponents, "number|expected"),  # ends pandas 2.3.3 by a signal
    Case("pickle-table", "table", lambda: pickle.dumps(_Evil()), "pickle"),
    Case("pickle-old", "table", lambda: b"cos\nsystem\n(S'true'\ntR.", "pickle"),
    Case("npz-table", "table", object_arrays, f"{_NO_TABLE}|archive"),
    Case("hdf5-table", "table", hdf5_elsewhere, "HDF5"),
    Case("xlsx-wide", "table", wide_sheet, _LARGE),
    Case("xlsx-far", "table", far_sheet, f"{_LARGE}|{_NO_TABLE}"),
    Case("xlsx-strings-bomb", "table", strings_bomb, f"{_LARGE}|archive"),
    Case("xlsx-formulas", "table", formulas_only, f"formula|{_NO_TABLE}"),
    Case("xlsx-entities", "table", xml_sheet, f"entit|{_NO_TABLE}"),
    Case("ods-repeat", "table", lambda: opendocument(1_000_000_000), f"{_LARGE}|{_NO_TABLE}"),
    Case("xls-garbage", "table", old_workbook, _NO_TABLE),
    Case("parquet-bomb", "table", parquet_bomb, f"{_LARGE}|rows"),
    Case(
        "parquet-garbage",
        "table",
        lambda: b"PAR1" + b"\xff" * 200 + struct.pack("<I", 0x7FFFFFF0) + b"PAR1",
        _NO_TABLE,
    ),
    Case("sav-counts", "table", sav, f"{_NO_TABLE}|{_LARGE}"),
    Case("json-deep", "records", lambda: b"[" * 5_000_000, f"{_NO_TABLE}|deep|nested"),
    Case(
        "json-integer",
        "records",
        lambda: b'{"resourceType":"Observation","valueInteger":' + b"9" * 5_000_000 + b"}",
        f"{_NO_TABLE}|digits|number",
    ),
    Case("fhir-deep", "records", lambda: fhir(100_000), f"{_NO_TABLE}|deep|nested"),
    Case(
        "fhir-many",
        "records",
        lambda: json.dumps({"resourceType": "Bundle", "entry": [{}] * 3_000_000}).encode(),
        f"{_NO_TABLE}|{_LARGE}|entr",
    ),
    Case(
        "arff-attributes",
        "table",
        lambda: b"@relation x\n" + b"@attribute a numeric\n" * 500_000 + b"@data\n1\n",
        f"{_LARGE}|{_NO_TABLE}",
    ),
    Case(
        "zip-of-tables-bomb",
        "table",
        lambda: zipped({f"{n}.csv": b"a,b\n" + b"1,2\n" * 20_000_000 for n in range(3)}),
        f"{_LARGE}|archive",
    ),
]
