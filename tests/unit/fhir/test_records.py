from __future__ import annotations

import json

import pytest

from healthdash.errors import HealthdashError, InvalidInput, UnreadableUpload
from healthdash.fhir import looks_like_fhir, read_fhir
from healthdash.fhir.codes import known_code
from healthdash.fhir.moments import asked, moment_of, years_between
from healthdash.task import Upload
from healthdash.tasks.records import TASKS
from healthdash.tasks.records.foreign_samples import fhir_record

HEART, READMISSION = TASKS[:2]
CHOL, SYSTOLIC = "Total cholesterol (mg/dL)", "Systolic blood pressure at rest (mmHg)"


def patient(identity: str = "p", **more) -> dict:
    return {"resourceType": "Patient", "id": identity, "gender": "female", "birthDate": "1960-06-15", **more}


def measured(
    value: float, unit: str = "mg/dL", day: str = "2020-01-01", code: str = "2093-3", **more
) -> dict:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "code": unit},
        **more,
    }


def condition(code: str, system: str = "http://snomed.info/sct", **more) -> dict:
    return {
        "resourceType": "Condition",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": "Patient/p"},
        **more,
    }


def bundle(*resources: dict) -> bytes:
    entries = [{"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def values(data: bytes, before: str = "", row: int = 0) -> dict[str, str]:
    return read_fhir(data, before).frame.iloc[row].to_dict()


def test_the_latest_value_before_a_moment_is_taken_and_says_where_it_comes_from():
    data = bundle(patient(), measured(250, day="2021-03-01"), measured(200, day="2019-05-01"))
    assert values(data)[CHOL] == "250"
    found = read_fhir(data, "2021-03-01")
    assert found.frame[CHOL][0] == "200"
    (origin,) = (one for one in found.origins if one.column == CHOL)
    assert (origin.resource, origin.place, origin.date) == ("Observation", "entry[2]", "2019-05-01")
    assert (origin.code, origin.told) == ("LOINC 2093-3", "200 mg/dL")
    assert "before 2021-03-01" in found.notices[0]
    assert CHOL not in values(data, "2019-05-01")  # that day itself does not count


def test_a_day_is_that_of_the_records_own_clock():
    """A value of 06:30 in Shanghai is of that day, though it is the evening before in UTC."""
    data = bundle(patient(), measured(200, day="2019-05-01T06:30:00+08:00"))
    assert CHOL not in values(data, "2019-05-01")
    assert values(data, "2019-05-02")[CHOL] == "200"
    assert CHOL not in values(data, "2019-04-30T22:30:00Z")  # an instant is compared as one
    assert values(data, "2019-04-30T22:31:00Z")[CHOL] == "200"
    late = bundle(patient(), measured(200, day="2019-05-01T22:00:00-05:00"))
    assert values(late, "2019-05-02")[CHOL] == "200"


def test_units_are_converted_and_values_that_are_no_exact_number_left_out():
    assert values(bundle(patient(), measured(6.0, "mmol/L")))[CHOL] == "231.996"
    bounded = measured(5) | {"valueQuantity": {"value": 5, "code": "mg/dL", "comparator": "<"}}
    found = read_fhir(
        bundle(patient(), bounded, measured(5, "[foot_us]"), measured(5) | {"valueQuantity": {}})
    )
    assert CHOL not in found.frame
    assert {notice.split(": ")[1] for notice in found.notices} == {
        "only bounded, such as below 5.", "in a unit that is missing or not known.",
    }  # fmt: skip


@pytest.mark.parametrize(
    "status", ["entered-in-error", "cancelled", "registered", "preliminary", "unknown", None]
)
def test_what_is_no_result_says_nothing(status):
    assert CHOL not in values(bundle(patient(), measured(250, status=status)))


def test_what_is_refuted_over_or_changed_in_meaning_says_nothing():
    def status(name: str, code: str) -> dict:
        return {name: {"coding": [{"code": code}]}}

    hypertension = "Hypertension"
    assert values(bundle(patient(), condition("38341003")))[hypertension] == "yes"
    for more in (
        status("verificationStatus", "refuted"),
        status("verificationStatus", "entered-in-error"),
        status("clinicalStatus", "resolved"),
        {"modifierExtension": [{"url": "urn:x"}]},
        {"abatementDateTime": "2015"},
    ):
        assert hypertension not in values(bundle(patient(), condition("38341003", **more)))
    past = condition("38341003", onsetDateTime="2010", abatementDateTime="2015-01-01")
    assert values(bundle(patient(), past), "2014-01-01")[hypertension] == "yes"


@pytest.mark.parametrize(
    ("system", "code", "field"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "I48.91", "atrial_fibrillation"),
        ("http://hl7.org/fhir/sid/icd-10", "I48.0", "atrial_fibrillation"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "I48.92", "atrial_flutter"),
        ("http://hl7.org/fhir/sid/icd-10", "I48.3", "atrial_flutter"),
        ("http://snomed.info/sct", "401314000", "myocardial_infarction"),
        ("http://loinc.org", "14631-6", "bilirubin"),
    ],
)
def test_flutter_is_no_fibrillation_and_codes_of_other_countries_are_known(system, code, field):
    found = known_code({"coding": [{"system": system, "code": code}]})
    assert found is not None
    assert found.field == field


def test_urea_in_moles_becomes_urea_nitrogen():
    found = values(bundle(patient(), measured(5.0, "mmol/L", code="22664-7")))
    assert found["Urea nitrogen (mg/dL)"] == "14.007"


def test_codes_of_icd_stand_for_those_below_them():
    def field(system: str, code: str) -> str:
        found = known_code({"coding": [{"system": system, "code": code}]})
        return found.field if found else ""

    assert field("http://hl7.org/fhir/sid/icd-10", "E11.9") == "diabetes"
    assert field("http://hl7.org/fhir/sid/icd-10-cm", "I50.22") == "heart_failure"
    assert field("http://hl7.org/fhir/sid/icd-9-cm", "250.02") == "diabetes"
    assert field("http://hl7.org/fhir/sid/icd-9-cm", "427.31") == "atrial_fibrillation"
    assert field("http://hl7.org/fhir/sid/icd-9-cm", "427.5") == ""
    assert field("http://loinc.org", "2093") == ""


def test_an_occlusion_without_infarction_is_no_stroke():
    def field(code: str) -> str:
        found = known_code({"coding": [{"system": "http://hl7.org/fhir/sid/icd-9-cm", "code": code}]})
        return found.field if found else ""

    assert {field(code) for code in ("434.01", "434.11", "43491", "433.11")} == {"stroke"}
    assert {field(code) for code in ("434.00", "434.10", "434.90", "434", "434.9", "433.10")} == {""}


def test_a_percentage_of_the_ifcc_protocol_and_a_clearance_are_left_out():
    """5.3 % by IFCC is 53 mmol/mol, which is 7.0 % by NGSP; mL/min is not told for 1.73 m2."""
    assert float(
        values(bundle(patient(), measured(53, "mmol/mol", code="59261-8")))["Haemoglobin A1c (%)"]
    ) == (pytest.approx(7.0, abs=0.01))
    for code, value, unit in (("59261-8", 5.3, "%"), ("33914-3", 70, "mL/min")):
        found = read_fhir(bundle(patient(), measured(value, unit, code=code)))
        assert not {"Haemoglobin A1c (%)", "Estimated glomerular filtration rate"} & set(found.frame)
        assert "left out" in " ".join(found.notices)


def test_components_of_a_panel_and_contained_patients():
    panel = measured(0, code="85354-9") | {
        "component": [
            {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
             "valueQuantity": {"value": 18, "code": "kPa"}},
            {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
             "valueQuantity": {"value": 84, "code": "mm[Hg]"}},
        ],
    }  # fmt: skip
    found = read_fhir(bundle(patient(), panel))
    assert float(found.frame[SYSTOLIC][0]) == pytest.approx(135.01, abs=0.01)
    assert "entry[1] component[0]" in {one.place for one in found.origins}
    alone = measured(250) | {"contained": [patient("x")], "subject": {"reference": "#x"}}
    assert values(json.dumps(alone).encode())["Sex"] == "female"


def test_contained_patients_of_one_name_are_different_people():
    one = measured(150) | {"contained": [patient("p1", gender="male")], "subject": {"reference": "#p1"}}
    other = measured(300) | {"contained": [patient("p1")], "subject": {"reference": "#p1"}}
    found = read_fhir(bundle(one, other)).frame
    assert found[[CHOL, "Sex"]].to_numpy().tolist() == [["150", "male"], ["300", "female"]]
    assert values(json.dumps(other).encode())[CHOL] == "300"


def test_several_patients_are_several_rows_and_lines_of_ndjson_join():
    other = measured(180) | {"subject": {"reference": "Patient/q"}}
    lines = [patient(), patient("q", gender="male"), measured(250), other]
    data = b"\n".join(json.dumps(one).encode() for one in lines)
    assert looks_like_fhir(data)
    found = read_fhir(data)
    assert found.frame[CHOL].tolist() == ["250", "180"]
    assert found.frame["Sex"].tolist() == ["female", "male"]
    assert {one.place for one in found.origins if one.column == CHOL} == {"line 3", "line 4"}


def test_age_is_that_of_the_moment_and_the_birth_date_is_not_told():
    data = bundle(patient(), measured(250, day="2020-06-14"))
    assert values(data)["Age (years)"] == "59"
    assert values(data, "2030-06-15")["Age (years)"] == "70"
    assert values(bundle(patient(deceasedDateTime="2010-01-01")))["Age (years)"] == "49"
    assert not any("1960" in repr(one) for one in read_fhir(data).origins)


def test_dates_of_any_precision():
    assert moment_of("2019-02").end.day == 28
    assert moment_of("2019-05-01T23:30:00-04:00").day == "2019-05-01"
    assert moment_of("2019-13") is moment_of("soon") is None
    assert years_between("2000", moment_of("2020-01-01").start.date()) == 20
    assert asked("") is None
    with pytest.raises(InvalidInput, match="2019-05-01"):
        asked("last spring")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"resourceType": "Patient"', "damaged"),
        (b'{"a": 1}', "other JSON"),
        (b'{"resourceType": "Bundle"}', "no"),
        (b'{"resourceType": "Practitioner", "id": "x"}', "Practitioner alone"),
        (b'{"resourceType": "Bundle", "entry": [3, null, {"resource": []}]}', "found none"),
        (b"[" * 100_000, "damaged"),
        (bundle({"resourceType": "Observation", "status": "final", "code": 7}), "known here"),
        (bundle(measured(250, status="cancelled")), "left out were: 1 cancelled"),
    ],
)
def test_what_tells_nothing_of_a_patient_is_refused_with_the_reason(data, message):
    with pytest.raises(UnreadableUpload, match=message) as caught:
        read_fhir(data)
    assert caught.value.hint


