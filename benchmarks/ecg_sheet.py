"""A day of ECG: how long it takes to read it and to lay out its sheet, and how many points are sent."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.rows import Row

_RATE_HZ, _SAMPLES = 250, 21_600_000
_MOST_S, _MOST_POINTS = 2.0, 5000


def rows() -> Iterator[Row]:
    """Yield the opening of 24 h, against the bare library's read, and a sheet in the middle of it."""
    import wfdb

    from healthdash import tasks
    from healthdash.task import Upload
    from healthdash.tasks.ecg.sample import EcgSample

    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        uploads = [Upload.from_path(Path(folder) / f"day.{ending}") for ending in ("hea", "dat")]
        began = time.perf_counter()
        wfdb.rdrecord(str(Path(folder) / "day"))
        bare_s = time.perf_counter() - began
        began = time.perf_counter()
        sample = tasks.get("ecg-beats").read(uploads)
        read_s = time.perf_counter() - began
    assert isinstance(sample, EcgSample)
    sheet_s, points, size = _sheet(sample)
    total = read_s + sheet_s
    yield Row(
        name="ECG sheet: 24 h of one lead at 250 Hz, WFDB to the first sheet and strip",
        ours=f"{total:.2f} s ({read_s:.2f} s reading, {sheet_s:.2f} s sheet)",
        reference=f"{bare_s:.2f} s wfdb.rdrecord alone",
        ratio=total / bare_s,
        target=f"at most {_MOST_S:g} s",
        check=f"{points:,} points of {_SAMPLES:,} sent, {size / 1000:.0f} kB",
        verdict="met" if total < _MOST_S and points < _MOST_POINTS + 1 else "missed",
    )


def _write(folder: Path) -> None:
    """Write a drawn day: an hour of it, 24 times."""
    from healthdash.tasks.ecg.samples import synthesise

    hour = synthesise("ventricular", seconds=_SAMPLES / _RATE_HZ / 24, rate_hz=_RATE_HZ).signal_mv[:, 0]
    steps = np.tile(np.rint(200 * hour).astype("<i2"), 24)
    (folder / "day.dat").write_bytes(steps.tobytes())
    (folder / "day.hea").write_text(
        f"day 1 {_RATE_HZ} {len(steps)}\nday.dat 16 200/mV 16 0 {steps[0]} 0 0 II\n"
    )


def _sheet(sample: object) -> tuple[float, int, int]:
    """Return the seconds that a sheet takes, its points, and its bytes."""
    from healthdash.tasks.ecg.sample import EcgSample
    from healthdash.ui.palette import LIGHT
    from healthdash.ui.paper import sheet
    from healthdash.views import Trace

    assert isinstance(sample, EcgSample)
    began = time.perf_counter()
    view = Trace(signal=sample.signal_mv, rate_hz=sample.rate_hz, leads=sample.leads, flags=sample.flags)
    drawn = sheet.of(view, 43_200, 30, sheet.Choice(), LIGHT)
    sent = json.dumps(drawn)
    took = time.perf_counter() - began
    return took, drawn["strip"]["points"] + sum(lane["points"] for lane in drawn["lanes"]), len(sent)
