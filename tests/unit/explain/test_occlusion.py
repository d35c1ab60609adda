"""Occlusion of places that matter and of places that do not."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.explain import ExplainRequest, occlusion
from tests.closed_form import ClosedForm, logistic

REQUEST = ExplainRequest(target="yes", baseline="zero")
PICTURE = ClosedForm(
    lambda i: logistic(i["image"][:, 8:12, 16:24, 0].mean(axis=(1, 2)) - 2), {"image": (32, 32, 1)}
)


def _picture(request=REQUEST, **kwargs):
    item, background = ({"image": np.full((n, 32, 32, 1), v, np.float32)} for n, v in ((1, 3.0), (4, 0.0)))
    return occlusion.explain(PICTURE, item, background, 1, request, **kwargs)


def test_only_patches_over_what_matters_lose_anything():
    values = _picture().values["image"][..., 0]
    assert values[8:12, 16:24].min() > 0.01
    assert values[8:12, 16:24].min() > values[:6].max()
    assert not values[:6].any()
    assert not values[:, :13].any()


def test_losses_are_said_not_to_add_up():
    found = _picture()
    assert not found.is_additive
    assert np.isnan(found.residual)
    assert "zero" in found.baseline


@pytest.mark.parametrize("shape", [(32, 32, 1), (33, 20, 3), (5, 3, 1), (40, 2)])
def test_patches_cover_every_value(shape):
    count = np.zeros(shape)
    for name, place in occlusion.patches({"x": shape}):
        assert name == "x"
        count[place] += 1
    assert count.min() >= 1


def test_each_value_of_a_flat_input_is_covered_by_itself():
    shapes = {"window": (16, 1), "rhythm": (3,)}
    forward = ClosedForm(lambda i: 0.5 + 0.1 * i["rhythm"][:, 1] + 0 * i["window"][:, 0, 0], shapes)
    item, background = (
        {k: np.full((n, *s), v, np.float32) for k, s in shapes.items()} for n, v in ((1, 1), (2, 0))
    )
    found = occlusion.explain(forward, item, background, 1, ExplainRequest(target="yes"))
    np.testing.assert_allclose(found.values["rhythm"], [0, 0.1, 0], atol=1e-6)
    assert not found.values["window"].any()


def test_blocks_do_not_change_the_values(monkeypatch):
    whole, told = _picture(), []
    monkeypatch.setattr(occlusion, "_MASKS_AT_ONCE", 5000)
    parts = _picture(on_progress=told.append)
    np.testing.assert_allclose(parts.values["image"], whole.values["image"], atol=1e-7)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_table_is_refused():
    assert "table" in str(occlusion.reason_against({"features": np.zeros((1, 3), np.float32)}))
