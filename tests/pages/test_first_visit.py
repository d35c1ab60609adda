"""The first address of a server may be any page: it is served whole."""

from __future__ import annotations

import pytest

from healthdash import DISCLAIMER


@pytest.mark.usefixtures("fake_tasks")
@pytest.mark.parametrize("name", ["images", "models", "train"])
def test_a_page_asked_for_first_has_its_frame(open_page, name):
    app = open_page(name)
    assert not app.exception
    assert DISCLAIMER in "".join(element.value for element in [*app.markdown, *app.caption])
