"""What was found in a table or a record, corrected on the page before the prediction."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.usefixtures("visited", "no_warm_up"), pytest.mark.tf]
TABLE = (
    b"patient age,gender,chest pain type,BP,Cholesterol (mmol/L),FBS,restecg,"
    b"Max HR,exang,oldpeak,slope,ca,thal\n"
    b"63,1,typical,145/90,6.0,1,0,150,N,2.3,Down,0,3\n"
    b"41,2,ATA,130/80,5.2,0,0,172,N,1.4,Up,0,3\n"
)


@pytest.fixture
def no_warm_up(monkeypatch):
    from healthdash.ui import shell

    monkeypatch.setattr(shell, "_warm_up_soon", lambda: None)


def _frame(app, column: str):
    return next(one.value for one in app.dataframe if column in one.value.columns)


def test_a_record_shows_its_sources_and_another_moment_gives_other_values(open_page):
    app = open_page("records", task="heart-disease", sample="heart-fhir")
    assert not app.exception
    told = _frame(app, "Place in the file").set_index("Field")
    assert told.loc["Serum cholesterol", ["Date", "Code", "Value"]].tolist() == [
        "2023-06-12", "LOINC 14647-2", "7.1 mmol/L",
    ]  # fmt: skip
    assert "5 of 13 fields" in "".join(one.value for one in app.markdown)
    app.date_input[0].set_value("2022-01-01").run(timeout=60)
    assert not app.exception
    told = _frame(app, "Place in the file").set_index("Field")
    assert told.loc["Serum cholesterol", "Value"] == "251 mg/dL"


def test_what_is_not_sure_is_asked_and_then_predicted(open_page):
    app = open_page("records", task="heart-disease")
    app.file_uploader[0].set_value([("t.csv", TABLE, "text/csv")]).run(timeout=60)
    assert any("1 and 2" in one.value for one in app.warning)
    assert (
        _frame(app, "Found by").set_index("Field").loc["Serum cholesterol", "Column"]
        == "Cholesterol (mmol/L)"
    )
    for label, code in (("Sex: 1 means", "1"), ("Sex: 2 means", "0")):
        next(one for one in app.selectbox if one.label == label).set_value(code)
    next(one for one in app.button if one.label == "Use these columns").click().run(timeout=60)
    assert not app.exception
    assert not app.error
    assert "Results" in "".join(one.value for one in [*app.subheader, *app.markdown])


def test_a_click_counts_though_the_same_table_comes_again_before_it_is_heard(open_page):
    app = open_page("records", task="heart-disease")
    app.file_uploader[0].set_value([("t.csv", TABLE, "text/csv")]).run(timeout=300)
    for label, code in (("Sex: 1 means", "1"), ("Sex: 2 means", "0")):
        next(one for one in app.selectbox if one.label == label).set_value(code)
    next(one for one in app.button if one.label == "Use these columns").click()
    # Both reach the server in one run; the file is taken first.
    app.file_uploader[0].set_value([("again.csv", TABLE, "text/csv")]).run(timeout=300)
    assert not app.exception
    assert not app.error
    assert _frame(app, "gate")["source"].unique().tolist() == ["again.csv"]


def test_words_for_one_table_are_not_taken_for_another(open_page):
    app = open_page("records", task="heart-disease")
    app.file_uploader[0].set_value([("t.csv", TABLE, "text/csv")]).run(timeout=300)
    next(one for one in app.selectbox if one.label == "Sex: 1 means").set_value("1")
    next(one for one in app.button if one.label == "Use these columns").click()
    other = TABLE.replace(b"restecg", b"ecg")
    app.file_uploader[0].set_value([("other.csv", other, "text/csv")]).run(timeout=300)
    assert not app.exception
    assert next(one for one in app.selectbox if one.label == "Sex: 1 means").value is None


RECODED = (
    b"age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal\n"
    b"61,1,3,142,231,1,0,151,0,2.1,0,0,1\n42,0,1,131,206,0,2,171,0,1.3,2,0,3\n"
)


def test_a_coding_is_chosen_once_for_all_tables_of_the_same_columns(open_page):
    app = open_page("records", task="heart-disease")
    files = [("a.csv", RECODED, "text/csv"), ("b.csv", RECODED, "text/csv"), ("c.csv", TABLE, "text/csv")]
    app.file_uploader[0].set_value(files).run(timeout=300)
    assert any("may not be those of UCI" in one.value for one in app.warning)
    assert any("2 tables have these columns" in one.value for one in app.caption)
    (layouts,) = (one for one in app.selectbox if "matched apart" in one.label)
    assert len(layouts.options) == 2
    next(one for one in app.button if one.label == "Use these codes").click().run(timeout=300)
    assert not app.exception
    results = _frame(app, "gate").set_index("source")
    assert set(results.loc[["a.csv", "b.csv"], "gate"]) == {"pass"}
    assert results.loc["c.csv", "gate"] == "refuse"
