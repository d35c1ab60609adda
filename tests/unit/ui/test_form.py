import csv
import io

from healthdash.fields import CategoryField, NumberField
from healthdash.ui.form import as_table, as_upload

FIELDS = (
    NumberField(name="age", label="Age", unit="years"),
    NumberField(name="oldpeak", label="ST depression", step=0.1),
    CategoryField(name="weight", label="Weight", choices={"[0-25)": "light", "None": "none"}),
)


def test_a_typed_row_is_a_table_with_gaps_where_nothing_is_known():
    upload = as_upload(FIELDS, {"age": 63.0, "oldpeak": None, "weight": "None"})
    header, row = csv.reader(io.StringIO(upload.data.decode()))
    assert header == ["age", "oldpeak", "weight"]
    assert row == ["63", "", "None"]


def test_a_code_with_a_comma_stays_one_cell():
    upload = as_upload(FIELDS, {"weight": "a,b"})
    assert list(csv.reader(io.StringIO(upload.data.decode())))[1][2] == "a,b"


def test_numbers_keep_all_their_digits():
    upload = as_upload(FIELDS, {"age": 20191231.0, "oldpeak": 263358.03})
    assert list(csv.reader(io.StringIO(upload.data.decode())))[1] == ["20191231", "263358.03", ""]


def test_an_empty_table_has_every_column_whatever_its_name_holds():
    fields = (NumberField(name="Age\n(years)", label="Age"), *FIELDS)
    (header,) = csv.reader(io.StringIO(as_table(fields, []).data.decode()))
    assert header == [field.name for field in fields]
