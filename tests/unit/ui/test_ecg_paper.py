import numpy as np
import pytest

from healthdash.ui import ecg_paper
from healthdash.ui.palette import LIGHT
from healthdash.views import Marker, Trace


def _trace(seconds: float, rate_hz: float = 250.0, leads: int = 2, **more) -> Trace:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    signal = np.stack([np.sin(2 * np.pi * t)] * leads, axis=1).astype(np.float32)
    return Trace(signal=signal, rate_hz=rate_hz, leads=tuple(f"L{i}" for i in range(leads)), **more)


def _points(figure) -> int:
    return sum(len(trace.x) for trace in figure.data)


def test_a_low_beside_a_gap_is_drawn():
    signal = np.full((20_000, 1), 1.0, np.float32)
    signal[5_000:6_003] = np.nan
    signal[6_005] = 0.25
    view = Trace(signal=signal, rate_hz=250, leads=("II",))
    for drawn in (ecg_paper.figure(view, 0, 80, LIGHT), ecg_paper.overview(view, 0, 10, LIGHT)):
        line = np.ptp(drawn.data[0].y[np.isfinite(drawn.data[0].y)])
        assert line == pytest.approx(0.75)


@pytest.mark.parametrize("leads", [1, 2, 12])
def test_never_more_points_are_sent_than_a_browser_draws_at_once(leads):
    view = _trace(60, 1000, leads, attribution=np.ones((60_000, leads), np.float32))
    assert _points(ecg_paper.figure(view, 0, 60, LIGHT)) <= ecg_paper.MOST_POINTS + 500
    assert _points(ecg_paper.overview(view, 0, 10, LIGHT)) <= 2500


def test_the_small_square_is_a_square_of_40_ms_and_a_tenth_of_a_millivolt():
    figure = ecg_paper.figure(_trace(10), 0, 10, LIGHT)
    assert figure.layout.xaxis.minor.dtick == 0.04
    assert figure.layout.yaxis.minor.dtick == 0.1
    assert figure.layout.yaxis.scaleratio * 0.1 == pytest.approx(0.04)
    width = figure.layout.width - figure.layout.margin.l - figure.layout.margin.r
    height = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    seconds = np.ptp(figure.layout.xaxis.range)
    millivolt = np.ptp(figure.layout.yaxis.range)
    assert width / seconds * 0.04 == pytest.approx(height / millivolt * 0.1, rel=0.01)


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1), ("uV", 1000), ("V", 0.001)])
def test_paper_is_in_millivolt_whatever_the_unit(unit, factor):
    plain = _trace(10)
    view = Trace(signal=plain.signal * np.float32(factor), rate_hz=250, leads=plain.leads, unit=unit)
    drawn = ecg_paper.figure(view, 0, 10, LIGHT)
    assert np.ptp(drawn.data[0].y) == pytest.approx(2, rel=1e-3)


def test_ticks_beside_a_trace_are_the_values_of_each_lead():
    signal = np.stack([np.linspace(-1, 1, 101), np.linspace(4, 6, 101)], axis=1).astype(np.float32)
    view = Trace(signal=signal, rate_hz=100, leads=("MLII", "V1"), unit="of the usual height", paper=False)
    drawn = ecg_paper.figure(view, 0, 2, LIGHT)
    assert drawn.layout.yaxis.ticktext == ("-1", "0", "1", "4", "5", "6")
    assert drawn.layout.yaxis.tickvals == pytest.approx([*drawn.data[0].y[::50], *drawn.data[1].y[::50]])


@pytest.mark.parametrize("height", [-0.7, 40.0, 300.0, 4200.0])
def test_a_flat_trace_has_one_tick_at_its_height(height):
    signal = np.full((101, 1), height, np.float32)
    drawn = ecg_paper.figure(
        Trace(signal=signal, rate_hz=100, leads=("II",), unit="mV", paper=False), 0, 2, LIGHT
    )
    assert drawn.layout.yaxis.ticktext == (f"{height:g}",)
    assert drawn.layout.yaxis.tickvals == pytest.approx([drawn.data[0].y[0]])


def test_beats_of_the_stretch_are_marked_and_no_others():
    marker = Marker(label="V", samples=np.array([100, 2000, 9000]), color="#D55E00")
    drawn = ecg_paper.figure(_trace(60, markers=(marker,)), 0, 10, LIGHT)
    (letters,) = [trace for trace in drawn.data if trace.mode == "markers+text"]
    assert letters.x.tolist() == [0.4, 8.0]


def test_a_flat_signal_and_gaps_are_drawn():
    view = Trace(signal=np.full((500, 1), np.nan, np.float32), rate_hz=250, leads=("II",))
    assert _points(ecg_paper.figure(view, 0, 2, LIGHT))
    assert _points(ecg_paper.overview(view, 0, 2, LIGHT))
