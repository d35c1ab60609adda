import io
import stat
import tempfile
import zipfile

import pytest

from healthdash import archive
from healthdash.apart import leftovers
from healthdash.errors import InvalidInput, UnreadableUpload


def _zip(**files: bytes) -> bytes:
    return _zipped(files.items())


def _zipped(files, method=zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as made:
        for name, data in files:
            made.writestr(name, data)
    return packed.getvalue()


def test_plain_files_are_unpacked_where_the_single_folder_begins(tmp_path):
    data = _zipped(
        [
            ("set/manifest.csv", b"path"),
            ("set/a/1.png", b"1"),
            ("__MACOSX/set/x", b""),
            ("set/.DS_Store", b""),
        ]
    )
    folder = archive.unpack(data, tmp_path)
    assert folder == tmp_path / "set"
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["1.png", "manifest.csv"]


@pytest.mark.parametrize(
    "name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "..\\out.txt", "C:\\out.txt"]
)
def test_a_name_never_leads_out_of_the_folder(tmp_path, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(InvalidInput, match="leads out"):
        archive.unpack(_zipped([("fine.txt", b"1"), (name, b"1")]), inside)
    assert list(tmp_path.rglob("*.txt")) == []


def test_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InvalidInput, match="link"):
        archive.unpack(_zipped([(link, b"/etc/passwd")]), tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with pytest.raises(InvalidInput, match="far larger"):
        archive.unpack(_zip(zeros=bytes(20_000_000)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    with pytest.raises(InvalidInput, match="at most 3 files"):
        archive.unpack(_zipped([(str(i), b"") for i in range(4)]), tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 cut off", _zip(a=b"1" * 1000)[:-30]],
    ids=["empty", "cut off after four bytes", "cut off before its end"],
)
def test_what_is_no_archive_is_told(tmp_path, data):
    with pytest.raises(UnreadableUpload, match="zip"):
        archive.unpack(data, tmp_path)


def test_the_same_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        data = _zipped([("a", b"1"), ("a", b"2")])
    with pytest.raises(UnreadableUpload):
        archive.unpack(data, tmp_path)


def test_what_is_packed_is_unpacked_and_always_the_same(tmp_path):
    files = {"set/a.txt": b"1", "set/b/c.txt": b"2"}
    assert archive.pack(files) == archive.pack(files)
    folder = archive.placed("set.zip", archive.pack(files), tmp_path)
    assert {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in folder.rglob("*.txt")} == files


@pytest.mark.parametrize("name", ["rows.csv", "rows.xlsx"])
def test_a_table_is_placed_as_it_is(tmp_path, name):
    data = archive.pack({"xl/a": b""}) if name.endswith("xlsx") else b"a,b"
    path = archive.placed(name, data, tmp_path)
    assert path == tmp_path / name
    assert path.read_bytes() == data


def test_an_archive_is_unpacked_until_it_is_read_and_takes_away_what_a_killed_process_left(
    tmp_path, monkeypatch
):
    temporary = tmp_path / "temporary"
    (temporary / "healthdash-read-old").mkdir(parents=True)
    (temporary / "healthdash-read-old" / "lock").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    (tmp_path / "own.zip").write_bytes(_zip(**{"set/a/1.png": b"1"}))
    with archive.opened(tmp_path / "own.zip") as folder:
        leftovers.sweep()  # as another process does meanwhile
        assert (folder.name, (folder / "a" / "1.png").read_bytes()) == ("set", b"1")
        assert len(list(temporary.iterdir())) == 1
    assert not list(temporary.iterdir())
