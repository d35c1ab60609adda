"""Which label the profile along a volume is about."""

from __future__ import annotations

import numpy as np
import pytest

from healthdash.task import Prediction
from healthdash.tasks.imaging.along import suspicion


@pytest.mark.parametrize(
    ("labels", "sought"),
    [
        (("normal", "benign", "malignant"), "benign or malignant"),
        (("COVID", "NORMAL"), "COVID"),
        (("glioma", "meningioma", "no_tumor", "pituitary"), "glioma or meningioma or pituitary"),
        (("No Finding", "Pneumonia"), "Pneumonia"),
        (("left", "right"), "right"),
    ],
)
def test_what_is_sought_is_never_the_normal_class(labels: tuple[str, ...], sought: str) -> None:
    chances = np.full((2, len(labels)), 1 / len(labels), np.float32)
    prediction = Prediction(
        labels=labels, raw=chances, calibrated=chances, items=np.arange(2),
        decided=np.zeros(2, np.int64), unit="slice", is_calibrated=True,
    )  # fmt: skip
    words, values = suspicion(prediction)
    assert words == sought
    np.testing.assert_allclose(values, (sought.count(" or ") + 1) / len(labels), rtol=1e-6)
