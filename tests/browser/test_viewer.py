"""The viewer of pictures and volumes, as a reader uses it: pixels are read back from its canvas."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from healthdash import tasks
from healthdash.task import Upload
from healthdash.tasks.imaging.sample import model_view

from .conftest import swiped, upload
from .made_pictures import dicom_bytes, series

pytestmark = pytest.mark.tf
RNG = np.random.default_rng(7)
# Values from -1024 to 1023 with no order, so that a mirrored or shifted picture is found out.
CT = RNG.integers(0, 2048, (96, 128)).astype(np.uint16)
RESCALED = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "PixelSpacing": [0.5, 0.5]}
PIXELS = """box => {
    const canvas = box.querySelector(".pane canvas");
    const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [canvas.width, canvas.height, Array.from(image.data.filter((_, n) => n % 4 === 0))];
}"""


def _opened(new_page, data: bytes, task: str = "chest-xray", **screen) -> tuple[Page, Locator]:
    """Upload a file; return the page and its viewer, loaded and settled."""
    page = new_page(f"images?task={task}", **screen)
    upload(page, [{"name": "one.dcm", "mimeType": "application/octet-stream", "buffer": data}])
    # The preview goes when the model has judged or refused: then the words below stand there.
    expect(page.get_by_text(re.compile("Header of the file|What the file says")).last).to_be_visible()
    expect(page.get_by_text("Loading the model")).to_have_count(0)
    box = page.locator("section.viewer").first
    expect(box).to_have_attribute("data-loaded", "1.000")
    return page, box


def _settled(box: Locator) -> None:
    box.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _shown(box: Locator) -> np.ndarray:
    """Return the grey of the first pane, uint8 (height, width)."""
    _settled(box)
    width, height, red = box.evaluate(PIXELS)
    return np.array(red, np.uint8).reshape(height, width)


def _canvas(box: Locator) -> Locator:
    return box.locator(".pane canvas").first


def _drag(page: Page, canvas: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag on a canvas, in shares of its width and height."""
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    points = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=6)
    page.mouse.up()


