"""How often the gate of pictures is right: python -m benchmarks.gate (needs HEALTHDASH_DATA).

Real pictures of patients left out of the fit should pass; everything else should be refused or
warned about, as a plain picture without a header and, where there is one, with its header.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from healthdash.errors import InputError
from healthdash.task import Upload
from healthdash.tasks.imaging import TASKS
from healthdash.tasks.imaging.anatomy import slice_limits
from healthdash.tasks.imaging.dataset import LabelledPictures, load_manifest
from healthdash.tasks.imaging.familiarity import fit_familiarity
from healthdash.tasks.imaging.sample import ImageSample, model_view
from healthdash.tasks.imaging.volume import VolumeSample
from healthdash.training.splits import split_by_group

SIZE = 128
LIMITS = {"warn_above": 1.25, "refuse_above": 1.6}
FOLDERS = {"chest-xray": "chest_xray", "lung-ct": "lung_ct"}
BY_SLUG = {task.slug: task for task in TASKS}


@dataclass(frozen=True)
class Rate:
    """Verdicts of the gate on one kind of picture."""

    task: str
    kind: str
    verdicts: tuple[str, ...]

    def share(self, verdict: str) -> float:
        """Return how often this verdict was given."""
        return self.verdicts.count(verdict) / max(1, len(self.verdicts))


def rates(data: Path) -> Iterator[Rate]:
    """Measure both tasks."""
    for slug in FOLDERS:
        yield from _of_task(slug, data)


def _of_task(slug: str, data: Path) -> Iterator[Rate]:
    dataset = labelled(slug, data)
    split = split_by_group(dataset.labels, dataset.groups, seed=0, parts=5)
    bundle = fitted(slug, dataset, split.train)
    kept_out = np.random.default_rng(0).permutation(np.concatenate([split.validation, split.test]))[:500]
    yield Rate(slug, "patients left out", _verdicts(slug, bundle, dataset, kept_out))
    other = next(name for name in FOLDERS if name != slug)
    strangers = labelled(other, data)
    rows = np.random.default_rng(0).permutation(len(strangers))[:400]
    yield Rate(slug, f"pictures of {other}", _verdicts(slug, bundle, strangers, rows))
    files = list(_files(data, slug))
    yield Rate(slug, "made: noise, text, ramp, disc, photo", tuple(_verdict(slug, bundle, u) for u in made()))
    yield Rate(slug, "other files, with header", tuple(_verdict(slug, bundle, u) for u in files))
    plain = [upload for upload in map(without_header, files) if upload is not None]
    yield Rate(slug, "the same as plain pictures", tuple(_verdict(slug, bundle, u) for u in plain))


@lru_cache
def labelled(slug: str, data: Path) -> LabelledPictures:
    """Read the published pictures of a task."""
    task = BY_SLUG[slug]
    return load_manifest(data / "imaging" / FOLDERS[slug], SIZE, task.read_grey, tuple(task.labels))


def fitted(slug: str, dataset: LabelledPictures, rows: np.ndarray) -> Any:
    """Return what of a bundle the gate needs, fitted as the recipe fits it."""
    pictures = dataset.inputs[rows]
    limits = LIMITS | (slice_limits(pictures) if slug == "lung-ct" else {})
    info = SimpleNamespace(preprocessing={"size": SIZE}, gate=limits)
    if slug == "lung-ct":
        info.preprocessing["window"] = {"center": -500, "width": 1500}
    return SimpleNamespace(info=info, arrays=fit_familiarity(pictures, dataset.groups[rows]))


def made() -> list[Upload]:
    """Return pictures that show no patient."""
    rng = np.random.default_rng(0)
    page = Image.new("L", (800, 600), 255)
    for line in range(20, 580, 18):
        ImageDraw.Draw(page).text((20, line), "Findings: the quick brown fox jumps over it. " * 3, fill=0)
    rows, columns = np.mgrid[-1:1:256j, -1:1:256j]
    grey = [rng.random((256, 256)), np.asarray(page) / 255, (columns + 1) / 2, np.hypot(rows, columns) < 0.7]
    photo = np.stack([(rows + 1) / 2, (columns + 1) / 2, rng.random(rows.shape)], axis=-1)
    return [png((picture * 255).astype(np.uint8)) for picture in (*grey, photo)]


def png(pixels: np.ndarray) -> Upload:
    """Return a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Upload("picture", file.getvalue())


def without_header(upload: Upload) -> Upload | None:
    """Return the picture, or the first one of a volume, alone, as somebody exports it."""
    sample = BY_SLUG["chest-xray"].read([upload])
    if isinstance(sample, VolumeSample):
        sample = sample.slice(0)
    assert isinstance(sample, ImageSample)
    return png((model_view(sample) * 255).astype(np.uint8))


def _verdicts(slug: str, bundle: Any, dataset: LabelledPictures, rows: np.ndarray) -> tuple[str, ...]:
    return tuple(_verdict(slug, bundle, png(dataset.pictures[row])) for row in rows)


def _verdict(slug: str, bundle: Any, upload: Upload) -> str:
    task = BY_SLUG[slug]
    try:
        sample = task.read([upload])
        task.validate(sample)
    except InputError:
        return "refuse"
    gate = task.gate(sample, bundle)
    if gate.verdict != "refuse" and isinstance(sample, VolumeSample):
        gate = task.gate(sample.slice(len(sample) // 2), bundle)
    return gate.verdict


def _files(data: Path, slug: str) -> Iterator[Upload]:
    """Yield the test files that show something else than the task's pictures, each picture once."""
    seen = set()
    with (data / "imaging" / "dicom" / "manifest.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            upload = Upload.from_path(data / "imaging" / "dicom" / row["file"])
            is_new = row["decode"] == "ok" and row["pixsha"] not in seen
            seen.add(row["pixsha"])
            if is_new and not (row["file"].startswith("cornerstone/CTImage.dcm_")):
                yield upload
    for path in sorted((data / "imaging" / "other_formats").rglob("*.png")):
        yield Upload.from_path(path)


def main() -> int:
    """Print a table."""
    data = os.environ.get("HEALTHDASH_DATA")
    if not data:
        print("set HEALTHDASH_DATA to the unpacked data sets", file=sys.stderr)
        return 2
    print(f"{'task':11s} {'pictures':38s} {'n':>5s} {'pass':>7s} {'warn':>7s} {'refuse':>7s}")
    for rate in rates(Path(data)):
        shares = " ".join(f"{rate.share(v):7.1%}" for v in ("pass", "warn", "refuse"))
        print(f"{rate.task:11s} {rate.kind:38s} {len(rate.verdicts):5d} {shares}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
