"""Where a table's network still is a sum over its columns: read from its layers, never guessed from numbers.

Standardising, looking a category up, filling a gap: each value that comes out depends on one column. A dense
layer adds such values up. Until something joins the columns (an activation after that layer, a product) the
network is h(x) = h(r) + sum over columns j of (h(r with x_j) - h(r)), whatever r is. What mixtures of two
rows are worth then needs additions in place of those layers; see docs/explanations.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from healthdash.explain.nodes import (
    ADDS,
    AFFINE,
    CONSTANT,
    EACH,
    LINEAR,
    MOVES,
    Activation,
    activation,
    is_affine,
    linear,
    nodes,
    run,
)  # fmt: skip
from healthdash.runtime import tensorflow

if TYPE_CHECKING:
    import keras

__all__ = ["Separated", "separate"]

# Of wider sums the tables of mixtures would not fit into a CPU's caches.
_WIDEST = 4096

_NOBODY = -1.0

#: The column that each value of a tensor depends on, -1 for none; or that all are sums, or joined.
Owners = NDArray[np.float32]
State = Owners | Literal["sum", "joint"]


@dataclass(frozen=True, eq=False)
class Affine:
    """The last layers of a network where they are one product of matrices.

    Attributes
    ----------
    given, output : keras.KerasTensor
        What they begin with, and end with.
    nodes : tuple of nodes of Keras' graph
    """

    given: Any
    output: Any
    nodes: tuple[Any, ...]

    def __call__(self, values: Any) -> Any:
        """Return the output, tensor (n, k), from what the layers begin with.

        The matrix is the gradient, which is the same everywhere. It is taken anew in each call, since
        weights may have changed since the last.
        """
        tf, size = tensorflow(), prod(self.given.shape[1:])
        start = tf.zeros((1, *self.given.shape[1:]))
        known = {id(self.given): start}
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(start)
            for node in self.nodes:
                run(node, known)
            outputs = tf.unstack(known[id(self.output)][0])
        slopes = [tape.gradient(one, start, unconnected_gradients="zero") for one in outputs]
        matrix = tf.stack([tf.reshape(slope, (size,)) for slope in slopes], axis=1)
        return tf.reshape(values, (-1, size)) @ matrix + tf.stack(outputs)


@dataclass(frozen=True, eq=False)
class Separated:
    """A network cut where it is a sum over its columns.

    Attributes
    ----------
    given, output : keras.KerasTensor
    before, after : tuple of nodes of Keras' graph
        In an order in which they can be run.
    cut : tuple of (keras.KerasTensor, activation or None)
        The sums, and what the layer that adds them up does to them next.
    """

    given: Any
    output: Any
    before: tuple[Any, ...]
    after: tuple[Any, ...]
    cut: tuple[tuple[Any, Activation | None], ...]
    end: Affine | None = None

    @property
    def width(self) -> int:
        """Numbers in all sums of a row, h."""
        return sum(prod(tensor.shape[1:]) for tensor, _ in self.cut)

    def head(self, features: Any) -> Any:
        """Return the sums, tensor (n, h), of rows, tensor (n, p)."""
        known = {id(self.given): features}
        for node in self.before:
            run(node, known, linear if activation(node) else None)
        flat = [_keras().ops.reshape(known[id(t)], (-1, prod(t.shape[1:]))) for t, _ in self.cut]
        return flat[0] if len(flat) == 1 else _keras().ops.concatenate(flat, axis=1)

    def tail(self, sums: Any) -> Any:
        """Return the network's output, tensor (n, k), from sums, tensor (n, h)."""
        known: dict[int, Any] = {}
        start = 0
        for tensor, bend in self.cut:
            stop = start + prod(tensor.shape[1:])
            part = _keras().ops.reshape(sums[:, start:stop], (-1, *tensor.shape[1:]))
            known[id(tensor)] = bend(part) if bend else part
            start = stop
        for node in self.after:
            run(node, known)
        return self.end(known[id(self.end.given)]) if self.end else known[id(self.output)]


def separate(network: keras.Model) -> Separated | None:
    """Cut a network where it is a sum over the columns of its one table.

    Returns
    -------
    Separated, or None
        None when something reads columns before they are added up, is not known here, or the sums are
        too many: such a network is run as a whole.
    """
    graph = getattr(network, "_functional", None) or network
    if len(network.inputs) != 1 or len(network.inputs[0].shape) != 2 or not hasattr(graph, "_nodes_by_depth"):
        return None
    (given,), (output,) = network.inputs, network.outputs
    search = _Search(given)
    for node in nodes(graph):
        search.visit(node)
    if not search.is_joint(output):
        search.cut_at(output)
    if not search.succeeds or not search.cut:
        return None
    after, end = _folded(search.after, output)
    found = Separated(given, output, tuple(search.before), tuple(after), tuple(search.cut.values()), end)
    return found if found.width <= _WIDEST else None


