"""Whose a finding is, and which version of a resource counts."""

from __future__ import annotations

import json

import pytest

from healthdash.fhir import read_fhir, read_stays
from healthdash.fhir.table import column_of

from .test_records import CHOL, bundle, condition, measured, patient
from .test_stays import encounter, in_stay

UUID = "urn:uuid:0b9f7e0c-90a3-4f0e-8d5c-0d0c3f1c000{}"
NAMED = {"name": [{"given": ["Anna"]}]}
MALE = {"gender": "male", "birthDate": "1950-01-01"}


def addressed(*entries: tuple[str, dict]) -> bytes:
    told = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": told}).encode()


def lines(*resources: dict | bytes) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)


def about(reference: str) -> dict:
    return {"subject": {"reference": reference}}


def rows(data: bytes) -> list[list[str]]:
    return read_fhir(data).frame.reindex(columns=["Sex", CHOL]).fillna("").to_numpy().tolist()


OWN = [["male", "180"], ["female", "300"]]


@pytest.mark.parametrize(
    "data",
    [
        addressed(
            ("urn:uuid:1", patient(**MALE)), ("urn:uuid:2", measured(180, **about("urn:uuid:1"))),
            ("urn:uuid:3", patient()), ("urn:uuid:4", measured(300, **about("urn:uuid:3"))),
        ),
        addressed(
            ("http://a.org/fhir/Patient/p", patient(**MALE)), ("http://b.org/fhir/Patient/p", patient()),
            ("http://b.org/fhir/Observation/1", measured(300, id="1")),
            ("https://a.org/fhir/Observation/1/_history/2", measured(180, id="1")),
        ),
        lines(bundle(patient(**MALE), measured(180, id="1")), bundle(patient(), measured(300, id="1"))),
        lines(bundle(measured(180), patient(**MALE)), patient(), measured(300)),
        b"[" + bundle(patient(**MALE), measured(180)) + b"," + bundle(patient(), measured(300)) + b"]",
    ],
    ids=["urn", "servers", "bundles", "bundle and lines", "list"],
)  # fmt: skip
def test_two_people_of_one_id_are_two_rows(data):
    assert rows(data) == OWN


def test_people_of_one_age_and_sex_are_told_apart_by_identifier_or_name():
    def called(given: object) -> bytes:
        return bundle(patient(name=[{"given": [given]}]), measured(300))

    def numbered(*values: str) -> bytes:
        return bundle(
            patient(identifier=[{"system": "urn:a", "value": one} for one in values]), measured(300)
        )

    assert len(rows(lines(called("Anna"), called("Berta"), called("Anna")))) == 2
    assert len(rows(lines(numbered("1"), numbered("2"), numbered("3", "1")))) == 2


def test_people_without_identifier_and_name_are_not_one_for_their_id_and_age():
    def one(value: float, **more) -> bytes:
        return bundle(patient(**more), measured(value, id=str(value)))

    found = read_fhir(lines(one(180), one(300), one(200, name=[{"family": ""}])))
    assert found.frame[CHOL].tolist() == ["180", "300", "200"]
    assert not found.notices


def test_a_bare_reference_to_one_of_several_people_is_nobodys():
    data = addressed(
        ("urn:uuid:1", patient(**MALE)), ("urn:uuid:3", patient()), ("urn:uuid:4", measured(300))
    )
    found = read_fhir(data)
    assert CHOL not in found.frame
    assert "1 finding was left out: without a patient." in found.notices
    two = lines(bundle(patient(**MALE)), bundle(patient()), bundle(measured(300)))
    assert "1 finding was left out: without a patient." in read_fhir(two).notices
    # Nor does an address on another server mean the only patient of that id in another bundle.
    here, there = ("http://a.org/Patient/p", patient()), ("http://b.org/Observation/1", measured(300))
    assert rows(lines(addressed(here), addressed(there))) == [["female", ""], ["", "300"]]


