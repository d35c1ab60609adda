import io

import pandas as pd
import pytest

from healthdash.ui.downloads import safe_csv


def _read(data: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), dtype=str, encoding="utf-8-sig")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(cell):
    data = safe_csv(pd.DataFrame({"a": [cell, "plain"], cell: [1, 2]}))
    assert f"'{cell}".encode() in data
    assert all(
        not line.startswith(("=", "+", "-", "@", "\t")) for line in data.decode("utf-8-sig").split("\n")
    )
    assert _read(safe_csv(pd.DataFrame({"a": ["plain"]})))["a"][0] == "plain"


def test_numbers_stay_numbers():
    read = _read(safe_csv(pd.DataFrame({"share": [-0.25, 1.0], "label": ["é", None]})))
    assert read["share"][0] == "-0.25"
    assert read["label"][0] == "é"


def test_names_of_categories_are_disarmed():
    assert b"'=x" in safe_csv(pd.DataFrame({"c": pd.Categorical(["=x", "y"])}))