def test_a_document_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("healthdash.fhir.document._MOST_BYTES", 100)
    with pytest.raises(InvalidInput, match="JSON in one document"):
        read_fhir(bundle(patient(), measured(250)))


def test_a_record_becomes_the_row_of_a_task_with_its_sources():
    (upload,) = fhir_record().make()
    sample = HEART.read([upload])
    HEART.validate(sample)
    row = sample.frame.iloc[0]
    assert (row["age"], row["sex"], row["trestbps"], row["fbs"]) == (65, "1", 152, "1")
    assert row["chol"] == pytest.approx(274.529)
    told = HEART.provenance(sample, 0)
    assert {one["field"] for one in told["sources"]} == {"age", "sex", "trestbps", "chol", "fbs"}
    before = HEART.read([Upload(upload.name, upload.data, {"before": "2022-01-01"})])
    assert before.frame["chol"][0] == 251
    assert before.frame["fbs"][0] == ""


def test_age_and_sex_alone_are_no_findings():
    sample = HEART.read([Upload("p.json", bundle(patient()))])
    with pytest.raises(InvalidInput, match="beyond age and sex") as told:
        HEART.validate(sample)
    assert "later moment" in told.value.hint
    two = bundle(patient(), patient("q"), measured(250))
    found = HEART.read([Upload("p.json", two)])
    assert list(found.refused) == [1]
    assert list(found.frame.index) == [0]


