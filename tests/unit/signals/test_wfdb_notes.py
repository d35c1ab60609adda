"""Notes of annotation files that the package wfdb would read for ever."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb

from healthdash.errors import UnreadableUpload
from healthdash.signals.wfdb_notes import annotation_of


def _written(folder, note, **more):
    samples, symbols = np.array([0, 100]), ['"', "N"]
    wfdb.wrann("r", "atr", samples, symbols, aux_note=[note, ""], write_dir=str(folder), **more)
    return folder / "r.hea"


@pytest.mark.parametrize("note", ["## hello", "## end of definitions", "## annotation type definitionsx"])
def test_a_note_that_looks_like_a_definition_is_refused(tmp_path, note):
    with pytest.raises(UnreadableUpload, match="begins with ##") as refused:
        annotation_of(_written(tmp_path, note), "atr")
    assert refused.value.hint


def test_the_time_resolution_and_other_notes_are_read(tmp_path):
    found = annotation_of(_written(tmp_path, "a # b ## c", fs=250), "atr")
    assert (found.fs, found.sample[-1], found.symbol[-1]) == (250, 100, "N")
