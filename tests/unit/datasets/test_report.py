"""The report of labelled files: what was planted is found, and clean data are left in peace."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from healthdash.datasets.items import replayed
from healthdash.datasets.listing import LABEL, PATH, Listing
from healthdash.datasets.report import checked, report, settled
from healthdash.datasets.steps import ItemCleaning, KeepTogether, LeaveOut
from healthdash.datasets.survey import Survey
from healthdash.errors import InvalidInput, TooLittleData
from healthdash.tables.findings import stopping
from healthdash.tables.steps import GroupBy, LeaveOutRows

COUNT = 120
RNG = np.random.default_rng(0)


def listing(labels=None, **columns) -> Listing:
    labels = ["ill" if n % 2 else "well" for n in range(COUNT)] if labels is None else labels
    frame = pd.DataFrame({PATH: [f"{n}.png" for n in range(COUNT)], LABEL: labels, **columns}, dtype=object)
    return Listing(Path(), frame, "a table", "picture", columns=(LABEL, *columns))


def survey(**changes) -> Survey:
    signatures = RNG.normal(size=(COUNT, 64))
    signatures -= signatures.mean(axis=1, keepdims=True)
    signatures /= np.linalg.norm(signatures, axis=1, keepdims=True)
    made = {
        "unit": "picture",
        "reasons": np.array([""] * COUNT),
        "contents": np.array([f"c{n}" for n in range(COUNT)]),
        "signatures": signatures.astype(np.float32),
        "alike": 0.95,
        "traits": pd.DataFrame({"width": RNG.integers(80, 90, COUNT).astype(str)}, dtype=object),
        "statistics": RNG.normal(size=(COUNT, 3)).astype(np.float32),
    }
    return Survey(**{**made, **changes})


def codes(found) -> set[str]:
    return {one.code for one in found.findings}


def test_clean_data_are_left_in_peace():
    assert codes(report(listing(), survey())) == set()
    assert settled(listing(), survey())[0] == []


def test_files_that_cannot_be_used_are_counted_by_reason_and_left_out():
    reasons = np.array(["cut off"] * 3 + [""] * (COUNT - 3))
    steps, found = settled(listing(), survey(reasons=reasons))
    assert steps == [LeaveOut(what="unreadable")]
    assert len(found.items) == COUNT - 3
    (told,) = [one for one in report(listing(), survey(reasons=reasons)).findings if one.code == "unreadable"]
    assert "3 x cut off" in told.words


@pytest.mark.parametrize("steps", [(), (LeaveOut(what="unreadable"),)])
def test_where_no_file_can_be_used_the_error_tells_the_commonest_reason_and_its_hint(steps):
    reasons = np.array(["no rate"] * (COUNT - 3) + ["cut off"] * 3)
    made = survey(reasons=reasons, hints={"no rate": "Add a line.", "cut off": "Copy it again."})
    with pytest.raises(TooLittleData, match="The commonest reason: no rate") as refused:
        checked(report(listing(), made, steps))
    assert refused.value.hint == "Add a line."


def test_copies_under_one_label_and_under_two_are_different_findings():
    contents = np.array([f"c{n}" for n in range(COUNT)])
    contents[[10, 12]] = "twice"  # of one label
    contents[[20, 21]] = "torn"  # of two
    found = report(listing(), survey(contents=contents))
    assert {"copies", "contradictions"} <= codes(found)
    steps, left = settled(listing(), survey(contents=contents))
    assert {step.what for step in steps} == {"copies", "contradictions"}
    assert len(left.items) == COUNT - 3


def test_several_rows_of_one_picture_are_copies_or_contradict_each_other():
    names = [f"{n}.png" for n in range(COUNT)]
    names[12], names[21] = names[10], names[20]  # of one label, and of two
    made = listing(boxes=[str(n % 7) for n in range(COUNT)])
    made = replace(made, frame=made.frame.assign(**{PATH: names}))
    rows = np.unique([int(name.removesuffix(".png")) for name in names])
    found = report(made, survey(**_of(rows)))
    assert {"copies", "contradictions"} <= codes(found)
    assert found.items.copies.sum() == 2
    assert found.items.contradicted.sum() == 2
    beats = replace(made, unit="beat")
    assert not report(beats, survey(**_of(rows))).items.copies.any()


def _of(rows) -> dict:
    """Return the survey of some files."""
    whole = survey()
    return {
        "reasons": whole.reasons[rows], "contents": whole.contents[rows],
        "signatures": whole.signatures[rows], "traits": whole.traits.iloc[rows].reset_index(drop=True),
        "statistics": whole.statistics[rows],
    }  # fmt: skip


def test_near_copies_of_different_groups_are_kept_in_one_part():
    made = survey()
    made.signatures[50] = made.signatures[51]
    assert "near-copies" in codes(report(listing(), made))
    steps, left = settled(listing(), made)
    assert steps == [KeepTogether()]
    assert left.groups == COUNT - 1
    assert codes(left) == set()
    assert len(replayed(listing(), made, [LeaveOut(what="near copies")])) == COUNT - 1


def test_a_column_of_patients_is_split_by_without_asking():
    patients = [f"p{n // 4}" for n in range(COUNT)]
    steps, left = settled(listing(patient=patients), survey())
    assert steps == [GroupBy(column="patient")]
    assert left.groups == COUNT // 4


@pytest.mark.parametrize("name", ["patient", "subject", "group"])
def test_an_id_that_numbers_the_pictures_of_patients_is_no_group(name):
    patients, numbers = [f"p{n // 4}" for n in range(COUNT)], [str(n % 4) for n in range(COUNT)]
    assert settled(listing(**{name: patients}, id=numbers), survey())[0] == [GroupBy(column=name)]


def test_an_id_alone_or_beside_visits_is_split_by():
    patients, visits = [f"p{n // 4}" for n in range(COUNT)], [str(n % 2) for n in range(COUNT)]
    assert settled(listing(id=patients), survey())[0] == [GroupBy(column="id")]
    assert settled(listing(id=patients, visit_id=visits), survey())[0] == [GroupBy(column="id")]


def test_what_is_told_of_patients_is_no_column_of_patients():
    columns = {
        "Patient Gender": ["F" if n % 3 else "M" for n in range(COUNT)],
        "visit": [str(n % 3) for n in range(COUNT)],
        "Patient ID": [f"{n // 4}" for n in range(COUNT)],
    }
    assert settled(listing(**columns), survey())[0] == [GroupBy(column="Patient ID")]
    del columns["Patient ID"]
    assert settled(listing(**columns), survey())[0] == []


def test_a_trait_that_tells_the_labels_apart_is_an_error_and_noise_is_none():
    widths = ["500" if n % 2 else "300" for n in range(COUNT)]
    traits = pd.DataFrame({"width": widths, "height": ["64"] * COUNT}, dtype=object)
    (told,) = [one for one in report(listing(), survey(traits=traits)).findings if one.code == "shortcut"]
    assert told.severity == "error"
    assert told.columns == ("width",)
    assert "ill 500" in told.words


def test_figures_that_only_together_tell_the_labels_apart_are_a_note():
    side = np.array([1.0 if n % 2 else -1.0 for n in range(COUNT)])
    first = RNG.normal(size=COUNT) * 3
    statistics = np.stack([first, first + side], axis=1).astype(np.float32)
    found = report(listing(), survey(statistics=np.column_stack([statistics, statistics[:, 1] - first])))
    assert "shortcut-together" in codes(found)


def test_too_few_of_a_label_stop_a_training_and_are_left_out_where_others_remain():
    labels = ["rare"] * 4 + ["ill" if n % 2 else "well" for n in range(COUNT - 4)]
    found = report(listing(labels), survey())
    assert stopping(found.findings)
    with pytest.raises(TooLittleData):
        checked(found)
    steps, left = settled(listing(labels), survey())
    assert LeaveOutRows(column=LABEL, values=("rare",)) in steps
    assert not stopping(left.findings)
    assert left.labels == {"well": 58, "ill": 58}


def test_header_entries_that_name_people_are_told():
    found = report(listing(), survey(identifying={"PatientName": 7}))
    (told,) = [one for one in found.findings if one.code == "identifying"]
    assert "PatientName in 7" in told.words


def test_a_group_that_is_not_there_is_refused():
    with pytest.raises(InvalidInput):
        report(listing(), survey(), [GroupBy(column="nobody")])


def test_a_cleaning_is_a_file_that_names_no_file_of_the_data(tmp_path):
    cleaning = ItemCleaning(target="label", steps=(LeaveOut(what="copies"), GroupBy(column="patient")))
    path = tmp_path / "cleaning.json"
    path.write_text(cleaning.model_dump_json())
    assert ItemCleaning.from_file(path) == cleaning
    path.write_text(json.dumps({"rows": 7, "findings": [], "cleaning": cleaning.model_dump()}))
    assert ItemCleaning.from_file(path) == cleaning
    path.write_text('{"steps": [{"do": "run", "command": "rm"}]}')
    with pytest.raises(InvalidInput):
        ItemCleaning.from_file(path)
