"""Reconstruction error: what an autoencoder did not expect, at each place of the input.

It fits models of usual and unusual items only. Their output is a rising function F of the mean error e over
the places i. Beside the mean errors b_i of the background, a place has the share

    (e_i - b_i) / (sum_j e_j - b_j) * (F(e) - F(b)),

which is the integral of the gradient along the straight way from the background's errors to the item's:
nothing is left over.

References
----------
Sundararajan, Taly & Yan 2017, ICML, Axiomatic attribution for deep networks (here in the space of errors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.method import explaining, probability_of
from healthdash.explain.players import Players
from healthdash.explain.types import Arrays, ExplainRequest, Found, OnProgress, Progress

if TYPE_CHECKING:
    import keras

    from healthdash.runtime import Forward

__all__ = ["TITLE", "USES", "explain", "reason_against", "restored", "restores"]

TITLE = "Reconstruction error"
USES: tuple[str, ...] = ()
#: Layers of a model of usual and unusual items, by which it is known.
_RESTORED, _ERROR, _SHARE = "restored", "error", "share"
_SMALLEST = 1e-9


def restores(forward: Forward) -> bool:
    """Say whether a network restores its input and judges it by the error."""
    names: set[str] = forward.compiled("layer names", lambda network: {one.name for one in network.layers})
    return {_RESTORED, _ERROR, _SHARE} <= names


def restored(forward: Forward, inputs: Arrays) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what a network makes of items, coded (m, *coded), and the error at each place (m, *shape)."""
    seen = forward.compiled("reconstruction", _seen)
    (values,) = (inputs[name] for name in forward.shapes)
    out, errors = seen(np.asarray(values, np.float32), training=False)
    return np.asarray(out, np.float32), np.asarray(errors, np.float32)


def reason_against(
    inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why the errors tell nothing, or None."""
    if players is not None:
        return "expected no players: each place has its own error"
    if len(inputs) != 1:
        return "expected a model with one input"
    # Without the network it is offered by tasks whose bundle restores its input, see `Task.methods_of`.
    is_known = forward is None or restores(forward)
    return None if is_known else "expected a model that restores its input: an autoencoder"


@explaining("reconstruction")
def explain(
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    target_index: int,
    request: ExplainRequest,
    on_progress: OnProgress,
) -> Found:
    """Share the output out by how much larger the error is at each place than on the background.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    background : dict of float32 (m, ...)
    """
    (name,) = forward.shapes
    errors = restored(forward, inputs)[1][0].astype(np.float64)
    usual = restored(forward, background)[1].mean(axis=0, dtype=np.float64)
    output = probability_of(forward, inputs, target_index)
    base = _output_at(forward, float(usual.mean()), target_index)
    more = errors - usual
    # Where nothing is larger in sum, there is nothing to share out.
    share = (output - base) / more.sum() if abs(more.sum()) > _SMALLEST else 0.0
    on_progress(Progress(1.0))
    return Found(
        values={name: (share * more).astype(np.float32)},
        base=base,
        output=output,
        samples=1 + len(background[name]),
        baseline="the mean error over the stored background",
    )


def _seen(network: keras.Model) -> keras.Model:
    import keras

    outputs = [network.get_layer(_RESTORED).output, network.get_layer(_ERROR).output]
    return keras.Model(network.inputs[0], outputs)


def _output_at(forward: Forward, error: float, target: int) -> float:
    """Return the probability of a label at a mean error."""
    share: Any = forward.compiled("share", lambda network: network.get_layer(_SHARE))
    logits = np.asarray(share(np.full((1, 1), error, np.float32)), np.float64)[0]
    shifted = np.exp(logits - logits.max())
    return float(shifted[target] / shifted.sum())
