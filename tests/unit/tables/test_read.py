from __future__ import annotations

import io
import pickle
import zipfile

import pytest

from healthdash.errors import InvalidInput, UnreadableUpload
from healthdash.tables.read import canonical, looks_like_table, read_text_table

ROWS = [["age", "sex", "chol"], ["63", "1", "233"], ["41", "0", "?"]]


def table(separator: str = ",", end: str = "\n") -> str:
    return end.join(separator.join(row) for row in ROWS) + end


def cells(data: bytes, **more) -> list[list[str]]:
    frame = read_text_table(data, ["age"], **more).frame
    return [list(frame.columns), *frame.to_numpy().tolist()]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_separators_and_encodings_give_the_same_table(separator, encoding):
    assert cells(table(separator).encode(encoding)) == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    assert cells(table(end=end).encode()) == ROWS


def test_blanks_and_empty_lines_are_taken_away():
    assert cells(b"age, sex ,chol\n\n 63,1, 233\n41,0 ,?\n,,\n") == ROWS


def test_a_separator_within_quotes_is_text():
    assert cells(b'age,note\n63,"a, b"\n')[1] == ["63", "a, b"]


def test_none_and_na_stay_text():
    assert cells(b"age,A1Cresult\n63,None\n64,NA\n")[1:] == [["63", "None"], ["64", "NA"]]


def test_windows_letters_are_noticed():
    found = read_text_table("age,plaats\n1,Zürich\n".encode("cp1252"))
    assert found.frame.iloc[0, 1] == "Zürich"
    assert "Windows-1252" in found.notices[0]


def test_a_published_order_stands_in_for_a_header():
    found = read_text_table(b"63.0,1.0,?\n41.0,0.0,2\n", ["age"], [("age", "sex", "num"), ("age", "sex")])
    assert list(found.frame.columns) == ["age", "sex", "num"]
    assert len(found.frame) == 2
    assert "no header" in found.notices[0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (pickle.dumps({"a": 1}), "pickle"),
        (pickle.dumps({"a": 1}, protocol=0), "pickle"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "old Office"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"age,sex\n1,\x00\x01\x02\n", "binary"),
        (b"age sex\n1 2\n", "one column"),
        (b"age^sex\n1^2\n", "one column"),
        (b"age,sex\n1,2\n1,2,3\n", "line 3: expected 2 columns, got 3"),
        (b"\xff\xfea\x00,\x00b", "cut off"),
        (b"PK\x03\x04 no zip at all", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_a_hint(data, message):
    with pytest.raises(UnreadableUpload, match=message) as caught:
        read_text_table(data, ["age"])
    assert caught.value.hint


def test_a_header_alone_has_no_rows():
    with pytest.raises(InvalidInput, match="at least one row"):
        read_text_table(b"age,sex\n", ["age"])


def test_more_than_the_limit_is_refused_before_parsing(monkeypatch):
    from healthdash import settings

    monkeypatch.setenv("HEALTHDASH_MAX_UPLOAD_MB", "1")
    settings.current.cache_clear()
    with pytest.raises(UnreadableUpload, match="at most 1 MB"):
        read_text_table(b"1,2\n" * 300_000)


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr("healthdash.tables.layout.MOST_ROWS", 5)
    with pytest.raises(InvalidInput, match="at most 5 rows"):
        read_text_table(b"age,sex\n" + b"1,2\n" * 6, ["age"])


def test_names_are_compared_without_case_and_punctuation():
    assert canonical(" Glyburide_Metformin ") == canonical("glyburide-metformin")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", True),
        (b"a;b\n1;2\n", True),
        (b"", False),
        (b"\x89PNG\r\n", False),
        (b"hello\n", False),
    ],
)
def test_tables_are_recognised_by_their_bytes(data, expected):
    assert looks_like_table(data) is expected


def workbook(sheet: str, strings: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        if strings:
            archive.writestr("xl/sharedStrings.xml", strings)
    return out.getvalue()


def test_the_first_sheet_of_a_workbook_is_read():
    sheet = (
        "<worksheet><sheetData>"
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>sex</t></is></c></row>'
        '<row><c r="A2"><v>63</v></c><c r="C2"><v>1</v></c></row><row/>'
        "</sheetData></worksheet>"
    )
    found = read_text_table(workbook(sheet, "<sst><si><t>age</t></si></sst>"), ["age"])
    assert found.frame.iloc[0].to_dict() == {"age": "63", "column 2": "", "sex": "1"}


def test_a_workbook_with_a_document_type_is_refused():
    with pytest.raises(UnreadableUpload, match="document type"):
        read_text_table(workbook('<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'))