GREYS = {
    "full scale": (CT >> 3, {"BitsStored": 8, "PixelSpacing": [1, 1]}),
    "window": (CT, {"WindowCenter": 900, "WindowWidth": 700}),
    "linear exact, inverted": (
        CT,
        {"WindowCenter": 900, "WindowWidth": 700, "VOILUTFunction": "LINEAR_EXACT",
         "PhotometricInterpretation": "MONOCHROME1"},
    ),
    "sigmoid": (CT, {"WindowCenter": 1000, "WindowWidth": 400, "VOILUTFunction": "SIGMOID"}),
    "table": (CT, {"VOILUT": (0, 2048)}),
    "padding, inverted": (
        CT,
        {"WindowCenter": 900, "WindowWidth": 700, "PixelPaddingValue": 7, "PixelPaddingRangeLimit": 300,
         "PhotometricInterpretation": "MONOCHROME1"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GREYS)
def test_the_canvas_shows_the_grey_that_the_model_is_given(new_page, name):
    pixels, elements = GREYS[name]
    data = dicom_bytes(pixels.astype(np.uint16), Modality="DX", **elements)
    _, box = _opened(new_page, data)
    box.get_by_role("button", name="1:1", exact=True).click()
    shown = _shown(box)
    height, width = pixels.shape
    top, left = round((shown.shape[0] - height) / 2), round((shown.shape[1] - width) / 2)
    sample = tasks.get("chest-xray").read([Upload("one", data)])
    expected = 255 * model_view(sample)
    grey = min(
        np.abs(shown[top + y : top + y + height, left + x : left + x + width] - expected).max()
        for y in (0, -1)
        for x in (0, -1)
    )
    assert grey <= 1  # a half of a level is rounding


def test_dragging_changes_the_window_its_numbers_and_the_pixels_and_reset_takes_it_back(new_page):
    data = dicom_bytes(CT, WindowCenter=0, WindowWidth=1500, **RESCALED)
    page, box = _opened(new_page, data, "lung-ct")
    level, width = box.get_by_label("Level, HU"), box.get_by_label("Width, HU")
    before = (level.input_value(), width.input_value(), _shown(box).mean())
    _drag(page, _canvas(box), (0.5, 0.5), (0.3, 0.7))
    _settled(box)
    assert float(width.input_value()) < float(before[1])
    assert float(level.input_value()) > float(before[0])
    assert abs(_shown(box).mean() - before[2]) > 1
    expect(box.get_by_label("Window preset")).to_have_value("own")
    box.get_by_role("button", name="Reset").click()
    expect(level).to_have_value(before[0])
    expect(width).to_have_value(before[1])
    box.get_by_label("Window preset").select_option(label="brain")
    expect(level).to_have_value("40")
    expect(width).to_have_value("80")
    box.get_by_role("button", name="Invert").click()
    expect(box.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")


def test_sliders_change_the_window_and_follow_it(new_page):
    _, box = _opened(new_page, dicom_bytes(CT, WindowCenter=0, WindowWidth=1500, **RESCALED), "lung-ct")
    before = _shown(box).mean()
    box.get_by_label("Level by sliding, HU").fill("200")
    _settled(box)
    expect(box.get_by_label("Level, HU")).to_have_value("200")
    assert _shown(box).mean() < before - 1
    box.get_by_label("Window preset").select_option(label="brain")
    expect(box.get_by_label("Width by sliding, HU")).to_have_value("80")
    expect(box.get_by_label("Level by sliding, HU")).to_have_value("40")


def test_the_value_under_the_pointer_is_that_of_the_file_and_a_ruler_is_in_millimetres(new_page):
    page, box = _opened(new_page, dicom_bytes(CT, **RESCALED), "lung-ct")
    canvas = _canvas(box)
    canvas.hover(position={"x": 300, "y": 200})
    told = box.locator("output.value").inner_text()
    column, row = (int(n) - 1 for n in re.search(r"column (\d+), row (\d+)", told).groups())
    value = int(CT[row, column]) - 1024
    assert told.startswith(f"{str(value).replace('-', chr(0x2212))} HU at")
    canvas.press("m")
    scale = float(box.get_attribute("data-scale"))
    start, end = (0.4, 0.5), (0.6, 0.5)
    _drag(page, canvas, start, end)
    _settled(box)
    lines = box.evaluate("e => e.rulers()")
    assert len(lines) == 1
    length, unit = lines[0].split(" ")
    assert unit == "mm"
    assert float(length) == pytest.approx(0.2 * canvas.bounding_box()["width"] / scale, abs=1.5)
    canvas.press("Delete")
    assert box.evaluate("e => e.rulers()") == []


def test_a_ruler_on_an_x_ray_says_that_it_measures_at_the_detector(new_page):
    page, box = _opened(new_page, dicom_bytes(CT, Modality="DX", ImagerPixelSpacing=[0.2, 0.2]))
    _canvas(box).press("m")
    _drag(page, _canvas(box), (0.4, 0.5), (0.6, 0.5))
    assert re.fullmatch(r"[\d.]+ mm at the detector", box.evaluate("e => e.rulers()")[0])


def _nifti() -> tuple[bytes, np.ndarray]:
    """Return a volume with slices of 2 mm and pixels of 1 mm, and what it holds."""
    import nibabel

    values = RNG.integers(-500, 500, (40, 48, 30)).astype(np.int16)
    file = io.BytesIO()
    nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 2.0, 1.0])).to_file_map(
        {"image": nibabel.FileHolder(fileobj=file)}
    )
    return file.getvalue(), values


def test_a_volume_scrolls_by_wheel_keys_and_slider_and_shows_three_planes_in_proportion(new_page):
    data, values = _nifti()
    page, box = _opened(new_page, data)
    canvas = _canvas(box)
    canvas.click()
    canvas.press("Home")
    expect(box).to_have_attribute("data-slice", "1")
    page.mouse.wheel(0, 120)
    expect(box).to_have_attribute("data-slice", "4")
    canvas.press("PageDown")
    expect(box).to_have_attribute("data-slice", "14")
    box.get_by_role("slider", name="Slice").fill("20")
    expect(box).to_have_attribute("data-slice", "20")
    box.get_by_role("button", name="Play").click()
    expect(box).not_to_have_attribute("data-slice", "20")
    box.get_by_role("button", name="Pause").click()
    box.get_by_role("button", name="Three planes").click()
    _settled(box)
    extents = box.evaluate("e => e.extents()")
    # 40 columns of 1 mm, 48 rows of 1 mm, 30 slices of 2 mm, all to one scale.
    scale = float(box.get_attribute("data-scale"))
    millimetres = np.array(extents) / scale
    assert np.allclose(millimetres, [[40, 48], [40, 60], [48, 60]], atol=0.01)
    second = box.locator(".pane canvas").nth(1)
    second.hover(position={"x": 140, "y": 150})
    told = box.locator("output.value").inner_text()
    column, row, number = (
        int(n) - 1 for n in re.search(r"column (\d+), row (\d+), slice (\d+)", told).groups()
    )
    sample = tasks.get("chest-xray").read([Upload("one", data)])
    value = sample.values(number)[row, column]
    assert told.startswith(f"{str(int(value)).replace('-', chr(0x2212))} grey value")
    assert value in values


