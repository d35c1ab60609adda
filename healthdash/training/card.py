"""The model card: written from what the bundle and its evaluation hold, nothing by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined

from healthdash.training.evaluation import Evaluation, MetricRow
from healthdash.training.explained import LEGEND, Agreed, JudgedMethod

__all__ = ["render_card"]

_TEMPLATE = """\
# {{ info.title }}

**For research and education, not for clinical use.** The numbers below are model outputs measured on the
data named here; they are not a diagnosis and do not carry over to other hospitals unchecked.

| | |
|---|---|
| task | `{{ info.task }}` |
| bundle | `{{ info.name }}`, format {{ info.format }}, created {{ info.created }} |
| labels | {{ info.labels | join(", ") }} |
| parameters | {{ "{:,}".format(info.parameters) }} |
| seed | {{ info.seed }} |
| weights | sha256 `{{ info.sha256 }}` |
| made with | {% for name, number in info.versions.items() %}{{ name }} {{ number }}{{ ", " if not loop.last }}{% endfor %} |

## Intended use
{{ info.intended_use }}

## Limits
{% for limit in info.limits %}- {{ limit }}
{% endfor %}
## Data
{{ info.data.name }}: {{ "{:,}".format(info.data.rows) }} examples in {{ "{:,}".format(info.data.groups) }} groups.
Source: {{ info.data.source }}. Licence: {{ info.data.licence }}.{% if info.data.citation %} {{ info.data.citation }}.{% endif %}

## Evaluation
{{ evaluation.split_rule }}
{% for name, number in evaluation.counts.items() %}{{ name }}: {{ "{:,}".format(number) }}{{ ", " if not loop.last }}{% endfor %}.

| measure | value | 95 % interval | n | measured on |
|---|---|---|---|---|
{% for row in evaluation.metrics %}| {{ row.name }}{{ " (" ~ row.note ~ ")" if row.note }} | {{ number(row.value) }} | {{ interval(row) }} | {{ "{:,}".format(row.n) }} | {{ row.part }} |
{% endfor %}
{% if evaluation.comparisons %}### Beside other models, on the same rows

| model | value | 95 % interval | n | measured on |
|---|---|---|---|---|
{% for row in evaluation.comparisons %}| {{ row.name }}{{ " (" ~ row.note ~ ")" if row.note }} | {{ number(row.value) }} | {{ interval(row) }} | {{ "{:,}".format(row.n) }} | {{ row.part }} |
{% endfor %}
{% endif %}{% if evaluation.subgroups %}### Subgroups

| group | value | 95 % interval | n | measured on |
|---|---|---|---|---|
{% for row in evaluation.subgroups %}| {{ row.name }}{{ " (" ~ row.note ~ ")" if row.note }} | {{ number(row.value) }} | {{ interval(row) }} | {{ "{:,}".format(row.n) }} | {{ row.part }} |
{% endfor %}
{% endif %}{% if quality %}## How good its explanations are
{{ quality.words }}

{{ table(quality.methods) }}
{{ legend }}

{% for one in quality.methods %}- {{ one.title }}{{ " (the default)" if loop.first }}: {{ one.words }}.
{% endfor %}{% if quality.agreement %}
### Whether the methods agree
{{ quality.agreement_words }}

{{ table(quality.agreement) }}{% endif %}
Measured by `{{ quality.command }}`.

{% endif %}## Calibration and operating points
Calibration: {{ info.calibration.method }}{% if info.calibration.fitted_on %}, fitted on {{ info.calibration.fitted_on }}{% endif %}.
{% for point in info.operating_points %}
- {{ point.label }} from an estimated probability of {{ "%.3f" | format(point.threshold) }}: {{ point.rule }}{% else %}
The most likely label is shown; there is no other operating point.{% endfor %}

## Training
{% for name, value in info.recipe.items() %}- {{ name }}: {{ value }}
{% endfor %}{% if evaluation.command %}
Made by `{{ evaluation.command }}`{% for other in ("jax", "torch") if other in info.versions %}, with \
`KERAS_BACKEND={{ other }}`; with TensorFlow the same command gives other weights, which were not measured{% endfor %}.
{% endif %}"""


def render_card(info: Mapping[str, Any], evaluation: Evaluation) -> str:
    """Return the card as Markdown; a value that is missing is an error, not a gap."""
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    template = environment.from_string(_TEMPLATE)
    return template.render(
        info=info,
        evaluation=evaluation,
        quality=evaluation.explanations,
        legend=LEGEND,
        number=_number,
        interval=_interval,
        table=_table,
    )


def _table(lines: Sequence[JudgedMethod | Agreed]) -> str:
    """Return a table of figures, one line a method or pair of them."""
    rows = [line.row() for line in lines]
    cells = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _interval(row: MetricRow) -> str:
    if row.low is None or row.high is None or math.isnan(row.low):
        return "-"
    return f"{_number(row.low)} to {_number(row.high)}"
