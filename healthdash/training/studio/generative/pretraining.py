"""Pre-training: before a network learns labels, it learns to restore items of which a part is hidden.

Items without labels can be learnt from too. A decoder is put behind the features that the labels will be told
from, both are trained, and the decoder is thrown away; the weights of the network stay.

References
----------
Vincent et al. 2008, ICML, Extracting and composing robust features with denoising autoencoders; He et al.
2022, CVPR, Masked autoencoders are scalable vision learners (here with convolutions, which see hidden patches
as the mean, and an error over the whole item).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings, resumable
from healthdash.training.history import EpochRow
from healthdash.training.studio.generative.batches import MadeBatches
from healthdash.training.studio.generative.extended import Extended
from healthdash.training.studio.generative.form import Form, fitted_form, to_restore
from healthdash.training.studio.generative.networks import default_size, made
from healthdash.training.studio.items import ItemKind, Prepared, Rows

__all__ = ["pretrain"]

Floats = NDArray[np.float32]
#: Share of an item that is hidden: half of the patches; of a row, where each column is on its own, less.
HIDDEN = {"picture": 0.5, "signal": 0.5, "row": 0.3}
_RATE, _BATCH, _LEAST_BATCHES = 1e-3, 32, 10


def pretrain(
    network: keras.Model,
    kind: ItemKind,
    prepared: Prepared,
    train: Rows,
    settings: TrainSettings,
    on_epoch: Callable[[EpochRow], None],
    *,
    count: int,
    seed: int,
    run: str = "",
) -> Mapping[str, str]:
    """Train the body of a network in place, for `settings.pretrain` epochs; without them nothing is done.

    Parameters
    ----------
    network : keras.Model
        From prepared items to logits; its last layer is the only one that stays as it was.
    train : int64 (m,)
        Rows that may be learnt from.
    count : int
        How many items `prepared` has.

    Returns
    -------
    dict of str to str
        What the card says of it.

    Raises
    ------
    InvalidInput
        The unlabelled items of `settings.unlabelled` cannot be read by the task.
    """
    if not settings.pretrain:
        return {}
    items, rows, extra = _with_unlabelled(prepared, train, settings.unlabelled, count)
    form = fitted_form(kind, prepared, train, seed=seed)
    model = _restoring(network, form)

    def make(batch: Rows, rng: np.random.Generator) -> tuple[Floats, Floats]:
        seen, whole = to_restore(kind, items, batch, rng if settings.augment else None)
        return form.hidden(seen, HIDDEN[kind], rng), form.encode(whole)

    batches = MadeBatches(rows, settings.batch_size or _BATCH, make, seed=seed, least=_LEAST_BATCHES)
    rate = keras.optimizers.schedules.CosineDecay(_RATE, settings.pretrain * len(batches))
    places = tuple(range(1, len(form.shape) + 1))

    def restoring_error(coded: Any, out: Any) -> Any:
        return ops.mean(form.errors(coded, ops.cast(out, "float32")), axis=places)

    model.compile(keras.optimizers.Adam(rate), loss=restoring_error, jit_compile=False)
    named = f"{run}, pre-training".lstrip(", ")
    resumable.fit(model, batches, epochs=settings.pretrain, on_epoch=on_epoch, run=named)
    learnt = f"{len(train)} training items" + (f" and {extra} unlabelled ones" if extra else "")
    return {
        "pre-training": f"{settings.pretrain} epochs of restoring {learnt}, "
        f"of which {HIDDEN[kind]:.0%} was hidden"
    }


def _restoring(network: keras.Model, form: Form) -> keras.Model:
    """Return the body of a network with a decoder behind it."""
    features = network.layers[-1].input
    if len(features.shape) > 2:
        features = layers.Flatten()(features)
    return keras.Model(network.inputs[0], made(form, default_size(form), features, "restored"))


def _with_unlabelled(
    prepared: Prepared, train: Rows, path: str | None, count: int
) -> tuple[Prepared, Rows, int]:
    """Return items and rows with those of a file without labels, and how many these are."""
    if not path:
        return prepared, train, 0
    read: Callable[[Path], Floats] | None = getattr(prepared, "inputs_of", None)
    if read is None:
        raise InvalidInput(
            "items without labels cannot be read for this task", hint="Pre-train on the labelled items only."
        )
    extra = read(Path(path))
    rows = np.concatenate([train, count + np.arange(len(extra))])
    return Extended(prepared, extra, count), rows, len(extra)
