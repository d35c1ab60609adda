"""Each hostile file is refused with its reason, in time, and costs the server next to no memory."""

from __future__ import annotations

import re
import time

import pytest

from benchmarks.memory import PeakMemory
from healthdash import apart, bundles, tasks
from healthdash.apart import jobs
from healthdash.apart.limits import Limits
from healthdash.errors import HealthdashError, OutOfScope
from healthdash.tables.read import read_text_table
from healthdash.task import Upload
from tests.hostile import dicom, pictures, signals, tables

_TASKS = {"images": "lung-ct", "ecg": "ecg-beats", "records": "heart-disease"}
_MOST_MIB, _MOST_S = 300, 14  # ten seconds of reading, and what a busy machine takes to say so
CASES = [*dicom.CASES, *pictures.CASES, *signals.CASES, *tables.CASES]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    apart.recognised([Upload("a", b"")])  # waits for the template


def read(case, uploads):
    if case.reader == "table":
        return apart.call(read_text_table, uploads[0].data)
    task = tasks.get(_TASKS[case.reader])
    bundle = bundles.get(task.slug)
    for group in apart.groups(task, uploads):
        gate = task.gate(apart.sample_of(task, group), bundle)  # a DICOM file without a picture gets so far
        if gate.verdict == "refuse":
            raise OutOfScope("; ".join(gate.reasons), hint=gate.hint)
    return None


def test_there_are_enough_of_them():
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file_is_refused_with_its_reason(case):
    uploads = case.uploads()
    started = time.monotonic()
    with PeakMemory() as memory, pytest.raises(HealthdashError) as refused:
        read(case, uploads)
    assert re.search(case.reason, refused.value.message, re.IGNORECASE), refused.value.message
    assert time.monotonic() - started < _MOST_S
    assert memory.more < _MOST_MIB


def test_nothing_of_a_preamble_is_kept():
    program = b"MZ" + b"\x90" * 100
    sample = apart.sample_of(tasks.get("lung-ct"), [Upload("a", dicom.whole(preamble=program))])
    assert program not in sample.pixels.tobytes()
    assert "\x90" not in repr(sample)


def test_a_valid_file_with_formulas_and_links_gives_their_stored_values():
    sheet = tables.rows(
        '<c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c>',
        "<c><f>[1]Other!A1</f><v>1</v></c><c><f>1+1</f><v>2</v></c>",
    )
    book = tables.workbook(sheet, **{"xl/vbaProject.bin": b"macro"})
    assert apart.call(read_text_table, book).frame.to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_jobs_work_here_as_they_do_apart():
    upload = Upload("a", dicom.whole())
    assert jobs.recognised((upload,)) == tuple(task.slug for task in apart.recognised([upload]))
    assert jobs.grouped("lung-ct", (upload,)) == ((0,),)


def test_many_files_and_large_ones_have_more_time_but_not_for_ever():
    usual = Limits.usual()
    assert Limits.usual(files=101).seconds == usual.seconds + 10
    assert usual.for_upload(1 << 20).seconds == usual.seconds
    assert usual.for_upload(108 << 20).seconds == usual.seconds + 20
    assert usual.for_upload(108 << 20).memory_mib == usual.memory_mib + 216
    assert usual.for_upload(1 << 40).seconds == usual.seconds + 90
