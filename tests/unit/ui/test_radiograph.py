import numpy as np

from healthdash.ui import radiograph
from healthdash.views import Picture, Window

RAMP = np.linspace(-1000, 1000, 5, dtype=np.float32)[None, :]


def test_a_window_clips_below_and_above_and_is_linear_between():
    window = Window(name="lung", center=0, width=1000)
    grey = radiograph.shown(Picture(pixels=RAMP), window, invert=False)[0, :, 0]
    assert grey.tolist() == [0, 0, 127, 255, 255]


def test_invert_turns_the_scale_round():
    window = Window(name="all", center=0, width=2000)
    plain, inverted = (radiograph.shown(Picture(pixels=RAMP), window, invert=i) for i in (False, True))
    assert (plain.astype(int) + inverted == 255).all()


def test_a_value_that_is_no_number_is_black():
    pixels = np.array([[np.nan, 1.0]], np.float32)
    view = Picture(pixels=pixels)
    assert radiograph.shown(view, radiograph.default_window(view), invert=False)[0, 0].tolist() == [0, 0, 0]


def test_heat_is_orange_for_and_blue_against_and_clear_where_nothing_counts():
    black = np.zeros((1, 3, 3), np.uint8)
    heat = np.array([[-1.0, 0.0, 1.0]], np.float32)
    against, nothing, speaks = radiograph.with_heat(black, heat, 1.0)[0].tolist()
    assert against[2] > against[0]
    assert nothing == [0, 0, 0]
    assert speaks[0] > speaks[2]
    assert (radiograph.with_heat(black, np.zeros((1, 3), np.float32), 1.0) == black).all()


def test_pixels_are_made_square_and_large_pictures_small():
    assert radiograph.resized(np.zeros((100, 100, 3), np.uint8), 2.0).shape[:2] == (560, 280)
    assert max(radiograph.resized(np.zeros((3000, 2000, 3), np.uint8), 1.0).shape) == 1400


def test_pictures_of_other_units_keep_their_own_windows_under_one_look():
    hounsfield = Picture(pixels=RAMP, windows=(Window(name="lung", center=-600, width=1500),))
    shares = Picture(pixels=(RAMP + 1000) / 2000, invert=True)
    look = radiograph.Look(hounsfield.windows[0], opacity=0.3)
    assert radiograph.suited(look, hounsfield) == look
    seen = radiograph.suited(look, shares)
    assert (seen.window.center, seen.window.width, seen.invert, seen.opacity) == (0.5, 1.0, True, 0.3)
    assert np.ptp(radiograph.rendered(shares, seen)) == 255
