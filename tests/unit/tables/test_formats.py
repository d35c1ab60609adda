"""Formats, layouts and hostile files, beyond what the records tasks need."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest

from healthdash.errors import ContractError, InputError, InvalidInput, UnreadableUpload
from healthdash.tables.layout import TextTable
from healthdash.tables.read import looks_like_table, read_text_table

ARFF = """% a comment
@RELATION kidney
@attribute 'age' numeric
@attribute sg {1.005, 1.010}
@attribute note string
@attribute class {ckd,notckd}
@DATA
48,1.005,'a, b',ckd
?, 1.010 ,?,\tnotckd
62,1.010,,ckd,,
"""


def cells(data: bytes | str, **chosen) -> list[list[str]]:
    frame = read_text_table(data.encode() if isinstance(data, str) else data, chosen=chosen).frame
    return [list(frame.columns), *frame.to_numpy().tolist()]


# -- ARFF ----------------------------------------------------------------------------------


def test_arff_with_the_slips_of_real_files():
    found = read_text_table(ARFF.encode())
    assert list(found.frame.columns) == ["age", "sg", "note", "class"]
    assert found.frame.to_numpy().tolist() == [
        ["48", "1.005", "a, b", "ckd"],
        ["", "1.010", "", "notckd"],
        ["62", "1.010", "", "ckd"],
    ]
    assert found.declared == {"sg": "category", "class": "category"}
    assert found.found.file == "arff"


def test_sparse_arff():
    text = "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n{1 5}\n{0 2, 1 ?}\n"
    assert cells(text)[1:] == [["0", "5"], ["2", ""]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n", "@data"),
        ("@relation r\n@attribute a numeric\n@attribute b relational\n@data\n", "line 3"),
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,2,3\n", "line 5: expected 2"),
        ("@relation r\n@attribute a numeric\n@data\n1\n", "two attributes"),
        ("@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n{9 5}\n", "sparse"),
    ],
)
def test_damaged_arff_is_refused_with_the_line(text, message):
    with pytest.raises(UnreadableUpload, match=message):
        read_text_table(text.encode())


# -- header, decimals, separator -----------------------------------------------------------


def test_a_german_table_in_utf_16_without_header():
    text = "35,5\tno\tyes\n36,0\tyes\tyes\n37,2\tno\tno\n"
    found = read_text_table(text.encode("utf-16"))
    assert found.found.header_row is None
    assert (found.found.encoding, found.found.decimal) == ("UTF-16", ",")
    assert found.frame.iloc[:, 0].tolist() == ["35.5", "36.0", "37.2"]


def test_a_bound_among_decimal_commas_leaves_the_numbers_numbers():
    rows = [f"{n};{n % 7},{n % 10};{1000 + n}" for n in range(40)]
    rows[7], rows[9] = "7;<0,6;n.b.", "9;2,5;1009"
    found = read_text_table("\n".join(["a;CRP;b", *rows]).encode())
    assert found.found.decimal == ","
    assert found.frame["CRP"].tolist()[6:9] == ["6.6", "<0,6", "1.8"]


def test_points_in_threes_beside_decimal_commas_are_thousands():
    rows = [f"{n};{n % 7},{n % 10};" + (f"1.{40 * n:03d}" if n > 5 else f"{900 + n}") for n in range(25)]
    found = read_text_table("\n".join(["a;CRP;platelets", *rows]).encode())
    assert (found.found.decimal, found.found.thousands) == (",", ".")
    assert found.frame["platelets"].tolist()[5:8] == ["905", "1240", "1280"]
    # With a decimal point elsewhere, or alone, three decimals are decimals.
    dots = read_text_table(b"a;b\n1.015;5.2\n1.020;5.3\n1.025;6.1\n")
    assert dots.frame["a"].tolist() == ["1.015", "1.020", "1.025"]
    alone = read_text_table(b"a;b\n1.015;5\n1.020;6\n1.025;7\n")
    assert alone.frame["a"].tolist() == ["1.015", "1.020", "1.025"]


@pytest.mark.parametrize(
    ("text", "marks", "first"),
    [
        ('a,b\n"1,234",x\n"12,500",y\n', (".", ","), "1234"),
        ("a;b\n1,234;x\n12,5;y\n", (",", ""), "1.234"),
        ("a;b\n1.234,5;x\n2,5;y\n", (",", "."), "1234.5"),
        ('a,b\n"1,234.5",x\n3.5,y\n', (".", ","), "1234.5"),
        ("a,b\n1.234,x\n3.5,y\n", (".", ""), "1.234"),
    ],
)
def test_decimal_and_thousands_marks(text, marks, first):
    found = read_text_table(text.encode())
    assert (found.found.decimal, found.found.thousands) == marks
    assert found.frame.iloc[0, 0] == first


def test_titles_above_the_header_are_left_out():
    text = "Laboratory export\nday 3\nage,sex,chol\n63,m,233\n41,f,204\n50,f,199\n"
    assert cells(text)[:2] == [["age", "sex", "chol"], ["63", "m", "233"]]


def test_a_header_above_text_alone():
    assert cells("name,town\nann,york\nbob,leeds\nann,leeds\n")[0] == ["name", "town"]


def test_no_header_above_text_alone():
    found = read_text_table(b"yes,no\nno,no\nyes,yes\nno,yes\n")
    assert found.found.header_row is None
    assert list(found.frame.columns) == ["column 1", "column 2"]
    assert "no header" in found.notices[0]


def test_what_is_chosen_is_taken_in_place_of_what_is_found():
    text = "1;2,5\n3;4,5\n"
    assert cells(text, header_row=0)[0] == ["1", "2,5"]
    assert cells(text, decimal=".", header_row=None)[1] == ["1", "2,5"]
    assert cells("a|b;c\n1|2;3\n", separator="|")[0] == ["a", "b;c"]
    assert read_text_table("a,ü\n1,ü\n".encode("cp1252"), chosen={"encoding": "Windows-1252"}).notices == ()
    with pytest.raises(UnreadableUpload, match="encoding"):
        cells("a,ü\n1,ü\n".encode("cp1252"), encoding="UTF-8")
    with pytest.raises(InvalidInput, match="among 2 rows"):
        cells(text, header_row=7)
    with pytest.raises(ContractError, match="colour"):
        cells(text, colour="red")


# -- workbooks -----------------------------------------------------------------------------


def book(sheets: dict[str, str], **more: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        names = "".join(f'<sheet name="{name}" r:id="r{n}"/>' for n, name in enumerate(sheets))
        space = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
        archive.writestr("xl/workbook.xml", f"<workbook {space}><sheets>{names}</sheets></workbook>")
        # The order of the workbook is not that of the files.
        links = [(n, f"worksheets/sheet{len(sheets) - n}.xml") for n in range(len(sheets))]
        told = "".join(f'<Relationship Id="r{n}" Target="{target}"/>' for n, target in links)
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{told}</Relationships>")
        for (_, target), rows in zip(links, sheets.values(), strict=True):
            archive.writestr(f"xl/{target}", f"<worksheet><sheetData>{rows}</sheetData></worksheet>")
        for name, content in more.items():
            archive.writestr(f"xl/{name}.xml", content)
    return out.getvalue()


def row(*values: str, style: str = "") -> str:
    return "<row>" + "".join(f'<c s="{style or 0}" t="str"><v>{v}</v></c>' for v in values) + "</row>"


def test_the_first_sheet_with_a_table_is_read_and_another_can_be_chosen():
    data = book(
        {"notes": row("read me"), "ward": row("age", "bp") + row("63", "120"), "x": row("c", "d") * 2}
    )
    found = read_text_table(data)
    assert (found.found.sheet, found.found.sheets) == ("ward", ("notes", "ward", "x"))
    assert list(found.frame.columns) == ["age", "bp"]
    assert read_text_table(data, chosen={"sheet": "x", "header_row": 0}).frame.iloc[0].tolist() == ["c", "d"]
    with pytest.raises(UnreadableUpload, match="expected a sheet"):
        read_text_table(data, chosen={"sheet": "nowhere"})


def test_dates_of_a_workbook_are_iso_and_formulas_are_not_run():
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    cell = '<row><c s="1"><v>39082</v></c><c s="1"><v>39082.5</v></c><c><f>CMD()</f><v>7</v></c></row>'
    data = book({"a": row("day", "time", "sum") + cell + cell}, styles=styles)
    assert read_text_table(data).frame.iloc[0].tolist() == ["2006-12-31", "2006-12-31 12:00:00", "7"]


def test_a_workbook_that_would_unpack_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("healthdash.tables.workbook._MOST_BYTES", 10_000)
    data = book({"a": row("x" * 20_000, "y") * 3})
    assert len(data) < 5_000
    with pytest.raises(InvalidInput, match="unpacked"):
        read_text_table(data)


# -- Parquet -------------------------------------------------------------------------------


def parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def test_parquet_gives_text_and_kinds():
    frame = pd.DataFrame(
        {
            "age": [63.0, None, 41.5],
            "n": [1, 2, 3],
            "ward": pd.Categorical(["a", "b", None]),
            "day": pd.to_datetime(["2020-01-02", None, "2021-03-04"]),
            "ill": [True, False, True],
        }
    )
    found = read_text_table(parquet(frame))
    assert found.frame.iloc[0].tolist() == ["63", "1", "a", "2020-01-02T00:00:00", "True"]
    assert found.frame.iloc[1].tolist()[0:4] == ["", "2", "b", ""]
    assert found.declared == {"ward": "category", "day": "date", "ill": "category"}
    assert looks_like_table(parquet(frame))


def test_parquet_that_is_damaged_or_holds_lists_is_refused():
    whole = parquet(pd.DataFrame({"a": [1, 2], "b": [[1], [2]]}))
    with pytest.raises(UnreadableUpload, match="lists"):
        read_text_table(whole)
    with pytest.raises(UnreadableUpload, match="damaged"):
        read_text_table(whole[:40])


def test_a_parquet_bomb_is_refused(monkeypatch):
    monkeypatch.setattr("healthdash.tables.parquet._MOST_BYTES", 1000)
    with pytest.raises(InvalidInput, match="unpacked"):
        read_text_table(parquet(pd.DataFrame({"a": range(5000), "b": range(5000)})))


# -- real files ----------------------------------------------------------------------------


#: What a careful reader finds: format, rows and columns, the first name, the last cell of the first row.
MESSY = {
    "blank_line.ods": ("OpenDocument spreadsheet (.ods)", (3, 3), "Name", "2010-10-10"),
    "excel_properties.xls": ("Excel workbook (.xls)", (17, 1), "bold", "italic"),
    "simple.psv": ("CSV, bar separated, UTF-8", (28, 6), "Year", "45000"),
    "simple.xls": ("Excel workbook (.xls)", (6, 3), "date", "Galway"),
    "simple.xlsx": ("Excel workbook (.xlsx)", (6, 3), "date", "Galway"),
    "spanish_chars.csv": ("CSV, comma separated, Windows-1252", (115, 8), "GF_ID", None),
    "utf-16le_encoded.csv": ("CSV, comma separated, UTF-16", (327, 19), "Organisation_code", "1"),
    "accent.csv": ("CSV, semicolon separated, UTF-8", (2, 17), "n_amenageur", "2018/03/31"),
    "bom.csv": ("CSV, comma separated, UTF-8", (2, 2), "id", "english"),
    "doublequote.csv": ("CSV, comma separated, UTF-8", (5, 17), "INCISO", None),
    "escaping.csv": ("CSV, comma separated, UTF-8", (3, 2), "ID", "Test line 1"),
    "multiline-headers.xlsx": ("Excel workbook (.xlsx)", (1, 4), "Region", "D"),
    "sheets.xlsx": ("Excel workbook (.xlsx), sheet Sheet1", (1, 2), "id", "london"),
    "skip-rows.xlsx": ("Excel workbook (.xlsx)", (2, 2), "A", "9"),
    "table-with-booleans.xls": ("Excel workbook (.xls)", (2, 2), "id", "true"),
}


@pytest.mark.data("tabular/messy_tables")
@pytest.mark.parametrize("name", MESSY)
def test_messy_real_tables_are_what_a_careful_reader_finds(data, name):
    (file,) = (data / "tabular/messy_tables").rglob(name)
    found = read_text_table(file.read_bytes())
    form, shape, first, last = MESSY[name]
    assert (found.format, found.frame.shape, found.frame.columns[0]) == (form, shape, first)
    assert last is None or found.frame.iloc[0, -1] == last


@pytest.mark.data("tabular/messy_tables")
def test_the_harder_parts_of_messy_real_tables(data):
    def table(name: str) -> TextTable:
        (file,) = (data / "tabular/messy_tables").rglob(name)
        return read_text_table(file.read_bytes())

    assert table("escaping.csv").frame["Test"].tolist()[1:] == ['Test " line 2', 'Test " line 3']
    assert table("bom.csv").frame["name"][1] == "中国人"
    assert table("spanish_chars.csv").frame.columns[-1] == "Descripción"
    assert "3 sheets" in table("sheets.xlsx").notices[0]
    basket = "Cumulative impact of changes on cost of food basket"
    assert table("multiline-headers.xlsx").frame.columns.tolist() == [
        "Region",
        "Caloric contribution (%)",
        f"{basket} from previous quarter",
        f"{basket} from baseline (%)",
    ]
    with pytest.raises(InputError, match="at least one row"):
        table("utf8bom.csv")  # a header alone


@pytest.mark.data("tabular/chronic_kidney_disease")
def test_kidney_disease_is_read_whole(data):
    found = read_text_table(
        (data / "tabular/chronic_kidney_disease/chronic_kidney_disease_full.arff").read_bytes()
    )
    assert found.frame.shape == (400, 25)
    assert found.frame["class"].value_counts().to_dict() == {"ckd": 250, "notckd": 150}
    assert int((found.frame == "").sum().sum()) == 1012
    assert set(found.frame["dm"]) == {"yes", "no", ""}


ROWS = ("63,1,145", "67,0,160", "41,1,130", "55,1,140")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_that_end_in_a_separator_keep_their_header(separator: str) -> None:
    lines = ["age,sex,trestbps", *(f"{row}," for row in ROWS)]
    table = read_text_table("\n".join(lines).replace(",", separator).encode())
    assert list(table.frame)[:3] == ["age", "sex", "trestbps"]
    assert table.frame["trestbps"].tolist() == ["145", "160", "130", "140"]


def test_a_line_longer_than_any_cell_is_no_traceback() -> None:
    long = "a,b\n1,2\n" + "x" * 150_000 + ",3\n4,5\n6,7\n"
    assert cells(long, separator=",")[0] == ["a", "b"]


def test_numbers_of_rows_without_a_name_of_their_own_shift_no_column() -> None:
    lines = ['"age","sex","trestbps"', *(f'"{number}",{row}' for number, row in enumerate(ROWS, 1))]
    table = read_text_table("\n".join(lines).encode())
    assert table.frame["age"].tolist() == ["63", "67", "41", "55"]
    assert table.frame["trestbps"].tolist() == ["145", "160", "130", "140"]


def test_thousands_beside_decimal_points_are_no_decimals_whatever_separates() -> None:
    table = read_text_table(
        b"age\tplatelets\tcreatinine\n75\t265,000\t1.9\n55\t263,358\t1.1\n65\t162,000\t1.3\n"
    )
    assert table.frame["platelets"].tolist() == ["265000", "263358", "162000"]
    assert table.frame["creatinine"].tolist() == ["1.9", "1.1", "1.3"]
    alone = read_text_table(b"age;dose\n75;1,125\n55;2,250\n65;1,500\n")
    assert alone.frame["dose"].tolist() == ["1.125", "2.250", "1.500"]
