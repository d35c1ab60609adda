"""Hospital stays of a record as rows of the task readmission: what the record says, and nothing else."""

from __future__ import annotations

import json

import pytest

from healthdash.errors import InvalidInput
from healthdash.fhir import read_stays
from healthdash.task import Upload
from healthdash.tasks.records import TASKS

from .test_records import bundle, condition, measured, patient

READMISSION = TASKS[1]
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"


def encounter(identity: str, start: str, end: str, kind: str = "IMP", **more) -> dict:
    return {
        "resourceType": "Encounter", "id": identity, "status": "finished", "class": {"code": kind},
        "subject": {"reference": "Patient/p"}, "period": {"start": start, "end": end}, **more,
    }  # fmt: skip


def in_stay(kind: str, link: str = "encounter", status: str = "completed", **more) -> dict:
    return {
        "resourceType": kind, "status": status, "subject": {"reference": "Patient/p"},
        link: {"reference": "Encounter/s"}, **more,
    }  # fmt: skip


def coded(code: str) -> dict:
    return {"coding": [{"code": code}]}


def medicine(name: str) -> dict:
    return {"medicationCodeableConcept": {"text": name}}


STAY = encounter(
    "s", "2021-03-01T10:00:00+01:00", "2021-03-06T09:00:00+01:00",
    priority=coded("EM"),
    hospitalization={"admitSource": coded("emd"), "dischargeDisposition": coded("snf")},
    diagnosis=[
        {"condition": {"reference": "Condition/b"}, "rank": 2},
        {"condition": {"reference": "http://a.example/fhir/Condition/a/_history/1"}, "rank": 1},
    ],
)  # fmt: skip
RECORD = (
    patient(birthDate="1955-04-02"),
    encounter("old", "2019-01-01", "2019-01-01", "AMB"),
    encounter("e1", "2020-06-01", "2020-06-01", "EMER"),
    encounter("i1", "2020-06-01", "2020-06-04"),
    encounter("a1", "2021-01-04", "2021-01-04", "AMB"),
    encounter("next", "2021-03-20", "2021-03-22", status="in-progress"),
    STAY,
    condition("428.0", ICD9, id="a"),
    condition("44054006", id="b"),
    in_stay("MedicationAdministration", "context", **medicine("Insulin glargine")),
    in_stay("MedicationAdministration", "context", **medicine("insulin glargine")),
    in_stay("MedicationAdministration", "context", **medicine("Furosemide")),
    in_stay("MedicationAdministration", "context", status="not-done", **medicine("Heparin")),
    in_stay("Procedure"),
    in_stay("Observation", status="final", category=[coded("laboratory")], code={}),
    measured(250, day="2021-03-02", code="2345-7"),
    measured(320, day="2021-03-04", code="2345-7"),
    measured(400, day="2021-02-04", code="2345-7"),
    measured(8.4, "%", day="2021-03-02", code="4548-4"),
    measured(81, "kg", day="2021-02-20", code="29463-7"),
)


def row(*resources: dict, number: int = -1) -> dict:
    sample = READMISSION.read([Upload("p.json", bundle(*resources))])
    return sample.frame.iloc[number].dropna().to_dict()


def test_parts_of_a_stay_are_no_stays_and_what_names_them_is_the_stays():
    inside = {"partOf": {"reference": "Encounter/i1"}}
    parts = (
        encounter("w1", "2020-06-01", "2020-06-02", **inside),
        encounter("w2", "2020-06-02", "2020-06-04", partOf={"reference": "Encounter/w1"}),
        encounter("icu", "2021-03-02", "2021-03-03", "ACUTE", partOf={"reference": "Encounter/s"}),
    )
    done = in_stay("Procedure") | {"encounter": {"reference": "Encounter/icu"}}
    assert row(*RECORD, *parts, done)["number_inpatient"] == row(*RECORD)["number_inpatient"]
    assert row(*RECORD, *parts, done)["num_procedures"] == row(*RECORD)["num_procedures"] + 1
    sample = READMISSION.read([Upload("p.json", bundle(*RECORD, *parts))])
    assert len(sample.frame) == 2
    alone = encounter("w3", "2020-06-01", "2020-06-04", partOf={"reference": "Encounter/elsewhere"})
    assert len(READMISSION.read([Upload("p.json", bundle(*RECORD, alone))]).frame) == 3


