"""Synthetic files as hospitals write them: a table with Chinese headers, and a record of FHIR R4.

Every patient in them is invented.
"""

from __future__ import annotations

import json
from typing import Any

from healthdash.task import Example, Upload

__all__ = ["chinese_table", "fhir_record"]

_TABLE = """心内科随访（合成数据）
编号\t年龄\t性别\t胸痛类型\t静息血压(mmHg)\t总胆固醇(mmol/L)\t空腹血糖(mmol/L)\t静息心电图\t最大心率\t运动心绞痛\tST段压低\tST段斜率\t主要血管数\t铊扫描
1\t45\t女\t非心绞痛\t128/82\t5.3\t5.1\t正常\t165\t否\t0,0\t上斜\t0\t正常
2\t66\t男\t无症状\t152/90\t7.1\t7.9\t左心室肥厚\t121\t是\t2,2\t水平\t2\t可逆缺损
3\t58\t男\t非典型心绞痛\t140/85\t6.2\t\tST-T异常\t148\t否\t1,1\t水平\t\t正常
4\t51\t女\t典型心绞痛\t118/76\t4.8\t6.0\t正常\t171\t否\t0,4\t上斜\t0\t正常
"""


def chinese_table() -> Example:
    """Return a table in GB18030 with a title, tabs, decimal commas, Chinese words and mmol/L."""
    return Example(
        slug="heart-chinese",
        title="A table with Chinese headers",
        description="Synthetic: four invented patients; GB18030, cholesterol in mmol/L, words for codes.",
        make=lambda: [Upload("synthetic-heart-chinese.tsv", _TABLE.encode("gb18030"))],
    )


def fhir_record() -> Example:
    """Return a bundle of one patient with values of two visits, and one that was entered in error."""
    return Example(
        slug="heart-fhir",
        title="A record of FHIR",
        description="Synthetic: a FHIR R4 bundle of one invented patient, with the values of two visits.",
        make=lambda: [Upload("synthetic-heart-fhir.json", json.dumps(_bundle()).encode())],
    )


def _bundle() -> dict[str, Any]:
    patient = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1958-04-02"}
    resources = [
        patient,
        _pressure("2021-03-08", 138, 84),
        _pressure("2023-06-12", 152, 91),
        _measured("2093-3", "Total cholesterol", "2021-03-08", 251, "mg/dL"),
        _measured("14647-2", "Total cholesterol", "2023-06-12", 7.1, "mmol/L"),
        _measured("14771-0", "Fasting glucose", "2023-06-12", 7.4, "mmol/L"),
        _measured("2093-3", "Total cholesterol", "2023-07-01", 90, "mg/dL") | {"status": "entered-in-error"},
    ]
    entries = [{"fullUrl": f"urn:example:{number}", "resource": one} for number, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _measured(code: str, display: str, day: str, value: float, unit: str) -> dict[str, Any]:
    return _observation(code, display, day) | {"valueQuantity": _quantity(value, unit)}


def _pressure(day: str, systolic: float, diastolic: float) -> dict[str, Any]:
    parts = (("8480-6", "Systolic", systolic), ("8462-4", "Diastolic", diastolic))
    components = [
        {"code": _code(code, display), "valueQuantity": _quantity(value, "mm[Hg]")}
        for code, display, value in parts
    ]
    return _observation("85354-9", "Blood pressure panel", day) | {"component": components}


def _observation(code: str, display: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": _code(code, display),
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": day,
    }


def _code(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
