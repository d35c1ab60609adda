"""Structured reports become readable text that names nobody."""

from pydicom import Dataset
from pydicom.sequence import Sequence

from healthdash.tasks.imaging.read import read
from healthdash.tasks.imaging.sample import Document
from healthdash.tasks.imaging.task import ChestXray

from . import written


def _code(meaning: str) -> Sequence:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = "1", "TEST", meaning
    return Sequence([made])


def _item(kind: str, concept: str = "", **elements: object) -> Dataset:
    made = Dataset()
    made.ValueType = kind
    if concept:
        made.ConceptNameCodeSequence = _code(concept)
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _report(*items: Dataset) -> Document:
    upload = written.dicom(
        None, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR", PatientName="Doe^Jane",
        PatientID="A-4711", ValueType="CONTAINER", ConceptNameCodeSequence=_code("Chest report"),
        ContentSequence=Sequence(list(items)),
    )  # fmt: skip
    sample = read([upload])
    assert isinstance(sample, Document)
    return sample


def test_tree_is_indented_text_with_codes_and_measures() -> None:
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = "12.5", _code("millimeter")
    section = _item(
        "CONTAINER", "Findings",
        ContentSequence=Sequence([
            _item("NUM", "Diameter", MeasuredValueSequence=Sequence([measured])),
            _item("CODE", "Location", ConceptCodeSequence=_code("Left upper lobe")),
            _item("IMAGE"),
        ]),
    )  # fmt: skip
    assert _report(section).text.splitlines() == [
        "Chest report",
        "  Findings",
        "    Diameter: 12.5 millimeter",
        "    Location: Left upper lobe",
        "    refers to a picture",
    ]


def test_names_and_identifiers_are_left_out() -> None:
    text = _report(
        _item("PNAME", "Observer", PersonName="Mill^John"),
        _item("UIDREF", "Study", UID="1.2.3"),
        _item("TEXT", "Medical record number", TextValue="998877"),
        _item(
            "TEXT",
            "Impression",
            TextValue="Jane Doe (A-4711) was seen by Mill and Dr. Grey. Lungs are clear.",
        ),
        _item("DATE", "Birth date", Date="19500101"),
    ).text
    for hidden in ("Mill", "1.2.3", "998877", "Jane", "Doe", "4711", "Grey", "1950"):
        assert hidden not in text
    assert "Lungs are clear." in text


def test_inspect_shows_the_text() -> None:
    described = ChestXray().describe(_report(_item("TEXT", "Impression", TextValue="Lungs clear.")))
    assert described["kind"] == "document"
    assert described["content"] == "Comprehensive SR Storage"
    assert "Lungs clear." in described["text"]


def test_a_report_is_refused_by_a_model_of_pictures_and_its_text_is_shown() -> None:
    report = _report(_item("TEXT", "Impression", TextValue="Lungs are clear."))
    task = ChestXray()
    gate = task.gate(report, None)  # type: ignore[arg-type]  (no model is asked about a report)
    assert gate.verdict == "refuse"
    assert "without one" in gate.reasons[0]
    (shown,) = task.show(report)
    assert shown.frame.iloc[:, 0].tolist() == ["Chest report", "\u2003Impression: Lungs are clear."]
    assert task.show(_report_of_nothing()) == ()


def _report_of_nothing() -> Document:
    sample = read([written.dicom(None)])
    assert isinstance(sample, Document)
    return sample