@pytest.mark.parametrize(
    "data",
    [
        lines(patient(), measured(300), measured(180, day="2019-01-01")),
        lines(bundle(patient()), bundle(measured(300))),
        lines(
            bundle(patient(**NAMED), measured(300)),
            bundle(patient(**NAMED, address=[{"city": "X"}]), measured(180, day="2019")),
        ),
        addressed(("http://a.org/Patient/p", patient()), ("urn:uuid:9", measured(300))),
        addressed((UUID.format(1), patient()), (UUID.format(2), measured(300))),
        lines(addressed((UUID.format(1), patient())), bundle(measured(300, **about(UUID.format(1))))),
        bundle(patient(), measured(300, **about("https://a.org/fhir/Patient/p/_history/3"))),
        # One server under two addresses.
        addressed(("http://a.org/Patient/p", patient()), ("http://b.org/Observation/1", measured(300))),
        addressed(
            ("http://a.org/Patient/p", patient()),
            ("http://a.org/Observation/1", measured(300, **about("https://b:8443/Patient/p"))),
        ),
    ],
)  # fmt: skip
def test_references_across_lines_and_bundles_find_the_one_patient(data):
    assert rows(data) == [["female", "300"]]


A, B, C = "http://a.org/", "http://b.org/", "http://c.org/"
OF_ANNA = (A + "Observation/7", measured(180, **about(A + "Patient/1")))


@pytest.mark.parametrize("reference", [B + "Patient/1", "Patient/1"])
@pytest.mark.parametrize(
    "others", [[(B + "Patient/2", patient("2", **MALE)), OF_ANNA], [OF_ANNA]], ids=["patient", "finding"]
)
def test_a_patient_of_another_server_is_not_the_one_of_its_id_beside_it(reference, others):
    anna, strange = (A + "Patient/1", patient("1")), (B + "Observation/9", measured(300, **about(reference)))
    found = rows(addressed(anna, *others, strange))
    assert ["female", "180"] in found
    assert ["", "300"] in found
    assert len(found) == len(others) + 1


def test_an_address_that_is_told_of_two_servers_is_taken_as_it_is():
    strange = (B + "Observation/9", measured(300, **about(B + "Patient/1")))
    assert rows(addressed((A + "Patient/1", patient("1")), strange)) == [["female", ""], ["", "300"]]
    own = (UUID.format(1), patient("1"))
    assert rows(addressed(own, strange)) == [["female", "300"]]
    found = rows(addressed(own, (B + "Patient/2", patient("2", **MALE)), strange))
    assert found == [["female", ""], ["male", ""], ["", "300"]]


def test_an_address_of_no_entry_of_the_bundle_is_another_one_of_its_server():
    gateway = (A + "Observation/9", measured(300, day="2020", **about(C + "Patient/1")))
    found = rows(addressed((A + "Patient/1", patient("1")), (B + "Patient/2", patient("2")), gateway))
    assert found == [["female", "300"], ["female", ""]]


def versioned(value: float, when: str = "", **more) -> dict:
    meta = {"meta": {"lastUpdated": when}} if when else {}
    return measured(value, id="b", **({"day": "2019-01-01"} | meta | more))


OLDER, NEWER = "2019-03-01T23:30:00-05:00", "2019-03-02T05:00:00Z"
ERROR = {"status": "entered-in-error"}
EARLIER = measured(180, id="a", day="2018-01-01")


@pytest.mark.parametrize(
    "data",
    [
        lines(patient(), EARLIER, versioned(500, OLDER), versioned(500, NEWER, **ERROR)),
        lines(patient(), versioned(500, NEWER, **ERROR), EARLIER, versioned(500, OLDER)),
        lines(patient(), EARLIER, versioned(500), versioned(500, **ERROR)),
        lines(patient(), EARLIER, versioned(500, OLDER), versioned(500, **ERROR, **about("Patient/q"))),
        lines(
            bundle(patient(), EARLIER, versioned(500, OLDER)),
            bundle(measured(9, day="2010"), versioned(500, NEWER, **ERROR)),
        ),
        addressed(
            ("http://a.org/Patient/p", patient()), ("http://a.org/Observation/a", EARLIER),
            ("http://a.org/Observation/b/_history/2", versioned(500, NEWER, **ERROR)),
            ("http://a.org/Observation/b/_history/1", versioned(500, OLDER)),
        ),
    ],
    ids=["lines", "newest first", "no time", "another patient", "bundles", "history"],
)  # fmt: skip
def test_only_the_newest_version_of_a_resource_counts(data):
    found = read_fhir(data)
    assert found.frame[CHOL][0] == "180"
    assert sum("resource" in notice and "newer version" in notice for notice in found.notices) == 1


