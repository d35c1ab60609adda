"""Reports as JSON objects: what the command line prints and the app offers for download."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from healthdash import apart, archive, pipeline
from healthdash.bundles import Bundle
from healthdash.errors import HealthdashError, OutOfScope, UnreadableUpload
from healthdash.explain import ExplainRequest
from healthdash.task import Gate, Prediction, Report, Task, Upload

__all__ = ["error", "inspections", "results"]

_VERDICT = ("label", "probabilities", "calibrated")


def error(problem: HealthdashError) -> dict[str, str]:
    """Return an error as a JSON object."""
    return {"type": type(problem).__name__, "message": problem.message, "hint": problem.hint}


def results(
    task: Task, report: Report, bundle: Bundle, request: ExplainRequest | None = None
) -> Iterator[dict[str, Any]]:
    """Yield one JSON object a result: a picture, a recording, a row.

    Parameters
    ----------
    request : ExplainRequest or None
        Explain each result; of a recording or volume the beat or slice that `task.first_item` names.

    Notes
    -----
    What is odd about an input stands at its first object, under `notices`.
    """
    notices = list(report.sample.notices) if report.sample else []
    for number, result in enumerate(_results(task, report, bundle, request)):
        yield {**result, "notices": notices} if notices and number == 0 else result


def _results(
    task: Task, report: Report, bundle: Bundle, request: ExplainRequest | None
) -> Iterator[dict[str, Any]]:
    if report.prediction is None:
        yield _failed(report)
    elif task.unit == "row":
        yield from _rows(task, report, bundle, request)
    elif report.prediction.unit == "slice":
        yield from _slices(task, report, bundle, request)
    elif task.unit in ("beat", "window"):
        yield {**_recorded(task, report, bundle, request), **task.more(report, bundle)}
    else:
        yield _result(task, report, bundle, request, 0)


def _rows(
    task: Task, report: Report, bundle: Bundle, request: ExplainRequest | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in order; one that was refused has an error and no probabilities."""
    gates, refused = task.item_gates(report, bundle), report.refusals
    for row, item in report.rows():
        if item is None:
            reasons = {"verdict": "refuse", "reasons": list(refused[row].problems)}
            yield {**_head(report), "gate": reasons, "error": error(refused[row]), "row": row}
        else:
            result = _result(task, report, bundle, request, item)
            told = task.provenance(report.sample, row) if report.sample else {}
            yield result | {"row": row, "gate": _verdict(gates[item])} | told


def _slices(
    task: Task, report: Report, bundle: Bundle, request: ExplainRequest | None
) -> Iterator[dict[str, Any]]:
    """Yield the slices of a volume in order; those that the gate refuses have an error instead of a result.

    Only the most suspicious slice is explained: hundreds would take minutes.
    """
    assert report.prediction is not None
    first = task.first_item(report, bundle)
    for item, gate in enumerate(task.item_gates(report, bundle)):
        row = {"row": int(report.prediction.items[item])}
        if gate.verdict == "refuse":
            refused = OutOfScope("; ".join(gate.reasons), hint=gate.hint)
            yield {**_head(report), "gate": _verdict(gate), "error": error(refused)} | row
        else:
            result = _result(task, report, bundle, request if item == first else None, item)
            yield result | row | {"gate": _verdict(gate)}


def inspections(uploads: Sequence[Upload]) -> Iterator[dict[str, Any]]:
    """Yield one JSON object a file (files of one recording or series together): what it is."""
    found_by = zip(uploads, apart.recognised(uploads), strict=True)
    known = {id(upload): task for upload, task in found_by if task is not None}
    files = [upload for upload in uploads if not archive.is_zip(upload.data)]
    groups = {task.slug: apart.groups(task, files) for task in set(known.values())}
    firsts = {(slug, id(group[0])): group for slug, found in groups.items() for group in found if group}
    others = {
        id(file)
        for slug, found in groups.items()
        for group in found
        if (first := known.get(id(group[0]))) is not None and first.slug == slug
        for file in group[1:]
    }
    for upload in uploads:
        task = known.get(id(upload))
        if task is not None and archive.is_zip(upload.data):  # an archive may hold several inputs
            yield from (_inspection(task, group) for group in apart.groups(task, [upload]))
        elif id(upload) in others:
            continue
        elif task is not None and (task.slug, id(upload)) in firsts:
            yield _inspection(task, firsts[task.slug, id(upload)])
        elif task is None:
            yield {"source": upload.name, "error": error(_unknown(upload))}