def _folded(after: Sequence[Any], output: Any) -> tuple[Sequence[Any], Affine | None]:
    """Fold the layers after the last activation into one product of matrices, where that is what they are.

    Networks that average their members spend more time on moving numbers for these layers than on adding.
    """
    first = len(after)
    while first and is_affine(after[first - 1]):
        first -= 1
    made = {id(out) for node in after[first:] for out in node.outputs}
    given = {id(t): t for node in after[first:] for t in node.input_tensors if id(t) not in made}
    if len(given) != 1 or len(output.shape) != 2:
        return after, None
    (start,) = given.values()
    return after[:first], Affine(start, output, tuple(after[first:]))


class _Search:
    """A walk through the graph that follows which column each value depends on."""

    def __init__(self, given: Any) -> None:
        self._states: dict[int, State] = {id(given): np.arange(given.shape[1], dtype=np.float32)}
        self.before: list[Any] = []
        self.after: list[Any] = []
        self.cut: dict[int, tuple[Any, Activation | None]] = {}
        self.succeeds = True

    def visit(self, node: Any) -> None:
        """Put the next node before or after the cut."""
        states = [self._states[id(tensor)] for tensor in node.input_tensors]
        state = _state(node, states)
        self._states |= {id(out): state for out in node.outputs}
        if not _is(state, "joint"):
            self.before.append(node)
        elif activation(node) and not any(_is(before, "joint") for before in states):
            self.before.append(node)
            self.cut[id(node.outputs[0])] = (node.outputs[0], activation(node))
        else:
            self.after.append(node)
            for tensor in node.input_tensors:
                if not self.is_joint(tensor):
                    self.cut_at(tensor)

    def is_joint(self, tensor: Any) -> bool:
        return _is(self._states[id(tensor)], "joint")

    def cut_at(self, tensor: Any) -> None:
        """Cut at a sum; columns that are no sum may be codes, which must not be put together again."""
        self.succeeds &= _is(self._states[id(tensor)], "sum")
        self.cut[id(tensor)] = (tensor, None)


def _state(node: Any, states: Sequence[State]) -> State:
    """Return what the values that come out of a node depend on."""
    kind = type(node.operation).__name__
    if len(node.outputs) != 1 or any(_is(state, "joint") for state in states):
        return "joint"
    if kind in LINEAR:
        return "joint" if activation(node) else "sum"
    owners = [state for state in states if not isinstance(state, str)]
    if len(owners) < len(states):
        return "sum" if kind in MOVES | AFFINE else "joint"
    return _owners(node, kind, owners)


def _owners(node: Any, kind: str, owners: Sequence[Owners]) -> State:
    """Return the state after a node that sees columns apart."""
    shape = tuple(node.outputs[0].shape[1:])
    if kind in CONSTANT:
        return np.full(shape, _NOBODY, np.float32)
    if kind == "Embedding":
        return np.broadcast_to(owners[0][..., None], shape)
    if kind in MOVES:
        return _moved(node, owners)
    if kind not in EACH | AFFINE:
        return "joint"
    joined = np.full(shape, _NOBODY, np.float32)
    for each in owners:
        if ((joined != _NOBODY) & (each != _NOBODY) & (joined != each)).any():
            return "sum" if kind in ADDS else "joint"
        joined = np.where(each == _NOBODY, joined, each)
    return joined


def _moved(node: Any, owners: Sequence[Owners]) -> State:
    """Let an operation that only moves values move the numbers of their columns."""
    tensor = _keras().ops.convert_to_tensor
    known = {id(t): tensor(each[None]) for t, each in zip(node.input_tensors, owners, strict=True)}
    run(node, known)
    moved = np.asarray(_keras().ops.convert_to_numpy(known[id(node.outputs[0])]), np.float32)
    # What moves values from one row to another has no columns of one row.
    return moved[0] if moved.shape == (1, *node.outputs[0].shape[1:]) else "joint"


def _is(state: State, word: str) -> bool:
    return isinstance(state, str) and state == word


def _keras() -> Any:
    import keras

    return keras
