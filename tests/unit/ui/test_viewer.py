"""The viewer's Python side: what is sent, once, and how the modules are joined."""

from __future__ import annotations

import gc
import re
import weakref
import zlib

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from healthdash.ui.header import matching
from healthdash.ui.viewer import script
from healthdash.ui.viewer.memo import Memo
from healthdash.ui.viewer.spec import compact
from healthdash.views import HeaderEntry


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0.0, 255.0]), "uint8"),
        (np.array([-1024.0, 3071.0]), "int16"),
        (np.array([0, 70_000], np.uint32), "int32"),
        (np.array([0.5, 1.0]), "float32"),
        (np.array([np.nan, 1.0]), "float32"),
        (np.array([-3, 3], np.int16), "int16"),
        (np.array([0, 2**32 - 1], np.uint32), "float32"),
    ],
)
def test_values_are_sent_in_the_smallest_type_that_holds_them(values, expected):
    sent = compact(values)
    assert sent.dtype.name == expected
    np.testing.assert_array_equal(sent, values.astype(np.float32) if expected == "float32" else values)


def test_a_memo_forgets_with_its_array():
    memo, made = Memo(), []
    array = np.zeros(3)
    for _ in range(2):
        assert memo.of(array, "sum", lambda: made.append(1) or 7) == 7
    assert len(made) == 1
    del array
    gc.collect()
    assert len(memo) == 0


@pytest.mark.parametrize("made", [lambda a: a, lambda a: a[None]], ids=["itself", "a view"])
def test_an_array_whose_result_is_a_view_of_it_goes_with_the_memo(made):
    def used() -> weakref.ref[np.ndarray]:
        memo, array = Memo(), np.zeros((3, 4, 4), np.int16)
        memo.of(array, "stored", lambda: made(array))
        return weakref.ref(array)

    kept = used()
    gc.collect()
    assert kept() is None


def test_modules_are_joined_in_an_order_and_with_names_that_work():
    joined = script.joined()
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", joined, re.MULTILINE)
    assert len(names) == len(set(names))
    assert joined.count("export") == joined.count("export default") == 1
    assert not re.search(r"^import ", joined, re.MULTILINE)


def test_text_reaches_the_page_as_text_only():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script.joined())


def test_a_search_of_the_header_does_not_touch_what_is_hidden():
    entries = (
        HeaderEntry(tag="(0028,0030)", name="Pixel Spacing", vr="DS", value="0.5\\0.5", identifying=False),
        HeaderEntry(tag="(0010,0010)", name="Patient's Name", vr="PN", value="Secret", identifying=True),
    )
    assert matching(entries, "SPACING 0028", identity=False) == [entries[0]]
    assert matching(entries, "secret", identity=False) == []
    assert matching(entries, "secret", identity=True) == [entries[1]]
    assert len(matching(entries, "", identity=True)) == 2


def _page() -> None:
    import numpy as np
    import streamlit as st

    from healthdash.ui.viewer import slabs, spec
    from healthdash.views import Volume

    if "volume" not in st.session_state:
        voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
        scales = {"slopes": np.ones(2), "intercepts": np.full(2, -5.0)}
        st.session_state["volume"] = Volume(voxels=voxels, spacing_mm=(2, 1, 1), **scales)
    st.session_state["told"] = spec.of(st.session_state["volume"], "here")
    (held,) = (slabs._held().slabs.values(),)
    st.session_state["packed"] = [slab.packed for _, parts in held for slab in parts]
    st.button("again")


def test_voxels_have_an_address_that_stays_in_a_session_and_differs_in_another():
    first, second = (AppTest.from_function(_page, default_timeout=30).run() for _ in range(2))
    assert not first.exception
    told = first.session_state["told"]
    assert (told["voxels"]["type"], told["voxels"]["shape"]) == ("int16", [2, 3, 4])
    assert told["voxels"]["intercepts"] == [-5.0]
    assert told["presets"][0] == {"name": "all values", "center": 6.5, "width": 23.0, "curve": "LINEAR"}
    unpacked = b"".join(zlib.decompress(part, 31) for part in first.session_state["packed"])
    assert np.frombuffer(unpacked, "<i2").tolist() == list(range(24))
    addresses = [slab["url"] for slab in told["voxels"]["slabs"]]
    first.button[0].click().run()
    assert [slab["url"] for slab in first.session_state["told"]["voxels"]["slabs"]] == addresses
    others = [slab["url"] for slab in second.session_state["told"]["voxels"]["slabs"]]
    assert not set(addresses) & set(others)


