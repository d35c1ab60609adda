"""Formats beyond text and .xlsx, written here by the programs' own libraries where there is one."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, timedelta

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.fields import NumberField
from healthdash.tables.kinds import numbers_of
from healthdash.tables.mapped import mapped
from healthdash.tables.mapping import propose
from healthdash.tables.read import looks_like_table, read_text_table
from healthdash.tables.sheets import Grid, choose

FRAME = pd.DataFrame(
    {
        "age": [63.0, 41.0, None],
        "sex": [1.0, 2.0, 1.0],
        "town": ["Köln", "", "Lyon"],
        "chol": [233.5, 204.0, 250.0],
    }
)


@pytest.mark.parametrize("kind", ["sav", "zsav", "dta", "xpt"])
def test_data_sets_of_statistics_programs(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    labels = {"sex": {1.0: "male", 2.0: "female"}}
    titles = ["Age at visit", "Sex", "Town", "Total cholesterol"]
    if kind in ("sav", "zsav"):
        pyreadstat.write_sav(
            FRAME, path, column_labels=titles, variable_value_labels=labels, compress=kind == "zsav"
        )
    elif kind == "dta":
        pyreadstat.write_dta(
            FRAME, path, column_labels=titles, variable_value_labels={"sex": {1: "male", 2: "female"}}
        )
    else:
        pyreadstat.write_xport(FRAME, path, column_labels=titles, file_format_version=8)
    data = path.read_bytes()
    assert looks_like_table(data)
    found = read_text_table(data)
    assert found.frame.columns.tolist() == ["age", "sex", "town", "chol"]
    assert found.frame["age"].tolist() == ["63", "41", ""]
    assert found.frame["chol"].tolist() == ["233.5", "204", "250"]
    assert found.titles["chol"] == "Total cholesterol"
    assert found.frame["town"][0] == "Köln"
    if kind != "xpt":
        assert found.frame["sex"].tolist() == ["male", "female", "male"]
        assert found.declared["sex"] == "category"
    with pytest.raises((UnreadableUpload, InvalidInput)):
        read_text_table(data[: len(data) // 3])


def test_a_portable_file_of_spss(tmp_path):
    path = tmp_path / "a.por"
    pyreadstat.write_por(FRAME.assign(town=["Koln", "", "Lyon"]), path, column_labels=["Age at visit"] * 4)
    data = path.read_bytes()
    assert looks_like_table(data)
    found = read_text_table(data)
    assert found.found.file == "portable"
    assert found.frame["AGE"].tolist() == ["63", "41", ""]
    assert found.titles["AGE"] == "Age at visit"
    for end in (len(data) // 3, len(data.rstrip(b"Z\r\n"))):
        with pytest.raises(UnreadableUpload):
            read_text_table(data[:end])


def test_a_binary_workbook_is_refused_with_what_to_save_instead():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.bin", b"x")
    with pytest.raises(UnreadableUpload, match="xlsb") as caught:
        read_text_table(out.getvalue())
    assert "xlsx" in caught.value.hint


def test_a_stata_file_of_pandas_with_dates():
    out = io.BytesIO()
    frame = pd.DataFrame({"id": [1, 2], "day": pd.to_datetime(["2020-01-02", "2021-03-04"])})
    frame.to_stata(out, write_index=False, version=118, convert_dates={"day": "td"})
    found = read_text_table(out.getvalue())
    assert found.frame["day"].tolist() == ["2020-01-02", "2021-03-04"]
    assert found.declared["day"] == "date"


def test_too_many_rows_of_a_data_set_are_refused(tmp_path, monkeypatch):
    pyreadstat.write_sav(FRAME, tmp_path / "a.sav")
    monkeypatch.setattr("healthdash.tables.layout.MOST_ROWS", 1)
    with pytest.raises(InvalidInput, match="at most 1 rows"):
        read_text_table((tmp_path / "a.sav").read_bytes())


@pytest.mark.parametrize(
    ("encoding", "text", "name"),
    [
        ("gb18030", "年龄,性别,总胆固醇\n63,男,233\n41,女,204\n", "GB18030"),
        ("cp1251", "возраст,пол\n63,мужской\n41,женский\n", "Windows-1251"),
        ("cp1252", "âge,sexe,société\n63,féminin,été\n41,mâle,à\n", "Windows-1252"),
        ("utf-16", "年龄,性别\n63,男\n41,女\n", "UTF-16"),
    ],
)
def test_encodings_are_found_and_told(encoding, text, name):
    found = read_text_table(text.encode(encoding))
    assert name in found.format
    assert found.frame.columns.tolist() == text.split("\n")[0].split(",")
    assert (name in "".join(found.notices)) == name.startswith(("GB", "Win"))


def test_escaped_quotes_units_below_the_header_repeated_headers_and_the_hint_of_excel():
    assert read_text_table(b'a,b\n1,"x \\" y"\n2,"C:\\"\n').frame["b"].tolist() == ['x " y', "C:\\"]
    units = b"age,chol\nyears,mg/dL\n63,233\n41,204\n50,250\n"
    assert read_text_table(units).frame.columns.tolist() == ["age years", "chol mg/dL"]
    again = read_text_table(b"age,chol\n63,233\nage,chol\n41,204\n")
    assert again.frame["age"].tolist() == ["63", "41"]
    assert "once more" in again.notices[0] or "1 more" in again.notices[0]
    assert read_text_table(b"sep=;\nage;chol\n63;2,5\n41;3,5\n").frame["chol"].tolist() == ["2.5", "3.5"]


# -- spreadsheets --------------------------------------------------------------------------

_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def ods(*rows: str, doctype: str = "") -> bytes:
    out = io.BytesIO()
    content = (
        f"{doctype}<office:document-content {_SPACES}><office:body><office:spreadsheet>"
        '<table:table table:name="A">'
        f"{''.join(rows)}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
    return out.getvalue()


def cell(text: str, attributes: str = "") -> str:
    told = f"<text:p>{text}</text:p>"
    return f'<table:table-cell office:value-type="string" {attributes}>{told}</table:table-cell>'


def number(value: str) -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def line(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


EMPTY = '<table:table-cell table:number-columns-repeated="16000"/>'


def test_an_opendocument_sheet_with_merged_headers_and_endless_empty_cells():
    wide = 'table:number-columns-spanned="2"'
    tall = 'table:number-rows-spanned="2"'
    data = ods(
        line(cell("report"), EMPTY),
        line(cell("id", tall), cell("pressure", wide), "<table:covered-table-cell/>", EMPTY),
        line("<table:covered-table-cell/>", cell("systolic"), cell("diastolic")),
        line(number("1"), number("145"), number("90")),
        line(
            number("2"),
            number("130.5"),
            '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>',
        ),
        line(EMPTY, attributes='table:number-rows-repeated="1048000"'),
    )
    found = read_text_table(data)
    assert found.frame.columns.tolist() == ["id", "pressure systolic", "pressure diastolic"]
    assert found.frame.to_numpy().tolist() == [["1", "145", "90"], ["2", "130.5", "true"]]


def test_opendocument_bombs_are_refused():
    full = '<table:table-cell table:number-columns-repeated="{}" office:value-type="float" office:value="1"/>'
    with pytest.raises(InvalidInput, match="columns"):
        read_text_table(ods(line(full.format(1_000_000))))
    with pytest.raises(InvalidInput, match="at most"):
        read_text_table(ods(line(full.format(1000), attributes='table:number-rows-repeated="900000"')))
    with pytest.raises(UnreadableUpload, match="document type"):
        read_text_table(ods(line(cell("a")), doctype='<!DOCTYPE x [<!ENTITY b "c">]>'))


def test_a_million_empty_columns_of_a_workbook_take_no_memory_and_macros_are_told():
    out = io.BytesIO()
    sheet = (
        '<worksheet><cols><col min="1" max="1000000"/></cols><sheetData>'
        '<row r="1"><c r="A1" t="str"><v>age</v></c><c r="B1" t="str"><v>ill</v></c><c r="XFD1"/></row>'
        '<row r="1048576"><c r="A1048576"><v>63</v></c><c r="B1048576" t="b"><v>1</v></c></row>'
        "</sheetData></worksheet>"
    )
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", sheet.replace('<c r="XFD1"/>', ""))
        archive.writestr("xl/vbaProject.bin", b"macro")
    found = read_text_table(out.getvalue())
    assert found.frame.to_numpy().tolist() == [["63", "true"]]
    assert "macros; they were not run" in found.notices[-1]


def test_a_workbook_with_a_column_beyond_all_bounds_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            '<worksheet><sheetData><row><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>',
        )
    with pytest.raises(InvalidInput, match="columns"):
        read_text_table(out.getvalue())


def test_a_document_type_in_another_encoding_is_refused_too():
    out = io.BytesIO()
    bomb = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'.encode(
        "utf-16"
    )
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bomb)
    with pytest.raises(UnreadableUpload, match="document type"):
        read_text_table(out.getvalue())


def test_a_named_nought_of_a_count_is_a_number_and_a_special_code_is_none(tmp_path):
    frame = pd.DataFrame({"ca": [0.0, 0, 1, 2, 3], "cigs": [0.0, 12, 20, 30, 97], "sex": [1.0, 2, 1, 2, 3]})
    labels = {"ca": {0: "none"}, "cigs": {0: "none", 97: "refused"}, "sex": {1: "male", 2: "female"}}
    pyreadstat.write_sav(frame, tmp_path / "t.sav", variable_value_labels=labels)
    found = read_text_table((tmp_path / "t.sav").read_bytes()).frame
    assert found["ca"].tolist() == ["0", "0", "1", "2", "3"]
    assert found["cigs"].tolist() == ["0", "12", "20", "30", "refused"]
    assert found["sex"].tolist() == ["male", "female", "male", "female", "3"]


def test_names_that_say_their_number_are_numbers_where_a_number_is_asked_for(tmp_path):
    path = tmp_path / "a.sav"
    frame = pd.DataFrame({"ca": [0.0, 1.0, 2.0, 9.0], "age": [3.0, 4.0, 5.0, 4.0]})
    labels = {
        "ca": {0.0: "none", 1.0: "1 vessel", 2.0: "2 vessels", 9.0: "not known, missing"},
        "age": {3.0: "30-39 years", 4.0: "40-49 years", 5.0: "50-59 years"},
    }
    pyreadstat.write_sav(frame, path, variable_value_labels=labels)
    text = read_text_table(path.read_bytes())
    fields = [
        NumberField(name="ca", label="Vessels", unit="", low=0, high=3),
        NumberField(name="age", label="Age", unit="years", low=18, high=120),
    ]
    found = mapped(text, fields, propose(text.frame, fields, text.titles, None))
    assert found.text.frame["ca"].tolist() == ["0", "1", "2", ""]
    assert "numbers" in found.rules["ca"]
    assert found.text.frame["age"].tolist()[0] == "30-39 years"  # The code 3 is no age.


@pytest.mark.parametrize(
    ("values", "form", "cells"),
    [
        ([0.065, 0.08], "0.0%", ["6.5%", "8%"]),
        ([timedelta(hours=12), timedelta(hours=36)], "[h]:mm:ss", ["12:00:00", "36:00:00"]),
        ([0.25, 0.5], "h:mm", ["06:00:00", "12:00:00"]),
        ([120, 140], r"_-* #,##0.00\ _D_M_-;\-* #,##0.00\ _D_M_-", ["120", "140"]),
        ([date(2020, 3, 4), datetime(2020, 3, 4, 5)], "yyyy-mm-dd", ["2020-03-04", "2020-03-04 05:00:00"]),
    ],
)
def test_numbers_of_a_workbook_are_told_as_their_formats_show_them(values, form, cells):
    assert _workbook([["id", "x"], *enumerate(values)], form)["x"].tolist() == cells


def test_percent_is_a_number_of_an_own_table():
    frame = read_text_table(b"id,share\n1,6.5%\n2,8 %\n3,7%\n").frame
    assert numbers_of(frame["share"]).tolist() == [6.5, 8.0, 7.0]


def test_a_stored_number_beside_text_with_decimal_commas_keeps_its_point():
    rows = [["chol", "crea", "ph"], ["5,2", "0,9", 7.412], ["4,8", "1,1", 7.389]]
    frame = _workbook(rows)
    assert frame["ph"].tolist() == ["7.412", "7.389"]
    assert frame["chol"].tolist() == ["5.2", "4.8"]


def test_a_decimal_comma_before_a_unit_is_no_mark_of_thousands():
    text = read_text_table(b"id;x;creatinine\n1;1,5;0,095 mmol/L\n2;2,5;5,250 mmol/L\n")
    assert text.frame["creatinine"].tolist() == ["0.095 mmol/L", "5.250 mmol/L"]


def test_every_merged_cell_is_told_in_each_of_its_rows_in_linear_time():
    patients, each = 5_000, 4
    rows = [(0, ["patient", "hr"])]
    rows += [(1 + n, [f"p{n // each}" if n % each == 0 else "", "70"]) for n in range(patients * each)]
    merges = tuple((1 + n * each, 0, (n + 1) * each, 0) for n in range(patients))
    cells = choose(["s"], lambda _: Grid(tuple(rows), merges)).cells
    assert cells[0].tolist()[1:] == [f"p{n // each}" for n in range(patients * each)]


def _workbook(rows, form="General"):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for cell in sheet["B"][1:]:
        cell.number_format = form
    out = io.BytesIO()
    book.save(out)
    return read_text_table(out.getvalue()).frame