def test_what_a_left_out_version_contains_goes_with_it_and_what_has_no_id_stays():
    old = versioned(500, OLDER, contained=[patient("c")], **about("#c"))
    new = versioned(300, NEWER, contained=[patient("c")], **about("#c"))
    assert rows(bundle(old, new)) == [["female", "300"]]
    assert not read_fhir(bundle(patient(), measured(1), measured(2))).notices
    assert rows(lines(patient(**MALE), patient(), measured(300))) == [["female", "300"]]


@pytest.mark.parametrize("server", ["", "http://a.org/fhir/"])
def test_bundles_of_one_server_that_overlap_give_a_stay_once(server):
    stay = encounter("s", "2021-03-01", "2021-03-06")
    test = in_stay("Observation", status="final", id="o", category=[{"coding": [{"code": "laboratory"}]}])
    made = [(one, f"{server}{one['resourceType']}/{one['id']}") for one in (patient(**NAMED), stay, test)]
    one = addressed(*((url if server else "", resource) for resource, url in made))
    found = read_stays(lines(one, one))
    assert len(found.frame) == 1
    assert next(told.told for told in found.origins if told.column == column_of("lab_count")).startswith(
        "1 of"
    )
    assert "3 resources were left out" in " ".join(found.notices)


def test_stays_of_one_id_have_their_own_diagnoses_and_parts():
    def record(code: str, **person) -> bytes:
        listed = [{"condition": {"reference": "Condition/c"}, "rank": 1}]
        return bundle(
            patient(**person),
            encounter("s", "2021-03-01", "2021-03-06", diagnosis=listed),
            encounter("w", "2021-03-02", "2021-03-03", partOf={"reference": "Encounter/s"}),
            condition(code, "http://hl7.org/fhir/sid/icd-9-cm", id="c"),
            in_stay("Procedure", id="x"),
        )

    found = read_stays(lines(record("428.0"), record("250.00", **MALE))).frame
    columns = [column_of("diagnosis_1"), column_of("procedure_count")]
    assert found[columns].to_numpy().tolist() == [["428.0", "1"], ["250.00", "1"]]


def test_stays_that_are_parts_of_each_other_are_one():
    def part_of(name: str) -> dict:
        return {"partOf": {"reference": f"Encounter/{name}"}}

    circle = [
        encounter(one, "2021-03-01", "2021-03-06", **part_of(above)) for one, above in ("ab", "bc", "ca")
    ]
    assert len(read_stays(bundle(patient(), *circle)).frame) == 1


def status(*codings: tuple[str, str]) -> dict:
    return {"coding": [{"system": system, "code": code} for system, code in codings]}


LOCAL, CODES = "urn:local", "http://terminology.hl7.org/CodeSystem/"


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({"clinicalStatus": status((LOCAL, "9"), (CODES + "condition-clinical", "resolved"))}, False),
        ({"clinicalStatus": status((LOCAL, "resolved"), (CODES + "condition-clinical", "active"))}, True),
        ({"clinicalStatus": status((LOCAL, "9"), ("", "remission"))}, False),
        ({"verificationStatus": status((LOCAL, "7"), (CODES + "condition-ver-status", "confirmed"))}, True),
        ({"verificationStatus": status((LOCAL, "7"), ("", "confirmed"))}, True),
        ({"verificationStatus": status((LOCAL, "confirmed"), (CODES + "condition-ver-status", "x"))}, False),
        ({"verificationStatus": {"coding": [{"code": ["confirmed"], "system": 7}, 3]}}, True),
    ],
)  # fmt: skip
def test_the_order_of_the_codings_of_a_status_means_nothing(more, counts):
    found = read_fhir(bundle(patient(), condition("44054006", **more))).frame
    assert ("Diabetes mellitus" in found) == counts


def test_names_of_odd_types_are_as_if_they_were_not_there():
    odd = patient(identity=["p"], meta=[7], identifier={"value": []}, name=[{"given": "x", "family": 3}, 1])
    seen = measured(300, id={}, meta={"lastUpdated": 2019}, subject={"reference": ["Patient/p"]})
    found = read_fhir(bundle(odd, odd, seen, measured(180, id=[1], subject=[1])))
    assert len(found.frame) == 2
    assert "2 findings were left out: without a patient." in found.notices