def _page_of_scaled_slices() -> None:
    import numpy as np
    import streamlit as st

    from healthdash.ui.viewer import spec
    from healthdash.views import Volume

    scales = {"slopes": np.array([0.5, 2.0]), "intercepts": np.array([0.0, -1.0])}
    voxels = np.array([[[0, 100]], [[0, 10]]], np.int16)
    st.session_state["told"] = spec.of(Volume(voxels=voxels, spacing_mm=(2, 1, 1), **scales), "here")


def test_sliders_reach_the_values_of_every_slice_whatever_its_scale():
    app = AppTest.from_function(_page_of_scaled_slices, default_timeout=30).run()
    assert not app.exception
    assert app.session_state["told"]["voxels"]["reach"] == [-1.0, 50.0]


def _page_of_many() -> None:
    from dataclasses import replace

    import numpy as np
    import streamlit as st

    from healthdash.ui.viewer import spec
    from healthdash.views import Picture, Volume, Window

    voxels, both = np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.ones(2)
    own = (Window(name="", center=1, width=9), Window(name="", center=5, width=9))
    volume = Volume(
        voxels=voxels, slopes=both, intercepts=0 * both, spacing_mm=(2, 1, 1), slice_windows=own,
        directions=("S", "P", "L"),
    )  # fmt: skip
    picture = Picture(pixels=voxels[0].astype(np.float32))
    others = {
        "slopes": 2 * both, "intercepts": both, "spacing_mm": (2, 1, 3), "directions": ("S", "P", "R"),
        "padding": (0, 1), "unit": "HU", "invert": True, "is_time": True, "frame_time_ms": 9.0, "aspect": 2.0,
        "distances": "at the detector", "windows": own, "slice_windows": own[::-1],
    }  # fmt: skip
    seen = {"volume": volume, "picture": picture} | {
        name: replace(volume, **{name: value}) for name, value in others.items()
    }
    seen["volume at its end"] = replace(volume, start=1)
    seen["explained picture"] = replace(picture, heat=np.ones((3, 4), np.float32), heat_label="one")
    told = {name: spec.of(view, name)["voxels"] for name, view in seen.items()}
    st.session_state["ids"] = {name: voxels["id"] for name, voxels in told.items()}
    st.session_state["slabs"] = {name: voxels["slabs"] for name, voxels in told.items()}


def test_a_viewer_is_built_anew_where_the_same_numbers_mean_something_else_and_only_there():
    app = AppTest.from_function(_page_of_many, default_timeout=30).run()
    assert not app.exception
    ids, slabs = app.session_state["ids"], app.session_state["slabs"]
    assert ids.pop("volume at its end") == ids["volume"]
    assert ids.pop("explained picture") == ids["picture"]
    assert len(set(ids.values())) == len(ids)
    assert slabs["intercepts"] == slabs["volume"]


def _header_page(names):
    import streamlit as st

    from healthdash.ui import header
    from healthdash.views import Header, HeaderEntry

    name = names[st.session_state.get("number", 0)]
    entry = HeaderEntry(tag="(0010,0010)", name="Patient's Name", vr="PN", value=name)
    header.show(Header(entries=(entry,)), "chest-xray/upload/0/input/1")


def test_the_identity_of_the_next_patient_must_be_asked_for_again():
    app = AppTest.from_function(_header_page, default_timeout=30, args=(["Doe^Jane", "Roe^Richard"],)).run()
    assert app.dataframe[0].value.empty
    app.toggle[0].set_value(True).run()
    assert app.dataframe[0].value["Value"].tolist() == ["Doe^Jane"]
    app.session_state["number"] = 1
    app.run()
    assert app.dataframe[0].value.empty
    assert not app.exception
