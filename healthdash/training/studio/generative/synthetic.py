"""Synthetic items of rare labels, by a network that learnt from the training part: added to it only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.training import TrainSettings, samples
from healthdash.training.history import EpochRow
from healthdash.training.studio.generative.copies import COPY_BELOW, Known
from healthdash.training.studio.generative.extended import Extended
from healthdash.training.studio.generative.form import Form, fitted_form
from healthdash.training.studio.items import Labelled, Prepared, Rows

if TYPE_CHECKING:
    from healthdash.training.studio.generative.maker import Maker, OnMade

__all__ = ["Filled", "filled", "fitted_maker", "missing"]

Floats = NDArray[np.float32]
EPOCHS = {"row": 150, "signal": 80, "picture": 80}
#: At most so many synthetic items for each real one of a label: ten items do not hold a thousand others.
_MOST_TIMES = 10
#: Of all synthetic items in memory.
_MOST_BYTES = 512 << 20
_ROUNDS = 5
_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Filled:
    """The training part with synthetic items; validation and test keep their row numbers.

    Attributes
    ----------
    prepared : Prepared
    truth : int64 (n + s,)
        Labels of all real items, then of the synthetic ones.
    train : int64
        The real training rows, then those of the synthetic items.
    told : dict of str to str
        What the card says of it.
    """

    prepared: Prepared
    truth: NDArray[np.int64]
    train: Rows
    told: Mapping[str, str] = field(default_factory=dict)


def filled(
    labelled: Labelled,
    prepared: Prepared,
    train: Rows,
    settings: TrainSettings,
    on_epoch: Callable[[EpochRow], None],
    *,
    seed: int,
    run: str = "",
) -> Filled:
    """Fill the rarer labels of the training part up with synthetic items, as `settings.synthetic` says.

    Parameters
    ----------
    train : int64 (m,)
        The only rows that are read.
    seed : int
        Of the generative network and of what it makes.
    """
    if settings.synthetic in (None, "none"):
        return Filled(prepared, labelled.truth, train)
    wanted = missing(labelled.truth[train], len(labelled.labels), prepared.shape)
    if not len(wanted):
        told = {"synthetic items": "none: every label has as many training items as any other"}
        return Filled(prepared, labelled.truth, train, told)
    named = f"{run}, {settings.synthetic}".lstrip(", ")
    maker = fitted_maker(labelled, prepared, train, settings, on_epoch, seed=seed, run=named)
    known = Known.of(maker.form, prepared, train, labelled.groups[train])
    items, labels, thrown = _different(maker, wanted, known, np.random.default_rng((seed, 1)))
    n = len(labelled.truth)
    return Filled(
        prepared=Extended(prepared, items, n),
        truth=np.concatenate([labelled.truth, labels]),
        train=np.concatenate([train, n + np.arange(len(labels))]),
        told={"synthetic items": _words(settings.synthetic or "", labelled, items, labels, thrown, known)},
    )


def missing(truth: NDArray[np.int64], labels: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the label of each item to be made, (s,): up to as many as the commonest label has."""
    counts = np.bincount(truth, minlength=labels)
    lacking = np.minimum(counts.max() - counts, _MOST_TIMES * counts)
    fitting = _MOST_BYTES // (4 * int(np.prod(shape)))
    if lacking.sum() > fitting:
        lacking = lacking * fitting // lacking.sum()
    return np.repeat(np.arange(labels), lacking)


def fitted_maker(
    labelled: Labelled,
    prepared: Prepared,
    train: Rows,
    settings: TrainSettings,
    on_epoch: Callable[[EpochRow], None],
    *,
    seed: int,
    run: str = "",
) -> Maker:
    """Train the generative network that `settings.synthetic` names on some rows."""
    from healthdash.training.studio.generative.cvae import fit_cvae
    from healthdash.training.studio.generative.gan import fit_gan

    form = fitted_form(labelled.kind, prepared, train, seed=seed)
    fit = fit_gan if settings.synthetic == "gan" else fit_cvae
    return fit(
        form,
        prepared,
        labelled.truth,
        train,
        len(labelled.labels),
        epochs=settings.synthetic_epochs or EPOCHS[labelled.kind],
        seed=seed,
        on_epoch=on_epoch,
        on_made=_shown(labelled, form, prepared, seed, run) if samples.folder() else None,
        run=run,
    )


def _shown(labelled: Labelled, form: Form, prepared: Prepared, seed: int, run: str) -> OnMade:
    """Return what writes a few items of each label, made of the same noise every time."""
    truth = np.repeat(np.arange(len(labelled.labels)), _SHOWN)

    def on_made(epoch: int, maker: Maker) -> None:
        items = maker.make(truth, np.random.default_rng(seed))
        columns = prepared.preprocessing.get("columns", ()) if form.kind == "row" else ()
        samples.write(
            samples.Look(epoch, form.kind, tuple(labelled.labels), items, truth, columns=columns, run=run)
        )

    return on_made


def _different(
    maker: Maker, wanted: NDArray[np.int64], known: Known, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int64], int]:
    """Make items, those that copy a training item anew; what copies again and again is left out.

    Returns
    -------
    items, labels, thrown
        float32 (s, *shape), int64 (s,), and how many copies were thrown away.
    """
    items, labels, thrown = [], [], 0
    for _ in range(_ROUNDS):
        made = maker.make(wanted, rng)
        copies = known.are_copies(made)
        items.append(made[~copies])
        labels.append(wanted[~copies])
        thrown, wanted = thrown + int(copies.sum()), wanted[copies]
        if not len(wanted):
            break
    return np.concatenate(items), np.concatenate(labels), thrown


def _words(
    how: str,
    labelled: Labelled,
    items: Floats,
    labels: NDArray[np.int64],
    thrown: int,
    known: Known,
) -> str:
    name = {"cvae": "conditional variational autoencoder", "gan": "generative adversarial network"}[how]
    counts = np.bincount(labels, minlength=len(labelled.labels))
    added = ", ".join(f"{n} {label}" for n, label in zip(counts, labelled.labels, strict=True) if n)
    ratio = float(known.ratios(items).min(initial=np.inf))
    nearest = f"{ratio:.2f}" if np.isfinite(ratio) else "-"
    return (
        f"{added or 'none'}, by a {name} from the training items, into the training part only. Copies of "
        f"training items thrown away: {thrown} (nearer than {COPY_BELOW} of the usual distance between "
        f"training items; the nearest kept: {nearest})"
    )
