"""Words of a file on the page: nothing in them is Markdown, a link or a picture."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from healthdash.ui import problems

_SHEET = "Labs ![](https://elsewhere.example/seen.png) <b>_x_</b>"


def _page(text):
    from healthdash.ui.draw import draw
    from healthdash.views import Notice

    draw(Notice(level="info", text=text), "notice")


def test_a_notice_loads_no_picture_that_a_file_names():
    app = AppTest.from_function(_page, args=(_SHEET,)).run()
    assert not app.exception
    assert app.info[0].value == problems.unlinked(_SHEET)
    assert "![](" not in app.info[0].value


def test_plain_text_holds_nothing_that_markdown_reads():
    assert problems.plain("[a](b) `c` *d*") == "\\[a\\](b) \\`c\\` \\*d\\*"


def test_what_many_rows_share_is_said_once():
    told = [f"row {n}, column chol: expected 40 to 1000 mg/dl, got less" for n in range(1, 61)]
    assert problems.gathered(["Missing columns: age", *told, "row 7, column age: expected a number"]) == [
        "Missing columns: age",
        "column chol: expected 40 to 1000 mg/dl, got less (rows 1, 2, 3, 4, 5 and 55 more)",
        "row 7, column age: expected a number",
    ]
