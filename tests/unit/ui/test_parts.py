"""Which of several volumes is read."""

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from healthdash.task import Upload
    from healthdash.tasks.imaging.read import read
    from healthdash.ui import parts
    from healthdash.ui.state import Workspace
    from tests.unit.ui.test_parts import four_dimensions

    if "work" not in st.session_state:
        files = [Upload("one", b""), Upload("two", four_dimensions(), {"unit": "mV"})]
        st.session_state["work"] = Workspace(groups=[[file] for file in files], model="sha")
    work = st.session_state["work"]
    sample = read(work.groups[1])
    parts.choose(work, 1, sample, "images")
    st.text(str(sample.notices[0]))


def four_dimensions() -> bytes:
    """Return a NIfTI file of three volumes."""
    import nibabel
    import numpy as np

    voxels = np.arange(3 * 4 * 5 * 3, dtype=np.int16).reshape(3, 4, 5, 3)
    made: bytes = nibabel.Nifti1Image(voxels, np.eye(4)).to_bytes()
    return made


def test_another_volume_of_a_file_is_read_when_it_is_asked_for():
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert not app.exception
    assert app.number_input[0].value == 1
    app.number_input[0].set_value(3).run()
    assert "number 3 is used" in app.text[0].value
    work = app.session_state["work"]
    assert work.groups[1][0].hints == {"unit": "mV", "part": 3}
    assert work.groups[0][0].hints == {}
    assert work.model == ""
    assert not app.exception
