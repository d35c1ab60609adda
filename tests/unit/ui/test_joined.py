"""Files that come one after another: halves of one input are put together, other tables are not."""

from __future__ import annotations

from healthdash import tasks
from healthdash.task import Upload
from healthdash.ui.state import Workspace


def _names(slug: str, earlier: str, later: str) -> list[str]:
    work = Workspace(origin="upload", uploads=[Upload(earlier, _content(earlier))])
    return [upload.name for upload in work.joined(tasks.get(slug), [Upload(later, _content(later))])]


def _content(name: str) -> bytes:
    if name.endswith(".hea"):
        return b"x 1 500 1000\nx.dat 16 1000(0)/mV 16 0 0 0 0 I\n"
    return b"age,sex\n63,1\n" if name.endswith("v") else b"\x01\x00" * 1000


def test_a_signal_joins_its_header():
    assert _names("ecg-beats", "x.hea", "x.dat") == ["x.hea", "x.dat"]


def test_a_corrected_table_takes_the_place_of_the_first():
    assert _names("heart-disease", "x.csv", "x.tsv") == ["x.tsv"]
    assert _names("heart-disease", "x.csv", "y.csv") == ["y.csv"]
