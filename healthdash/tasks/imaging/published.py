"""The published data sets that the shipped models are trained on, known by their manifest."""

from __future__ import annotations

import numpy as np

from healthdash.bundles import DataSource

from .dataset import LabelledPictures

__all__ = ["is_published", "source_of"]

_CHEST = "2da9927685347bc007e66a60e4241d127e4633271a3d5293f3be868139d9c7fc"
_LUNG = "23c6fab46df4557321305c8a021c49e5032963ef41254543be8028276e15e332"

_PUBLISHED = {
    _CHEST: {
        "name": "Kermany chest X-rays, training part, squashed to 224 x 224",
        "source": "Mendeley Data, doi 10.17632/rscbjbr9sj",
        "licence": "CC BY 4.0",
        "citation": "Kermany, Zhang and Goldbaum 2018, Labeled Optical Coherence Tomography (OCT) and Chest "
        "X-Ray Images for Classification; paper: Cell 172:1122-1131",
    },
    _LUNG: {
        "name": "IQ-OTH/NCCD, 860 of its 1,097 lung CT slices, 224 x 224",
        "source": "Mendeley Data, doi 10.17632/bhmdr45bh2",
        "licence": "CC BY 4.0",
        "citation": "Alyasriy and Al-Huseiny, The IQ-OTH/NCCD lung cancer dataset",
    },
}
_UNKNOWN = {
    "source": "supplied by the user of this installation",
    "licence": "not stated; ask who supplied it",
}


def is_published(dataset: LabelledPictures) -> bool:
    """Say whether the recipe's own words on use and limits are about these pictures."""
    return dataset.fingerprint in _PUBLISHED


def source_of(dataset: LabelledPictures) -> DataSource:
    """Describe where a data set comes from; anything but a published one is the user's own."""
    is_synthetic = dataset.title.startswith("synthetic")
    name = f"{dataset.title}; a model trained on it is worth nothing" if is_synthetic else dataset.title
    known = _PUBLISHED.get(dataset.fingerprint, {"name": name, **_UNKNOWN})
    return DataSource(**known, rows=len(dataset), groups=len(np.unique(dataset.groups)))
