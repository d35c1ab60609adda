"""Explanations: one file a method, each stating what it fits.

All methods explain the calibrated probability of one named class for one item, against a baseline
that is stated, and report how far their values miss additivity: ``base + sum(values) + residual =
output``. Two of them, occlusion and Grad-CAM, do not share the output out; their residual is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from healthdash.errors import ExplainerNotApplicable
from healthdash.explain.types import SAMPLES, ExplainRequest, Explanation, OnProgress, Progress

if TYPE_CHECKING:
    from healthdash.explain.method import Explain
    from healthdash.explain.players import Players
    from healthdash.runtime import Forward

__all__ = [
    "METHODS",
    "SAMPLES",
    "WITH_PLAYERS",
    "ExplainRequest",
    "Explanation",
    "Progress",
    "default_method",
    "reason_against",
    "run",
    "title",
    "uses",
]

Arrays = Mapping[str, NDArray[np.float32]]

#: Method name to its module, which offers TITLE, reason_against(...), explain(...), and in USES those of
#: "players", "baseline", "samples" and "tolerance" of a request that it heeds. One that heeds a tolerance
#: knows how exact it is on its way, so that a listener can end it with what there is.
METHODS: dict[str, str] = {
    "exact-shapley": "healthdash.explain.exact",
    "permutation-shapley": "healthdash.explain.permutation",
    "kernel-shap": "healthdash.explain.kernel",
    "expected-gradients": "healthdash.explain.gradients",
    "integrated-gradients": "healthdash.explain.integrated",
    "occlusion": "healthdash.explain.occlusion",
    "grad-cam": "healthdash.explain.gradcam",
    "reconstruction": "healthdash.explain.reconstruction",
}
#: Methods that divide the output among players.
WITH_PLAYERS = ("exact-shapley", "permutation-shapley", "kernel-shap")


def reason_against(
    method: str, inputs: Arrays, forward: Forward | None = None, players: Players | None = None
) -> str | None:
    """Say why a method does not fit, or None when it does.

    Parameters
    ----------
    inputs : dict of float32 (1, ...)
    forward : Forward or None
        The network, which some methods ask for its layers; without it they judge by the inputs alone.
    players : Players or None
        Who is to share the output out, where that is already known.
    """
    if method not in METHODS:
        return f"no such method; there are {', '.join(METHODS)}"
    reason: str | None = import_module(METHODS[method]).reason_against(inputs, forward, players)
    return reason


def title(method: str) -> str:
    """Return what people call a method."""
    words: str = import_module(METHODS[method]).TITLE
    return words


def uses(method: str, name: str) -> bool:
    """Say whether a method heeds an attribute of the request, such as its budget of `samples`."""
    heeded: tuple[str, ...] = import_module(METHODS[method]).USES
    return name in heeded


def default_method(preferred: Sequence[str], inputs: Arrays) -> str:
    """Return the first preferred method that fits the inputs."""
    for method in preferred:
        if reason_against(method, inputs) is None:
            return method
    raise ExplainerNotApplicable(f"none of {', '.join(preferred) or 'no methods'} fits this input")


def run(
    method: str,
    forward: Forward,
    inputs: Arrays,
    background: Arrays,
    labels: Sequence[str],
    request: ExplainRequest,
    on_progress: OnProgress | None = None,
) -> Explanation:
    """Explain one item (a batch of one) by a named method.

    Raises
    ------
    ExplainerNotApplicable
        The method is unknown or does not fit, or the target is not a label.
    """
    reason = reason_against(method, inputs, forward, request.players)
    if reason is not None:
        raise ExplainerNotApplicable(f"{method}: {reason}", hint="Choose another method.")
    if request.target not in labels:
        raise ExplainerNotApplicable(
            f"the model has no class of that name; it has {', '.join(labels)}", hint="Choose one of these."
        )
    if not request.samples:
        request = replace(request, samples=SAMPLES)
    explain: Explain = import_module(METHODS[method]).explain
    return explain(forward, inputs, background, list(labels).index(request.target), request, on_progress)