def test_a_stay_becomes_a_row_with_what_the_record_says():
    found = {name: value for name, value in row(*RECORD).items() if value != ""}
    assert found == {
        "gender": "Female", "age": "[60-70)", "weight": "[75-100)", "admission_type_id": "1",
        "discharge_disposition_id": "3", "admission_source_id": "7", "time_in_hospital": 5,
        "num_lab_procedures": 1, "num_procedures": 1, "num_medications": 2, "number_outpatient": 1,
        "number_emergency": 1, "number_inpatient": 1, "diag_1": "428.0", "number_diagnoses": 2,
        "max_glu_serum": ">300", "A1Cresult": ">8", "diabetesMed": "Yes",
    }  # fmt: skip


def test_each_value_names_its_resource_and_the_rest_is_named_as_missing():
    sample = READMISSION.read([Upload("p.json", bundle(*RECORD))])
    last = max(one.row for one in sample.matching.origins)
    told = {one.column: one for one in sample.matching.origins if one.row == last}
    assert (told["discharge_disposition_id"].resource, told["discharge_disposition_id"].place) == (
        "Encounter", "entry[6]",
    )  # fmt: skip
    assert told["diag_1"].resource == "Condition"
    assert told["A1Cresult"].code == "LOINC 4548-4"
    missing = {line.field for line in sample.matching.complete if line.state == "missing"}
    assert {"payer_code", "medical_specialty", "insulin", "metformin", "change", "diag_2"} <= missing


def test_a_stay_of_which_too_little_is_known_is_not_scored():
    """Without drugs and diagnoses the model's output was 0.21 on average where 0.11 came back."""
    sample = READMISSION.read([Upload("p.json", bundle(*RECORD))])
    with pytest.raises(InvalidInput, match="16 of 34 fields are missing"):
        READMISSION.validate(sample)
    (table,) = next(one for one in READMISSION.examples() if one.slug.endswith("table")).make()
    READMISSION.validate(READMISSION.read([table]))


def test_what_the_record_does_not_say_is_not_known_and_no_zero():
    bare = row(patient(), encounter("s", "2021-03-01", "2021-03-01"), condition("44054006"))
    known = {name for name, value in bare.items() if value != ""}
    # A record that begins with the stay knows nothing of the year before.
    assert known == {"gender", "age", "time_in_hospital"}
    assert bare["time_in_hospital"] == 1


def test_stays_before_a_moment_and_the_words_about_them():
    assert len(read_stays(bundle(*RECORD)).frame) == 2
    assert len(read_stays(bundle(*RECORD), "2021-03-06").frame) == 1
    notices = " ".join(read_stays(bundle(*RECORD)).notices)
    assert "2 hospital stays" in notices
    assert "not finished" in notices
    assert "no diabetes" not in notices
    assert "no diabetes" in " ".join(read_stays(bundle(patient(), STAY)).notices)


@pytest.mark.parametrize(
    "resources",
    [
        (patient(), encounter("s", "2021-03-01", "2021-03-02", "AMB")),
        (patient(), {**STAY, "status": "entered-in-error"}),
        (patient(), {**STAY, "period": {"start": "2021-03-01"}}),
        (patient(), {**STAY, "period": {"start": "0001-01-01", "end": "0001-01-02"}}),
        (patient(), {**STAY, "period": "yesterday", "hospitalization": [], "diagnosis": {}}),
    ],
)
def test_a_record_without_a_finished_stay_is_refused(resources):
    with pytest.raises(InvalidInput, match="expected a finished hospital stay"):
        read_stays(bundle(*resources))
    assert json.loads(bundle(*resources))
