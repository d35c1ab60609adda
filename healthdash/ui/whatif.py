"""What if a value were another one? The changed row beside the original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from healthdash import pipeline
from healthdash.fields import CategoryField, Field, NumberField
from healthdash.task import Report
from healthdash.ui import charts, draw, form, kept, problems
from healthdash.ui.shown import Shown
from healthdash.views import Moved

__all__ = ["section", "started_at"]

Value = str | float | None
_FIRST = 4
_COLUMNS = 4


@st.fragment
def section(one: Shown) -> None:
    """Let the reader change values of a row, and show how output and shares move."""
    side = one.side
    fields = {field.name: field for field in side.task.fields}
    lines = [line for line in side.task.attributions(one.report) if line.feature in fields]
    if side.task.unit != "row" or not lines:
        return
    st.subheader("What if?", anchor=False)
    st.caption("Change values within the range that is possible at all. It asks the model, not the patient: "
               "other values of a real patient would change as well.")  # fmt: skip
    original: dict[str, Value] = {line.feature: line.value for line in lines}
    name = f"{side.task.slug}:whatif:{side.work.turn}:{side.number}:{side.asked.item}"
    by_size = [line.feature for line in sorted(lines, key=lambda line: -abs(line.attribution))]
    changed = original | _changes(name, by_size, fields, original)
    if _same(changed, original):
        st.caption("Nothing is changed yet.")
        return
    report = _explained(one, fields, changed)
    if report is not None:
        _show(one, report, fields, original, changed, f"{name}/{side.asked.target}")


def started_at(field: Field, value: Value) -> Field:
    """Return a field whose form begins with a value of a row; an impossible one is "not known"."""
    if isinstance(field, NumberField):
        number = float(value) if isinstance(value, int | float) else None
        fits = number is not None and field.low <= number <= field.high
        return replace(field, default=number if fits else None)
    if isinstance(field, CategoryField):
        return replace(field, default=None if value is None else str(value))
    return field


def _changes(
    name: str, by_size: Sequence[str], fields: Mapping[str, Field], original: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the values of the fields that the reader opened."""
    labels = {feature: fields[feature].label for feature in by_size}
    opened = kept.several(
        "Values to change", by_size, name=f"{name}:fields", default=by_size[:_FIRST], words=labels.__getitem__
    )
    held: dict[str, Value] = kept.value(name, {})
    starts: dict[str, Value] = kept.value(f"{name}:starts", {})
    columns = st.columns(_COLUMNS)
    found = {}
    for number, feature in enumerate(opened):
        key = f"{name}:{feature}"
        if key not in st.session_state:  # new, or drawn again after another page
            starts[feature] = held.get(feature, original[feature])
        field = started_at(fields[feature], starts[feature])
        given = form.widget(field, columns[number % _COLUMNS], key)
        # A value that the form cannot show stays as it is until the reader chooses another one.
        found[feature] = starts[feature] if given is None and not _is_shown(field) else given
    kept.put(name, found)
    kept.put(f"{name}:starts", starts)
    return found


def _is_shown(field: Field) -> bool:
    if isinstance(field, CategoryField):
        return field.default in field.choices
    return not isinstance(field, NumberField) or field.default is not None


def _same(a: Mapping[str, Value], b: Mapping[str, Value]) -> bool:
    return form.row(a) == form.row(b)


def _explained(one: Shown, fields: Mapping[str, Field], values: Mapping[str, Value]) -> Report | None:
    """Run the changed row through model and method; the last one is kept."""
    side = one.side
    upload = form.as_upload(list(fields.values()), values)
    asked = replace(side.asked, item=0)
    held = side.work.changed
    if held is None or held[0] != (upload.data, asked, side.work.model):
        with st.spinner("Asking the model…"):
            report = pipeline.run(side.task, [upload], side.bundle, asked)
        held = side.work.changed = ((upload.data, asked, side.work.model), report)
    report = held[1]
    if report.error is not None:
        problems.tell(report.error)
    for gate in side.task.item_gates(report, side.bundle) if report.prediction is not None else ():
        for reason in gate.reasons:
            st.warning(f"{reason[:1].upper()}{reason[1:]}.", icon=":material/warning:")
    return report if report.explanation is not None else None


def _show(
    one: Shown,
    report: Report,
    fields: Mapping[str, Field],
    original: Mapping[str, Value],
    changed: Mapping[str, Value],
    key: str,
) -> None:
    before, after, target = one.explanation, report.explanation, one.side.target_words
    assert after is not None
    with st.container(horizontal=True, gap="large"):
        st.metric(f"{problems.plain(target)}, as given", charts.percent(before.output), width="content")
        st.metric(
            f"{problems.plain(target)}, changed", charts.percent(after.output),
            f"{100 * (after.output - before.output):+.1f} points", delta_color="off", width="content",
        )  # fmt: skip
    _tell_frequency(one, after.output)
    old = {line.feature: line.attribution for line in one.lines}
    new = {line.feature: line.attribution for line in replace(one, report=report).lines}
    names = [name for name in new if name in old]
    called = {
        name: _moved(fields[name], original.get(name), changed.get(name)) for name in names if name in fields
    }
    view = Moved(
        features=tuple(called.get(name, name) for name in names),
        before=np.array([old[name] for name in names]), after=np.array([new[name] for name in names]),
        target=target,
    )  # fmt: skip
    draw.draw(view, key)


def _tell_frequency(one: Shown, output: float) -> None:
    """Say how often the class was right where the model said about as much: the interval of its output."""
    bundle = one.side.bundle
    seen = bundle.evaluation.frequency_near(one.side.asked.target, output, bundle.info.labels)
    if seen is not None:
        st.caption(
            f"Of the {seen.n:,} tested rows with an output near {charts.percent(seen.predicted)}, "
            f"{charts.percent(seen.observed)} were {problems.plain(one.side.target_words)} "
            f"(95 % interval {charts.percent(seen.low)} to {charts.percent(seen.high)})."
        )


def _moved(field: Field, old: Value, new: Value) -> str:
    """Return a feature with its value, or with both where it changed."""
    unit = f" {field.unit}" if isinstance(field, NumberField) and field.unit else ""
    before, after = _words(field, old), _words(field, new)
    values = after if before == after else f"{before} → {after}"
    return f"{field.label} = {values}{unit}"


def _words(field: Field, value: Value) -> str:
    if value is None or value == "":
        return "not known"
    if isinstance(field, CategoryField):
        return field.choices.get(str(value), str(value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)