def test_a_line_across_tilted_slices_is_as_long_as_in_the_patient(new_page):
    import nibabel

    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 1.5  # mm to the front for each slice of 2 mm
    data = nibabel.Nifti1Image(np.zeros((40, 48, 30), np.int16), affine).to_bytes()
    page, box = _opened(new_page, data)
    box.get_by_role("button", name="Three planes").click()
    _settled(box)
    sagittal = box.locator(".pane canvas").nth(2)
    sagittal.press("m")
    scale, frame = float(box.get_attribute("data-scale")), sagittal.bounding_box()
    up = 0.5 - 20 * scale / frame["height"]
    for across in (-15, 0, 15):  # mm; head is up, and the front is left
        _drag(page, sagittal, (0.5, 0.5), (0.5 + across * scale / frame["width"], up))
    _settled(box)
    told = [float(words.split(" ")[0]) for words in box.evaluate("e => e.rulers()")]
    # Ten slices up lie 15 mm farther to the front.
    assert told == pytest.approx([np.hypot(15 + 15, 20), np.hypot(15, 20), np.hypot(0, 20)], abs=1)


def test_voxels_are_sent_once_and_another_session_has_other_addresses(new_page):
    data, _ = _nifti()
    first, box = _opened(new_page, data)
    sent: list[str] = []
    first.on("request", lambda request: sent.append(request.url) if "/media/" in request.url else None)
    _canvas(box).click()
    _canvas(box).press("End")
    expect(box).to_have_attribute("data-slice", "30")
    # To another task and back: the page runs twice, and the viewer is built anew.
    first.get_by_text("Lung CT slice", exact=True).click()
    expect(first.locator("section.viewer")).to_have_count(0)
    first.get_by_text("Chest X-ray", exact=True).click()
    expect(box).to_have_attribute("data-loaded", "1.000")
    expect(box).to_have_attribute("data-slice", "30")
    assert not [url for url in sent if url.endswith(".bin")]
    mine = box.evaluate("e => e.addresses()")
    _, other = _opened(new_page, data)
    theirs = other.evaluate("e => e.addresses()")
    assert mine
    assert not set(mine) & set(theirs)


def test_a_series_has_a_profile_that_leads_to_a_slice_and_its_result(new_page):
    example = next(e for e in tasks.get("lung-ct").examples() if e.slug == "malignant-dicom")
    page, box = _opened(new_page, series(example.make()[0].data, 10), "lung-ct")
    profile = box.locator("canvas.profile")
    expect(profile).to_be_visible()
    chosen = page.get_by_role("spinbutton", name=re.compile("Slice, 1 to 10"))
    assert box.get_attribute("data-slice") == chosen.input_value()
    expect(box.get_by_role("group", name="Most suspicious slices first").get_by_role("button")).to_have_count(
        5
    )
    frame = profile.bounding_box()
    profile.click(position={"x": 0.25 * frame["width"], "y": 30})
    expect(box).to_have_attribute("data-slice", "3")
    box.get_by_role("button", name="Result of this slice").click()
    expect(chosen).to_have_value("3")
    expect(box).to_have_attribute("data-slice", "3")
    box.get_by_role("button", name="Model's input").click()
    expect(box.get_by_text(re.compile(r"Model's input, \d+ x \d+"))).to_be_visible()


