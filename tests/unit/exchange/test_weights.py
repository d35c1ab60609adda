"""Hostile weights: the structure of an HDF5 file is walked before Keras reads it."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from healthdash.errors import RefusedModel
from healthdash.exchange import weights

from . import made


def _external_link(file):
    file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft_link(file):
    file["elsewhere"] = h5py.SoftLink("/layers")


def _loop(file):
    file["layers/again"] = file["layers"]


def _external_data(file):
    file.create_dataset("raw", (8,), np.uint8, external=[("/etc/passwd", 0, 8)])


def _virtual_data(file):
    layout = h5py.VirtualLayout(shape=(4,), dtype=np.float32)
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "data", shape=(4,))
    file.create_virtual_dataset("virtual", layout)


def _compressed(file):
    file.create_dataset("zeros", data=np.zeros((1 << 22,), np.float32), compression="gzip")


def _announced(file):
    file.create_dataset("huge", (1 << 40,), np.float32, chunks=(1 << 10,))


def _texts(file):
    file.create_dataset("words", data=["os.system"] * 3)


def _not_finite(file):
    made.first_dataset(file)[...] = np.nan


def _deep(file):
    group = file
    for _ in range(60):
        group = group.create_group("a")


CHANGES = {
    "external link": (_external_link, "a link"),
    "soft link": (_soft_link, "a link"),
    "loop of groups": (_loop, "a link"),
    "data in another file": (_external_data, "data in another file"),
    "virtual data": (_virtual_data, "data in another file"),
    "compressed": (_compressed, "a decompression bomb"),
    "announced shape": (_announced, "a giant layer"),
    "texts": (_texts, "damaged weights"),
    "no numbers": (_not_finite, "numbers that are none"),
    "deep nesting": (_deep, "deep nesting"),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_weights_are_refused(change, reason):
    with pytest.raises(RefusedModel) as caught:
        weights.check(made.edited(made.weights(), change), values=True)
    assert caught.value.reason == reason


def test_weights_that_break_off_are_refused():
    with pytest.raises(RefusedModel, match="damaged weights"):
        weights.check(made.weights()[:5_000])


def test_the_numbers_of_honest_weights_are_counted():
    # bundle.json says 12,704 parameters.
    assert weights.check(made.weights(), values=True) == 12_704
