"""Drawing, choosing and writing the synthetic pictures that ship, with their card."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from .anatomy import enclosed_air, middle_grey, slice_limits
from .dataset import LabelledPictures
from .familiarity import fit_familiarity, strangeness
from .likeness import Nearest, nearest_of_others, nearest_to

if TYPE_CHECKING:
    from healthdash.bundles import Bundle

    from .synthetic import Generator

__all__ = ["Chosen", "choose", "unlike", "write"]

Floats = NDArray[np.float32]

_SIDE = 224
_DRAWS = 1000
# Film grain and quantum noise, which the generator cannot draw.
_GRAIN = 0.016
_MOST_TYPICAL = 24
_MOST_ALIKE = 0.9
_COMPARED = 400
_MARK = "SYNTHETIC picture, drawn by a generative network; it shows no patient."
_CARD = f"""# Synthetic pictures

{_MARK}
A conditional variational autoencoder for each task (`synthetic.py`) drew them. It was trained on the
training pictures of the task, at 80 x 80 pixels, and works on mixtures of their principal components;
its drawings are enlarged to 224 x 224, with grain added. They are much softer than real pictures, and
their labels are what the generator was asked for: no reader has looked at them. The generators do not
ship. For research and education, not for clinical use.

Chosen from {_DRAWS} draws of each label: by correlation and by SSIM no more like a training picture than nine
tenths of the training pictures are like another patient's; of these the {_MOST_TYPICAL} most typical by the
gate's measure (CT: those with the least blurred edges); and of these the one that the shipped model gives the
label most clearly. So the model's answers on them say nothing about its quality.

Near-copy check: the most alike of all training pictures by the correlation of 48 x 48 thumbnails, and
the structural similarity (SSIM, 7 x 7 boxes, 80 x 80 pixels) with it. For comparison the same for 400
training pictures and the most alike one of another patient (CT: of another group of near-duplicates)."""
_TITLES = {
    "normal": "Normal",
    "bacterial": "Bacterial pneumonia",
    "viral": "Viral pneumonia",
    "benign": "Benign tumour",
    "malignant": "Malignant tumour",
}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One picture for each label, with its likeness to the training pictures.

    Attributes
    ----------
    pictures : float32 (labels, 224, 224), 0 to 1
    nearest : Nearest
        Of each.
    others : Nearest
        Of training pictures to those of other patients, for comparison.
    probabilities : tuple of float
        What the shipped model gives for the label; empty where there is none.
    """

    task: str
    names: tuple[str, ...]
    pictures: Floats
    nearest: Nearest
    others: Nearest
    probabilities: tuple[float, ...]


def choose(task: str, generator: Generator, dataset: LabelledPictures, *, seed: int) -> Chosen:
    """Draw many pictures of each label and keep one.

    Of the draws that the gate passes and that are by neither measure more like a training picture
    than nine tenths of the training pictures are like another patient's, the 24 most typical are shown
    to the shipped model, if there is one, and the one that it gives the label most clearly is kept.
    """
    training = dataset.inputs[..., 0]
    arrays = fit_familiarity(training[..., None], dataset.groups)
    others = nearest_of_others(training, dataset.groups, count=_COMPARED, seed=seed)
    kept, shares = [], []
    for label in range(len(dataset.names)):
        draws = generator.draw(label, _DRAWS, seed=seed + label)
        finished = np.stack([_finished(draw, seed + i) for i, draw in enumerate(draws)])
        passing = _passing(task, finished, training)
        draws, finished = draws[passing], finished[passing]
        far = unlike(nearest_to(draws, training), others)
        draws, finished = draws[far], finished[far]
        order = np.argsort(_oddness(task, draws, arrays))[:_MOST_TYPICAL]
        typical, finished = draws[order], finished[order]
        best, share = _clearest(task, finished, dataset.names[label])
        kept.append((typical[best], finished[best]))
        shares += [] if share is None else [share]
    return Chosen(
        task=task,
        names=dataset.names,
        pictures=np.stack([finished for _, finished in kept]),
        nearest=nearest_to(np.stack([draw for draw, _ in kept]), training),
        others=others,
        probabilities=tuple(shares),
    )


def write(chosen: Sequence[Chosen], folder: Path) -> None:
    """Write PNG and DICOM files, the index and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for one in chosen:
        for number, name in enumerate(one.names):
            index.append(_write_png(one, number, name, folder))
        index.append(_write_dicom(one, len(one.names) - 1, folder))
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(_card(chosen), encoding="utf-8")


def _passing(task: str, finished: Floats, training: Floats) -> NDArray[np.bool_]:
    """Say which pictures the gate lets through as a CT slice; X-rays all are."""
    if task != "lung-ct":
        return np.ones(len(finished), bool)
    shipped = _shipped(task)
    limits = shipped.info.gate if shipped else slice_limits(training[..., None])
    has_lungs = enclosed_air(finished[..., None]) > limits["enclosed_air_at_least"]
    return has_lungs & (middle_grey(finished[..., None]) < limits["middle_grey_at_most"])


def unlike(drawn: Nearest, others: Nearest) -> NDArray[np.bool_]:
    """Say which draws are no nearer to a training picture than most training pictures are to another's."""
    pairs = ((drawn.correlation, others.correlation), (drawn.similarity, others.similarity))
    within = [mine <= np.quantile(theirs, _MOST_ALIKE) for mine, theirs in pairs]
    return np.asarray(np.all(within, axis=0))