def test_the_header_is_searched_and_names_nobody_until_asked(new_page):
    data = dicom_bytes(
        CT, **(RESCALED | {"PatientName": "<img src=x onerror=alert(1)>Secret^Name", "Manufacturer": "Acme"})
    )
    page, _ = _opened(new_page, data, "lung-ct")
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    panel = page.get_by_test_id("stExpander").filter(has_text="Header of the file").last
    panel.get_by_text("Header of the file").click()
    expect(panel.get_by_text(re.compile("that may identify the patient are hidden"))).to_be_visible()
    search = panel.get_by_label("Search the header")
    search.fill("secret")
    search.press("Enter")
    expect(panel.get_by_text(re.compile(r"^0 of \d+ entries"))).to_be_visible()
    assert "Secret" not in page.content()
    panel.get_by_text("Show what may identify the patient").click()
    expect(panel.get_by_text(re.compile(r"^1 of \d+ entries"))).to_be_visible()
    expect(panel.get_by_text(re.compile("may name the patient"))).to_be_visible()
    assert alerts == []


def test_a_narrow_screen_holds_the_viewer_without_sideways_scrolling(new_page):
    data, _ = _nifti()
    page, box = _opened(
        new_page, data, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    box.get_by_role("button", name="Three planes").tap()
    _settled(box)
    wide, seen = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert wide <= seen + 1
    assert all(pane["width"] > 100 for pane in (box.locator(".pane").nth(n).bounding_box() for n in range(3)))


def test_a_finger_over_a_picture_scrolls_the_page_and_leaves_the_window_as_it_was(new_page):
    data = dicom_bytes(CT, WindowCenter=0, WindowWidth=1500, **RESCALED)
    page, box = _opened(
        new_page, data, "lung-ct", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    main, canvas, level = page.get_by_test_id("stMain"), _canvas(box), box.get_by_label("Level, HU")
    canvas.evaluate("e => e.scrollIntoView({block: 'center'})")
    frame, top, before = canvas.bounding_box(), main.evaluate("e => e.scrollTop"), level.input_value()
    x, y = frame["x"] + 0.5 * frame["width"], frame["y"] + 0.9 * frame["height"]
    swiped(page, (x, y), (x, y - 200))
    assert main.evaluate("e => e.scrollTop") > top + 50
    expect(level).to_have_value(before)


def test_keys_read_values_draw_a_line_and_keep_the_focus(new_page):
    data, _ = _nifti()
    _, box = _opened(new_page, data)
    canvas, told = _canvas(box), box.locator("output.value")
    before = _shown(box)
    canvas.press("Control+ArrowRight")
    assert (_shown(box) != before).any()  # the cross
    canvas.press("ArrowRight")
    expect(told).to_contain_text("column 22, row 25")  # of the next slice
    canvas.press("m")
    canvas.press("Enter")
    for _ in range(10):
        canvas.press("Control+ArrowRight")
    canvas.press("Enter")
    expect(told).to_have_text(re.compile(r"^10\.0 mm"))
    canvas.press("Control+ArrowRight")
    assert box.evaluate("e => e.rulers()")[0].startswith("10.0 mm")
    box.get_by_role("button", name="Clear lines").press("Enter")
    expect(canvas).to_be_focused()
    canvas.press(" ")
    expect(box.locator("output.at")).to_have_attribute("aria-live", "off")


def test_each_picture_says_that_it_is_not_for_clinical_use(new_page):
    _, box = _opened(new_page, dicom_bytes(CT, **RESCALED), "lung-ct")
    expect(box.locator(".notice").first).to_have_text("For research and education, not for clinical use")


def test_a_line_on_the_picture_stays_when_its_explanation_is_opened(new_page):
    page = new_page("images?task=lung-ct&sample=malignant-dicom")
    explain = page.get_by_role("button", name="Explain", exact=True)
    expect(explain).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    box, explained = page.locator("section.viewer").first, page.locator("section.viewer").nth(1)
    _canvas(box).press("m")
    _drag(page, _canvas(box), (0.4, 0.5), (0.6, 0.5))
    assert len(box.evaluate("e => e.rulers()")) == 1
    explain.click()
    expect(explained).to_have_attribute("data-loaded", "1.000")
    assert len(box.evaluate("e => e.rulers()")) == 1
    assert explained.evaluate("e => e.rulers()") == []
