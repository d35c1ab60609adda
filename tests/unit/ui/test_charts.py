import numpy as np
import plotly.graph_objects as go
import pytest

from healthdash import views
from healthdash.errors import ContractError
from healthdash.ui import charts, draw, share_charts
from healthdash.ui.palette import DARK, LIGHT
from healthdash.views import Beeswarm, ClassBars, Curve, Curves, Matrix, View, Waterfall


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0.0 %"), (1e-5, "< 0.1 %"), (0.5, "50.0 %"), (0.99999, "> 99.9 %"), (1.0, "100.0 %")],
)
def test_a_probability_is_never_rounded_to_certainty(value, words):
    assert charts.percent(value) == words


def test_labels_and_columns_that_are_numbers_are_names():
    bars = charts.class_bars(ClassBars(labels=("0", "1"), probabilities=(0.3, 0.7), predicted="1"), LIGHT)
    square = charts.matrix(Matrix(labels=("0", "1"), counts=np.eye(2, dtype=np.int64)), LIGHT)
    assert bars.layout.yaxis.type == square.layout.xaxis.type == square.layout.yaxis.type == "category"


def test_axes_are_in_ink_with_their_titles_and_a_swipe_is_left_to_the_page():
    shares = np.array([0.3, -0.1], np.float32)
    view = Waterfall(
        features=("a", "b"), attributions=shares, base=0.2, output=0.4, residual=0.0, target="high"
    )
    figure = share_charts.waterfall(view, LIGHT)
    assert figure.layout.dragmode is False
    assert figure.layout.xaxis.tickfont.color == figure.layout.yaxis.tickfont.color == LIGHT.ink
    assert figure.layout.xaxis.title.font.color == LIGHT.ink
    assert "probability" in figure.layout.xaxis.title.text


def _contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2.2 between two colours."""
    parts = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in (one, other)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    low, high = sorted(linear @ [0.2126, 0.7152, 0.0722])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", [LIGHT, DARK], ids=["light", "dark"])
def test_every_cell_of_a_confusion_matrix_is_read_in_both_themes(paper):
    (cells,) = charts.matrix(Matrix(labels=("0", "1"), counts=np.eye(2, dtype=np.int64)), paper).data
    assert all(_contrast(cells.textfont.color, color) > 4.5 for _, color in cells.colorscale)


@pytest.mark.parametrize("paper", [LIGHT, DARK])
def test_the_label_under_the_pointer_has_a_ground_of_its_own(paper):
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], line={"color": paper.ink}))
    charts.readable(figure, paper)
    label = figure.layout.hoverlabel
    assert _contrast(label.bgcolor, label.font.color) > 7
    assert label.bordercolor != label.bgcolor


def test_a_waterfall_ends_at_the_output_with_what_is_not_attributed():
    view = Waterfall(
        features=("a", "b"), attributions=np.array([0.3, -0.1], np.float32), base=0.2, output=0.45,
        residual=0.05, target="high",
    )  # fmt: skip
    (bars,) = share_charts.waterfall(view, LIGHT).data
    assert list(bars.y) == ["a", "b", "not attributed"]
    assert bars.base[-1] + bars.x[-1] == pytest.approx(0.45)


def test_a_waterfall_of_many_features_sums_the_small_ones():
    shares = np.linspace(0.2, 0.001, 40, dtype=np.float32)
    view = Waterfall(
        features=tuple(f"f{i}" for i in range(40)), attributions=shares, base=0.0, output=float(shares.sum()),
        residual=0.0, target="high",
    )  # fmt: skip
    (bars,) = share_charts.waterfall(view, LIGHT).data
    assert len(bars.x) == 13
    assert bars.y[-1] == "28 other features"
    assert sum(bars.x) == pytest.approx(float(shares.sum()))


def test_a_long_label_keeps_its_value():
    name = "interval before, divided by the mean one of ten, in beats that look alike to this one"
    cut = share_charts.wrapped(f"{name} = 0.452", "\n")
    assert cut.endswith("… = 0.452")
    assert cut.count("\n") == 1
    where = "transferred to another short term hospital, in the same town"
    assert share_charts.wrapped(f"{name} = {where}", " ").endswith(f"… = {where}")
    assert share_charts.wrapped(name, " ").endswith("…")


def test_a_probability_has_no_ticks_beyond_certainty_and_labels_of_two_lines_have_higher_rows():
    def drawn(name):
        shares = np.array([0.6, 0.39], np.float32)
        view = Waterfall(
            features=(name, "b"), attributions=shares, base=0.0, output=0.99, residual=0.0, target="high"
        )
        return share_charts.waterfall(view, LIGHT).layout

    short, long = drawn("a"), drawn("Major vessels coloured by fluoroscopy = 0")
    assert min(short.xaxis.tickvals) == 0
    assert max(short.xaxis.tickvals) == pytest.approx(1)
    assert long.height > short.height
    average, here = long.annotations
    assert (average.y, here.y) == (1, 1)  # a share of a high figure would be outside of it
    assert average.yshift > here.yshift


def test_classes_are_ordered_and_the_decided_one_stands_out():
    view = ClassBars(labels=("a", "b"), probabilities=(0.9, 0.1), predicted="b", threshold=0.05)
    (bars,) = charts.class_bars(view, LIGHT).data
    assert list(bars.y) == ["b", "a"]
    assert bars.marker.color[0] != bars.marker.color[1]


def test_the_other_plots_are_made():
    rng = np.random.default_rng(0)
    swarm = Beeswarm(
        features=("a", "b"), values=np.array([[np.nan, 0.5]] * 30, np.float32),
        attributions=rng.normal(size=(30, 2)).astype(np.float32), target="high",
    )  # fmt: skip
    assert len(share_charts.beeswarm(swarm, LIGHT).data) == 2
    line = Curve(name="a", x=np.arange(3.0), y=np.arange(3.0), low=np.arange(3.0), high=np.arange(3.0))
    assert charts.curves(
        Curves(curves=(line,), x_label="x", y_label="y", diagonal=True, mark_x=1), LIGHT
    ).data
    assert charts.matrix(Matrix(labels=("a", "b"), counts=np.zeros((2, 2), np.int64)), LIGHT).data


def test_a_few_epochs_have_whole_numbers_and_many_have_few_ticks():
    def ticks(epochs: int) -> object:
        line = Curve(name="a", x=np.arange(1.0, epochs + 1), y=np.zeros(epochs))
        return charts.curves(
            Curves(curves=(line,), x_label="epoch", y_label="loss"), LIGHT
        ).layout.xaxis.dtick

    assert (ticks(3), ticks(80)) == (1, None)


_PUBLIC = (getattr(views, name) for name in views.__all__)
VIEWS = [kind for kind in _PUBLIC if isinstance(kind, type) and issubclass(kind, View) and kind is not View]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_a_drawing(view):
    assert draw._draw.dispatch(view) is not draw._draw.dispatch(object)


def test_a_view_without_a_drawing_is_a_developers_mistake():
    with pytest.raises(ContractError):
        draw._draw(View(), "key")
