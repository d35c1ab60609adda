"""The rates of `python -m benchmarks.gate`, as promises."""

import pytest

from benchmarks.gate import rates

pytestmark = [
    pytest.mark.data("imaging/chest_xray", "imaging/lung_ct", "imaging/dicom", "imaging/other_formats"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def measured(data):
    return {(rate.task, rate.kind): rate for rate in rates(data)}


@pytest.mark.parametrize("task", ["chest-xray", "lung-ct"])
def test_nearly_all_pictures_of_patients_left_out_pass(measured, task):
    rate = measured[task, "patients left out"]
    assert rate.share("pass") >= 0.985
    assert rate.share("refuse") <= 0.005


def test_pictures_of_the_other_task_do_not_pass(measured):
    assert measured["chest-xray", "pictures of lung-ct"].share("pass") == 0
    assert measured["lung-ct", "pictures of chest-xray"].share("refuse") >= 0.99


@pytest.mark.parametrize("task", ["chest-xray", "lung-ct"])
def test_what_shows_no_patient_does_not_pass(measured, task):
    assert measured[task, "made: noise, text, ramp, disc, photo"].share("pass") == 0


@pytest.mark.parametrize("task", ["chest-xray", "lung-ct"])
def test_other_files_do_not_pass_with_their_header(measured, task):
    assert measured[task, "other files, with header"].share("pass") == 0


@pytest.mark.parametrize("task", ["chest-xray", "lung-ct"])
def test_few_other_files_pass_without_their_header(measured, task):
    assert measured[task, "the same as plain pictures"].share("pass") <= 0.06
