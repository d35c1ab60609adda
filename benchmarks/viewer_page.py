"""A page with one volume in the viewer, for the benchmark: streamlit run benchmarks/viewer_page.py."""

from __future__ import annotations

import numpy as np
import streamlit as st

from healthdash.ui import viewer
from healthdash.views import Volume, Window

SHAPE = (200, 512, 512)


@st.cache_resource
def _volume() -> Volume:
    """Return noise like that of a CT round a ball that grows and shrinks, int16 of `SHAPE`."""
    rng = np.random.default_rng(0)
    depth, height, width = SHAPE
    row, column = np.ogrid[:height, :width]
    from_middle = np.hypot(row - height / 2, column - width / 2)
    # A few slices of noise are enough: what is measured is the viewer, not the generator.
    noise = rng.normal(0, 25, (8, height, width)).astype(np.int16)
    voxels = np.empty(SHAPE, np.int16)
    for k in range(depth):
        radius = 0.4 * width * np.sin(np.pi * (k + 1) / (depth + 1))
        voxels[k] = np.where(from_middle < radius, 40, -900) + noise[k % len(noise)]
    return Volume(
        title="Volume", voxels=voxels, slopes=np.ones(depth), intercepts=np.zeros(depth), unit="HU",
        windows=(Window(name="lung", center=-600, width=1500),), spacing_mm=(1.5, 0.7, 0.7),
        directions=("S", "P", "L"), start=depth // 2,
    )  # fmt: skip


st.set_page_config(layout="wide")
viewer.show(_volume(), "benchmark")
st.button("Run the page again")
