"""What a generative network makes while it learns, as files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from healthdash.training import samples
from healthdash.training.samples import Look

RNG = np.random.default_rng(0)


def _look(epoch=1, kind="picture", shape=(12, 12, 1), run=""):
    items = RNG.random((6, *shape)).astype(np.float32)
    return Look(epoch, kind, ("no", "yes"), items, np.repeat([0, 1], 3), run=run)


def test_nothing_is_written_without_a_folder(tmp_path):
    samples.write(_look())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "shape"), [("picture", (12, 12, 1)), ("picture", (8, 10, 3)), ("signal", (40, 2))]
)
def test_a_look_is_read_as_it_was_written_and_drawn(tmp_path, kind, shape):
    look = _look(7, kind, shape)
    with samples.kept_in(tmp_path):
        samples.write(look)
    found = samples.read(tmp_path, 7)
    np.testing.assert_array_equal(found.items, look.items)
    np.testing.assert_array_equal(found.truth, look.truth)
    assert (found.epoch, found.kind, found.labels) == (7, kind, ("no", "yes"))
    with Image.open(samples.picture(tmp_path, 7)) as drawn:
        assert drawn.width > drawn.height / 2 > 20


def test_rows_have_no_drawing(tmp_path):
    with samples.kept_in(tmp_path):
        samples.write(_look(1, "row", (4,)))
    assert samples.looks(tmp_path) == [1]
    assert samples.picture(tmp_path, 1) is None


def test_of_several_networks_the_first_is_kept(tmp_path):
    with samples.kept_in(tmp_path):
        samples.write(_look(1, run="fold 1"))
        samples.write(_look(2, run="fold 2"))
        samples.write(_look(3, run="fold 1"))
    assert samples.looks(tmp_path) == [1, 3]


def test_a_damaged_file_says_so(tmp_path):
    (tmp_path / "00001.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match="damaged"):
        samples.read(tmp_path, 1)
