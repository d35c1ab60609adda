import pytest

from healthdash.signals.leads import lead_kind, plain_name


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
