import pytest

from healthdash.signals.leads import is_lead_two, lead_kind, plain_name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("aVF", "AVF"), ("ECG aVF", "AVF"), ("EKG_aVF", "AVF"), ("Lead_I", "I"), ("ekg ii", "II"),
        ("ECG Lead II", "II"), ("LEADIII", "III"), ("ECG", "ECG"), ("ECG1", "ECG1"), ("MLII", "MLII"),
    ],
)  # fmt: skip
def test_the_words_before_a_lead_are_no_part_of_its_name(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert lead_kind(name) == "ecg"


@pytest.mark.parametrize(
    "name",
    [
        "II", " ii ", "MLII", "LII", "Lead II", "lead_ii", "ECG II", "ECGII", "ECG Lead II", "EKG_MLII", "D2",
        "ECG D2", "ECG 2", "ekg_2", "ECG2",
    ],
)  # fmt: skip
def test_lead_two_is_known_by_any_of_its_names(name: str) -> None:
    assert is_lead_two(name)


@pytest.mark.parametrize(
    "name", ["I", "III", "V2", "ECG Lead V1", "ECG 1", "ECG", "lead 2", "2", "aVF", "D3"]
)
def test_no_other_lead_is_lead_two(name: str) -> None:
    assert not is_lead_two(name)