def _unknown(upload: Upload) -> UnreadableUpload:
    what = (
        "expected a picture, a recording or a table, got none of them" if upload.data else "the file is empty"
    )
    return UnreadableUpload(what, hint="Choose another file, or export it again.")


def _inspection(task: Task, group: Sequence[Upload]) -> dict[str, Any]:
    source = group[0].name
    try:
        return {"source": source, **apart.described(task, group)}
    except HealthdashError as problem:
        return {"source": source, "error": error(problem)}


def _failed(report: Report) -> dict[str, Any]:
    problem = report.error or UnreadableUpload("no result")
    return {**_head(report), "gate": _gate(report), "error": error(problem)}


def _head(report: Report) -> dict[str, Any]:
    return {"source": report.source, "task": report.task, "model": report.model, "sha256": report.sha256}


def _gate(report: Report) -> dict[str, Any]:
    if report.gate is not None:
        return _verdict(report.gate)
    return {"verdict": "refuse", "reasons": list(report.error.problems if report.error else ())}


def _verdict(gate: Gate) -> dict[str, Any]:
    return {"verdict": gate.verdict, "reasons": list(gate.reasons)}


def _result(
    task: Task, report: Report, bundle: Bundle, request: ExplainRequest | None, item: int
) -> dict[str, Any]:
    assert report.prediction is not None
    line = {
        **_head(report),
        "label": report.prediction.label(item),
        "probabilities": _rounded(report.prediction.probabilities(item)),
        "calibrated": report.prediction.is_calibrated,
        "gate": _gate(report),
    }
    if request is not None:
        line |= _explained(task, report, bundle, request, item)
    return line


def _explained(
    task: Task, report: Report, bundle: Bundle, request: ExplainRequest, item: int
) -> dict[str, Any]:
    explained = pipeline.explain(task, report, bundle, _for_item(request, item))
    if explained.explanation is None:
        return {"error": error(explained.error)} if explained.error else {}
    explanation = explained.explanation
    values = [
        {"feature": a.feature, "value": a.value, "attribution": a.attribution}
        for a in task.attributions(explained)
    ]
    return {
        "explanation": {
            "method": explanation.method,
            "target": explanation.target,
            "base": explanation.base,
            "output": explanation.output,
            "values": values,
            "residual": explanation.residual if explanation.is_additive else None,
            "seconds": round(explanation.seconds, 3),
        }
    }


def _for_item(request: ExplainRequest, item: int) -> ExplainRequest:
    from dataclasses import replace

    return replace(request, item=item)


def _recorded(task: Task, report: Report, bundle: Bundle, request: ExplainRequest | None) -> dict[str, Any]:
    """Return the object of a recording: its verdict, or its figures where the task has none."""
    assert report.prediction is not None
    item = task.default_item(report.prediction)
    result = _result(task, report, bundle, request, item) | _recording(task, report, bundle)
    if "explanation" in result:  # of one beat or window: which of those that are listed
        result["explanation"] |= {task.unit: item, "time_s": result[f"{task.unit}s"][item]["time_s"]}
    figures = task.figures(report, bundle)
    if figures is None:
        return result
    others = {name: value for name, value in result.items() if name not in _VERDICT}
    return {**_head(report), "figures": dict(figures), **others}


def _recording(task: Task, report: Report, bundle: Bundle) -> dict[str, Any]:
    """Return every beat or window, and the recording's own line: mean probabilities and its label.

    That is the most frequent label of the beats; of windows the one that their mean gives.
    """
    prediction, rate_hz = report.prediction, getattr(report.sample, "rate_hz", 1.0)
    assert prediction is not None
    counts = np.bincount(prediction.decided, minlength=len(prediction.labels))
    mean = prediction.calibrated.mean(axis=0)
    is_mean = task.unit == "window"
    label = int(bundle.info.decide(mean[None])[0]) if is_mean else int(counts.argmax())
    return {
        "label": prediction.labels[label],
        "probabilities": _rounded(dict(zip(prediction.labels, mean.tolist(), strict=True))),
        f"{task.unit}s": [_beat(prediction, item, rate_hz) for item in range(len(prediction))],
    }


def _beat(prediction: Prediction, item: int, rate_hz: float) -> dict[str, Any]:
    position = int(prediction.items[item])
    decided = int(prediction.decided[item])
    return {
        "sample": position,
        "time_s": round(position / rate_hz, 4),
        "label": prediction.labels[decided],
        "probability": round(float(prediction.calibrated[item, decided]), 6),
    }


def _rounded(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {label: round(float(p), 6) for label, p in probabilities.items()}
