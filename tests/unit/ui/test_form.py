import csv
import io

from healthdash.fields import CategoryField, NumberField
from healthdash.ui.form import as_upload

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