@pytest.mark.data("fhir/hl7_r4_examples")
def test_every_example_of_hl7_gives_rows_or_a_clear_refusal(data):
    read, refused = 0, 0
    for file in sorted((data / "fhir/hl7_r4_examples").glob("*.json")):
        content = file.read_bytes()
        assert looks_like_fhir(content)
        try:
            found = read_fhir(content)
        except HealthdashError:
            refused += 1
        else:
            assert len(found.frame) > 0
            read += 1
    assert (read, refused) == (read, 290 - read)
    assert read >= 50


@pytest.mark.data("fhir/synthea_r4")
def test_every_patient_of_synthea_gives_a_row(data):
    files = sorted((data / "fhir/synthea_r4").glob("*_*_*.json"))
    assert files
    for file in files:
        document = json.loads(file.read_bytes())
        sample = HEART.read([Upload("p.json", file.read_bytes())])
        HEART.validate(sample)
        assert len(sample.frame) == 1
        # The last value by hand, of final observations only.
        told = [
            (one["resource"]["effectiveDateTime"], one["resource"]["valueQuantity"]["value"])
            for one in document["entry"]
            if one["resource"]["resourceType"] == "Observation"
            and one["resource"]["code"]["coding"][0]["code"] == "2093-3"
        ]
        assert sample.frame["chol"].notna()[0] == bool(told)
        if told:
            assert sample.frame["chol"][0] == pytest.approx(max(told)[1], rel=1e-5)
