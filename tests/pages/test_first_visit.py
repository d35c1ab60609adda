"""The first address of a server may be any page: it is served whole."""

from __future__ import annotations

import pytest

from healthdash import DISCLAIMER, apart


@pytest.mark.usefixtures("fake_tasks")
@pytest.mark.parametrize("name", ["images", "models", "train"])
def test_a_page_asked_for_first_has_its_frame(open_page, name):
    app = open_page(name)
    assert not app.exception
    assert DISCLAIMER in "".join(element.value for element in [*app.markdown, *app.caption])


@pytest.mark.usefixtures("fake_tasks")
@pytest.mark.parametrize(
    ("lacks", "words"),
    [("network", "network in reach"), ("files", "Landlock"), ("everything", "server itself")],
)
def test_protection_that_this_machine_lacks_is_told(open_page, monkeypatch, lacks, words):
    assert not any(words in caption.value for caption in open_page().sidebar.caption)
    monkeypatch.setattr(apart, "lacks", lambda: (lacks,))
    assert any(words in caption.value for caption in open_page().sidebar.caption)
