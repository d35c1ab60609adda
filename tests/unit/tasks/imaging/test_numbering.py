"""Figures by quarters of the published numbering."""

import dataclasses

import numpy as np

from healthdash.tasks.imaging.dataset import LabelledPictures
from healthdash.tasks.imaging.numbering import numbers, rows_by_numbering
from tests.toy import toy_info

_INFO = toy_info().model_copy(
    update={"labels": ("normal", "bacterial", "viral"), "label_groups": {"pneumonia": ("bacterial", "viral")}}
)


def _numbered(people: int) -> LabelledPictures:
    """Two pneumonia pictures of each number, one of each kind, and as many normal ones without a number."""
    labels = np.concatenate([np.tile([1, 2], people), np.zeros(2 * people, int)])
    groups = [f"person{i // 2 + 1}" for i in range(2 * people)] + ["normal"] * 2 * people
    return LabelledPictures(
        pictures=np.zeros((4 * people, 8, 8), np.uint8),
        labels=labels,
        names=_INFO.labels,
        groups=np.array(groups),
        series=np.array([""] * 4 * people),
        fingerprint="",
        title="",
    )


def test_the_number_is_what_a_group_ends_with():
    assert numbers(np.array(["train:person12", "IM-0115", "case 7b"])).tolist() == [12, 115, -1]


def test_each_quarter_has_its_own_figure_for_each_model():
    dataset = _numbered(40)
    right = np.eye(3, dtype=np.float32)[dataset.labels]
    # In the last quarter it takes each for the other.
    wrong_at_last = np.where((numbers(dataset.groups) > 30)[:, None], right[:, [0, 2, 1]], right)
    rows = np.arange(len(dataset))
    found = rows_by_numbering(
        _INFO, {"": wrong_at_last, "by chance": right * 0 + 1}, dataset, rows, part="test"
    )
    assert [row.note for row in found[::2]] == [
        f"patients numbered {a} to {b}" for a, b in ((1, 10), (11, 20), (21, 30), (31, 40))
    ]
    assert [row.value for row in found[::2]] == [1, 1, 1, 0]
    assert {row.value for row in found[1::2]} == {0.5}
    assert found[1].note == "patients numbered 1 to 10; by chance"
    assert sum(row.n for row in found[::2]) == 80


def test_a_quarter_without_both_labels_and_groups_without_numbers_have_no_figure():
    dataset = _numbered(40)
    right = np.eye(3, dtype=np.float32)[dataset.labels]
    first_only = np.flatnonzero((numbers(dataset.groups) <= 10) | (dataset.labels == 1))
    found = rows_by_numbering(_INFO, {"": right[first_only]}, dataset, first_only, part="test")
    assert [row.note for row in found] == ["patients numbered 1 to 10"]
    named = dataclasses.replace(dataset, groups=np.array([f"{g}x" for g in dataset.groups]))
    assert rows_by_numbering(_INFO, {"": right}, named, np.arange(len(named)), part="test") == []
