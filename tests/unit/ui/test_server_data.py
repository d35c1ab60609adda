"""Only what lies below an allowed folder may be named, by whatever way it is named."""

from __future__ import annotations

import pytest

from healthdash.errors import InvalidInput
from healthdash.ui.server_data import allowed


def test_only_paths_below_allowed_folders_are_taken(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "set").mkdir(parents=True)
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    assert allowed(inside / "set", (inside,)) == (inside / "set").resolve()
    for path in (outside, inside / ".." / "outside", inside / "link", inside / "none", tmp_path):
        with pytest.raises(InvalidInput) as refused:
            allowed(path, (inside,))
        assert str(tmp_path) not in refused.value.message
