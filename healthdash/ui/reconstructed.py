"""What a model of usual and unusual items expected, beside what it was given."""

from __future__ import annotations

import streamlit as st

from healthdash import reconstruction
from healthdash.bundles import Bundle
from healthdash.task import Report
from healthdash.ui.draw import draw_all, draw_beside

__all__ = ["section"]


def section(bundle: Bundle, report: Report, item: int, key: str) -> None:
    """Show it for one item; other models show nothing."""
    if "restored" not in bundle.info.preprocessing or report.inputs is None:
        return
    found = reconstruction.views(bundle, report.inputs, item)
    st.subheader("What was expected", anchor=False)
    st.markdown(
        "This model has only learnt usual items. It makes each input anew from what it learnt: where the two "
        "differ, the input is unusual. The share given as probability says how many usual items differ less."
    )
    if len(found) == 3:
        draw_beside(found[:1], found[1:2], f"{key}/restored")
        draw_all(found[2:], f"{key}/difference")
    else:
        draw_all(found, f"{key}/restored")
