"""Copies of the UCI table that recode its columns are asked about, never scored in silence."""

from __future__ import annotations

import pandas as pd
import pytest

from healthdash.errors import InvalidInput
from healthdash.tables.coding import coded
from healthdash.task import Upload
from healthdash.tasks.records import TASKS
from healthdash.tasks.records.dataset import load
from healthdash.training import TrainSettings

HEART = TASKS[0]
HEADER = "age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal"
#: Three made rows in the codes of UCI, of Kaggle's heart.csv and of heart_cleveland_upload.csv; between them
#: they hold every code, and a scan and vessels that are missing.
UCI = """61,1,1,142,231,1,2,151,0,2.1,3,0,6
38,1,3,128,252,0,0,186,0,3.4,3,?,3
42,0,2,131,206,0,1,171,0,1.3,1,0,7
58,0,4,122,350,0,0,162,1,0.7,2,0,?"""
KAGGLE = """61,1,3,142,231,1,0,151,0,2.1,0,0,1
38,1,2,128,252,0,1,186,0,3.4,0,4,2
42,0,1,131,206,0,2,171,0,1.3,2,0,3
58,0,0,122,350,0,1,162,1,0.7,1,0,0"""
FROM_ZERO = """61,1,0,142,231,1,2,151,0,2.1,2,0,1
38,1,2,128,252,0,0,186,0,3.4,2,?,0
42,0,1,131,206,0,1,171,0,1.3,0,0,2
58,0,3,122,350,0,0,162,1,0.7,1,0,?"""


def read(rows: str, header: str = HEADER, mapping: str = ""):
    return HEART.read(
        [Upload("a.csv", f"{header}\n{rows}\n".encode(), {"mapping": mapping} if mapping else {})]
    )


@pytest.mark.parametrize(("rows", "name"), [(KAGGLE, "kaggle"), (FROM_ZERO, "from-zero")])
def test_a_recoded_table_is_refused_until_its_coding_is_chosen(rows, name):
    asked = read(rows)
    with pytest.raises(InvalidInput, match="may not be those of UCI"):
        HEART.validate(asked)
    choice = next(one for one in asked.matching.coding.choices if one.name == name)
    told = read(rows, mapping=coded(asked.matching.mapping, choice).to_json())
    HEART.validate(told)
    pd.testing.assert_frame_equal(told.frame, read(UCI).frame)
    rules = {line.field: line.rule for line in told.matching.complete}
    assert "0 = " in rules["cp"]


def test_a_code_that_one_coding_alone_knows_leaves_that_one():
    assert [one.name for one in read(KAGGLE).matching.coding.choices] == ["kaggle"]
    both = read("61,1,3,142,231,1,0,151,0,2.1,0,0,1\n42,0,0,131,206,0,0,171,0,1.3,2,0,0").matching.coding
    # Half of the scans are 0: missing in one coding, normal in the other.
    assert [one.name for one in both.choices] == ["from-zero", "kaggle"]


@pytest.mark.parametrize(
    ("row", "header"),
    [
        ("61,1,2,142,231,1,0,151,0,2.1,2,0,2", HEADER),  # thal 2
        ("61.0,1,3.0,142,231,1,0,151,0,2.1,0.0,0,?", HEADER),  # slope 0, and nothing as at UCI
        ("61,1,2,142,231,1,0,151,0,2.1,2,0,3,1", HEADER + ",target"),
        (
            "61,1,2,142,231,1,0,151,0,2.1,2,0,3",
            HEADER.replace("thalach", "thalachh").replace("slope", "slp").replace("thal,", "thall,"),
        ),
    ],
)  # fmt: skip
def test_one_row_is_enough_to_ask(row, header):
    sample = read(row, header)
    assert "may not be those of UCI" in " ".join(sample.problems)


def test_the_codes_of_uci_are_read_as_ever():
    for rows in (UCI, UCI.replace("?", "0"), "61,1,4,142,231,1,2,151,0,2.1,0,0,0", UCI.splitlines()[0]):
        sample = read(rows)
        assert sample.problems == ()
        assert sample.matching.coding is None


def test_words_are_no_foreign_codes_and_unknown_codes_are_refused():
    words = "61,1,typical angina,142,231,1,normal,151,0,2.1,Flat,0,fixed defect"
    assert read(words).problems == ()
    sample = read("61,1,0,142,231,1,0,151,0,2.1,2,0,6")
    assert [one.name for one in sample.matching.coding.choices] == ["uci"]
    sample = read("61,1,0,142,231,1,0,151,0,2.1,2,0,5")
    assert sample.matching.coding.choices == ()
    assert "no known coding fits" in sample.problems[0]


def test_labelled_rows_in_other_codes_are_neither_learnt_nor_judged(tmp_path):
    file = tmp_path / "heart.csv"
    file.write_text(HEADER + ",target\n" + "\n".join(row + ",1" for row in KAGGLE.splitlines()))
    with pytest.raises(InvalidInput, match="may not be those of UCI") as refused:
        load(HEART, file, TrainSettings(target="target"))
    # No command on labelled data takes a mapping, and no column is missing.
    assert "--coding" not in refused.value.message
    assert "all columns" not in refused.value.hint
    assert "codes that docs/records.md lists" in refused.value.hint
