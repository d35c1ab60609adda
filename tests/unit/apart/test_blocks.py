"""Many files are looked at in blocks; one that ends its child is told about, and no other one suffers."""

from __future__ import annotations

import pytest

from healthdash import settings
from healthdash.apart import blocks
from healthdash.tasks.imaging import own_survey
from healthdash.tasks.imaging.own_survey import _Seen
from tests.hostile.pictures import png


def seen_of(folder, files):
    return list(
        blocks.looked_at(
            own_survey.look_at, folder, files, 16, failed=lambda error: _Seen(reason=error.message)
        )
    )


@pytest.mark.parametrize("apart", ["1", "0"])
def test_pictures_of_a_folder_are_looked_at_in_their_order(tmp_path, monkeypatch, apart):
    from PIL import Image

    monkeypatch.setenv("HEALTHDASH_APART", apart)
    settings.current.cache_clear()
    for number in range(40):
        Image.new("L", (32, 32), number).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(png(64, 64))
    seen = seen_of(tmp_path, [f"{number}.png" for number in range(40)])
    assert [bool(one.reason) for one in seen] == [number == 3 for number in range(40)]
    assert [one.grey.max() for one in seen if one.grey is not None][-1] == 39


def test_a_block_that_fails_is_looked_at_one_file_at_a_time(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.setenv("HEALTHDASH_READ_ANSWER_MB", "1")
    settings.current.cache_clear()
    for number in range(4):
        Image.new("L", (700, 700), 9).save(tmp_path / f"{number}.png")
    found = blocks.looked_at(
        own_survey.look_at, tmp_path, ["0.png", "1.png", "2.png", "3.png"], 700,
        failed=lambda error: _Seen(reason=error.message),
    )  # fmt: skip
    assert [one.reason for one in found] == ["", "", "", ""]  # together they are more than an answer may be
