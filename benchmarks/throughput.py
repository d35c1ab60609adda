"""Many inputs: our forward pass against `model.predict` on the same arrays, and file to report."""

from __future__ import annotations

import io
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.rows import Row, missing, seconds_of
from benchmarks.shipped import bundle_of, feed, prepared
from healthdash import pipeline, tasks
from healthdash.bundles import Bundle
from healthdash.task import Upload

_PIECES = 5
# Long enough to be steady; the whole number is stated as what the pieces give.
_MOST_S = 15.0
_MOST_RECORDING_S = 45.0


@dataclass(frozen=True, slots=True)
class Load:
    """How many inputs of a task, in words too."""

    task: str
    n: int
    words: str


LOADS = (
    Load("heart-disease", 100_000, "100,000 table rows"),
    Load("readmission", 100_000, "100,000 table rows"),
    Load("chest-xray", 1_000, "1,000 pictures"),
    Load("lung-ct", 1_000, "1,000 pictures"),
    # 75 beats a minute.
    Load("ecg-beats", 108_000, "a 24 h ECG"),
)


def rows() -> Iterator[Row]:
    """Yield the forward pass of each load, then file to report of some."""
    for load in LOADS:
        bundle = bundle_of(load.task)
        name = f"{load.task}: {load.words}"
        if bundle is None:
            yield missing(name, "no model ships yet")
            continue
        yield _forward(f"{name}, prepared arrays", load, bundle)
        if load.task == "heart-disease":
            yield _table_file(f"{name}, CSV to reports", load, bundle)
        if load.task == "chest-xray":
            yield _pictures(f"{load.task}: 200 PNG to reports", bundle)
        if load.task == "ecg-beats":
            yield _recording(bundle)


def _forward(name: str, load: Load, bundle: Bundle) -> Row:
    """Compare both on pieces in turn; stop early on a slow network and say how far it came."""
    arrays = prepared(bundle, _piece(bundle, load))
    size = len(next(iter(arrays.values())))
    bundle.forward.logits({k: v[: bundle.forward.chunk] for k, v in arrays.items()})
    ours, theirs, taken, difference = [], [], 0.0, 0.0
    while len(ours) < _PIECES and taken < _MOST_S:
        seconds, logits = seconds_of(lambda: bundle.forward.logits(arrays))
        ours.append(seconds)
        seconds, expected = seconds_of(lambda: _predicted(bundle, arrays))
        theirs.append(seconds)
        taken += ours[-1] + theirs[-1]
        difference = max(difference, float(np.abs(logits - expected).max()))
    rate, reference = (size / statistics.median(times) for times in (ours, theirs))
    done = "" if len(ours) * size >= load.n else f" ({len(ours) * size:,} run)"
    return Row.compared(
        name,
        ours=f"{load.n / rate:.1f} s, {rate:,.0f}/s{done}",
        reference=f"{reference:,.0f}/s model.predict, batch {_batch(bundle)}",
        ratio=rate / reference,
        at_least=0.8,
        check=f"logits {difference:.0e}",
        equal=difference < 1e-3,
    )


def _piece(bundle: Bundle, load: Load) -> int:
    """Return how many inputs are run at once: a fifth of all, or what the time allows."""
    most, size = load.n // _PIECES, max(64, load.n // 100)
    while size < most:
        arrays = prepared(bundle, size)
        _predicted(bundle, arrays)
        seconds, _ = seconds_of(lambda a=arrays: _predicted(bundle, a))
        if seconds * 4 * _PIECES > _MOST_S:
            break
        size = min(2 * size, most)
    return size


def _predicted(bundle: Bundle, arrays: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(bundle.network.predict(feed(arrays), batch_size=_batch(bundle), verbose=0))


def _batch(bundle: Bundle) -> int:
    """Give `predict` batches as large as ours; its own 32 would make tables look slow."""
    return max(32, bundle.forward.chunk)


def _table_file(name: str, load: Load, bundle: Bundle) -> Row:
    """Time a large CSV, made of a sample's rows again and again."""
    task = tasks.get(load.task)
    samples = [upload for example in task.examples() for upload in example.make()]
    tables = (one.data for one in samples if one.name.endswith(".csv"))
    head, *lines = max(tables, key=len).splitlines()
    body = b"\n".join((lines * (load.n // len(lines) + 1))[: load.n])
    upload = Upload("large.csv", head + b"\n" + body + b"\n")
    seconds, report = seconds_of(lambda: pipeline.run(task, [upload], bundle))
    if report.prediction is None:
        return missing(name, f"no prediction: {report.error}")
    return Row(name=name, ours=f"{seconds:.1f} s for {len(report.prediction):,} rows")


def _pictures(name: str, bundle: Bundle) -> Row:
    """Time pictures of a usual size, each different, from PNG bytes."""
    from PIL import Image

    task = tasks.get(bundle.info.task)
    original = Image.open(io.BytesIO(_largest_picture(task).data)).convert("L").resize((1024, 1024))
    uploads = []
    for turn in range(8):
        stored = io.BytesIO()
        original.rotate(turn / 4).save(stored, "PNG", compress_level=1)
        uploads.append(Upload(f"{turn}.png", stored.getvalue()))
    seconds, reports = seconds_of(
        lambda: list(pipeline.run_many(task, [[uploads[i % 8]] for i in range(200)], bundle))
    )
    done = sum(report.prediction is not None for report in reports)
    return Row(name=name, ours=f"{seconds:.1f} s, {done / seconds:.0f}/s of 1024 x 1024 px ({done} done)")


def _recording(bundle: Bundle) -> Row:
    """Time a WFDB record of 24 h in two leads, or as many hours as the time allows."""
    from healthdash.tasks.ecg.samples import SyntheticEcg, as_wfdb, synthesise

    task, hour = tasks.get(bundle.info.task), synthesise("ventricular", seconds=3600)

    def analysed(hours: int) -> tuple[float, int]:
        long = SyntheticEcg(np.tile(hour.signal_mv, (hours, 1)), hour.beats, hour.labels)
        files = as_wfdb(long, "synthetic-long")
        seconds, report = seconds_of(lambda: pipeline.run(task, files, bundle))
        return seconds, 0 if report.prediction is None else len(report.prediction)

    analysed(1)
    hours = min(24, max(1, int(_MOST_RECORDING_S / analysed(1)[0])))
    seconds, beats = analysed(hours)
    return Row(
        name=f"{bundle.info.task}: {hours} h ECG, WFDB to report",
        ours=f"{seconds:.1f} s, {beats:,} beats",
    )


def _largest_picture(task: tasks.Task) -> Upload:
    pictures = [upload for example in task.examples() for upload in example.make()]
    return max((u for u in pictures if u.data[1:4] == b"PNG"), key=lambda upload: len(upload.data))