def _oddness(task: str, draws: Floats, arrays: Mapping[str, Floats]) -> Floats:
    """Return what is small for a good draw: distance from real pictures, or blurred edges in a CT slice."""
    pictures = draws[..., None]
    return middle_grey(pictures) if task == "lung-ct" else strangeness(pictures, arrays)


def _finished(draw: Floats, seed: int) -> Floats:
    """Enlarge a draw to the size of the training pictures, add grain, and round as a file of 8 bits does."""
    large = np.asarray(Image.fromarray(draw).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(seed).normal(0, _GRAIN, large.shape)
    return (np.rint(np.clip(large + grain, 0, 1) * 255) / 255).astype(np.float32)


def _clearest(task: str, pictures: Floats, label: str) -> tuple[int, float | None]:
    """Return which picture the shipped model gives the label most clearly, and how clearly."""
    from .prepare import INPUT, to_square

    bundle = _shipped(task)
    if bundle is None:
        return 0, None
    size = int(bundle.info.preprocessing["size"])
    _, calibrated = bundle.forward({INPUT: np.concatenate([to_square(p, size) for p in pictures])})
    shares = calibrated[:, bundle.info.labels.index(label)]
    return int(shares.argmax()), float(shares.max())


def _shipped(task: str) -> Bundle | None:
    from healthdash import bundles
    from healthdash.errors import ModelError

    try:
        return bundles.get(task)
    except ModelError:
        return None


def _entry(one: Chosen, name: str, file: str, form: str) -> dict[str, str]:
    return {
        "task": one.task,
        "slug": Path(file).stem.removeprefix(f"{one.task}-") + ("-dicom" if form == "DICOM" else ""),
        "title": f"{_TITLES.get(name, name)} (synthetic{', DICOM' if form == 'DICOM' else ''})",
        "description": f"{_MARK} Drawn as “{name}”.",
        "file": file,
    }


def _write_png(one: Chosen, number: int, name: str, folder: Path) -> dict[str, str]:
    file = f"{one.task}-{name}.png"
    marks = PngImagePlugin.PngInfo()
    marks.add_text("Title", "SYNTHETIC")
    marks.add_text("Description", _MARK)
    grey = np.rint(one.pictures[number] * 255).astype(np.uint8)
    Image.fromarray(grey).save(folder / file, pnginfo=marks, optimize=True)
    return _entry(one, name, file, "PNG")


def _write_dicom(one: Chosen, number: int, folder: Path) -> dict[str, str]:
    """Wrap one picture as DICOM: a CT slice in HU, or an X-ray stored as MONOCHROME1."""
    is_ct = one.task == "lung-ct"
    kind = CTImageStorage if is_ct else DigitalXRayImageStorageForPresentation
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[one.task, "synthetic"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    made.PatientName, made.PatientID = "SYNTHETIC^SAMPLE", "SYNTHETIC"
    made.Manufacturer, made.ImageComments = "healthdash generator", _MARK
    made.Modality, made.BodyPartExamined = ("CT" if is_ct else "DX"), "CHEST"
    made.Rows = made.Columns = _SIDE
    made.SamplesPerPixel, made.BitsAllocated, made.PixelRepresentation = 1, 16, 0
    made.BitsStored, made.HighBit = 12, 11
    _add_values(made, one.pictures[number], is_ct=is_ct)
    file = f"{one.task}-{one.names[number]}.dcm"
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    (folder / file).write_bytes(buffer.getvalue())
    return _entry(one, one.names[number], file, "DICOM")


def _add_values(made: FileDataset, grey: Floats, *, is_ct: bool) -> None:
    if is_ct:  # the window of the training pictures, -500 / 1500 HU, undone
        stored = np.rint(grey * 1500 - 1250 + 1024).clip(0, 4095)
        made.PhotometricInterpretation, made.RescaleType = "MONOCHROME2", "HU"
        made.RescaleSlope, made.RescaleIntercept = 1, -1024
        made.WindowCenter, made.WindowWidth = -600, 1500
        made.PixelSpacing = [1.6, 1.6]
    else:
        stored = 4095 - np.rint(grey * 4095)
        made.PhotometricInterpretation, made.PresentationLUTShape = "MONOCHROME1", "INVERSE"
        made.WindowCenter, made.WindowWidth, made.VOILUTFunction = 2047.5, 4095, "LINEAR_EXACT"
        made.PatientAge = "004Y"
        made.ImagerPixelSpacing = [1.0, 1.0]
    made.PixelData = stored.astype(np.uint16).tobytes()


def _card(chosen: Sequence[Chosen]) -> str:
    lines = [_CARD]
    for one in chosen:
        lines += ["", f"## {one.task}", "", *_table(one)]
    return "\n".join(lines) + "\n"


def _table(one: Chosen) -> list[str]:
    rows = ["| picture | correlation | SSIM | model's output for the label |", "|---|---|---|---|"]
    for number, name in enumerate(one.names):
        share = f"{one.probabilities[number]:.2f}" if one.probabilities else "no model then"
        correlation, ssim = float(one.nearest.correlation[number]), float(one.nearest.similarity[number])
        rows.append(f"| {name} | {correlation:.3f} | {ssim:.3f} | {share} |")
    for title, percent in (("median", 50), ("90 %", 90), ("99 %", 99)):
        correlation = float(np.percentile(one.others.correlation, percent))
        ssim = float(np.percentile(one.others.similarity, percent))
        rows.append(f"| training pictures to another patient's, {title} | {correlation:.3f} | {ssim:.3f} | |")
    return rows
