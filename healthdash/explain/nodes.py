"""What the nodes of a Keras graph do to the values of a row: move, add up, bend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = [
    "ADDS", "AFFINE", "CONSTANT", "EACH", "LINEAR", "MOVES", "Activation", "activation", "is_affine",
    "linear", "nodes", "run",
]  # fmt: skip

Activation = Callable[[Any], Any]

# Names of Keras' classes, layers and operations alike.
LINEAR = {"Dense", "EinsumDense"}
CONSTANT = {"OnesLike", "ZerosLike"}
# Take values elsewhere and change none.
MOVES = {
    "Concatenate", "ExpandDims", "Flatten", "GetItem", "Permute", "Reshape", "Squeeze", "Take", "Transpose",
}  # fmt: skip
# Affine in each value: a sum stays a sum.
AFFINE = {"Add", "BatchNormalization", "Dropout", "Identity", "Normalization", "Rescaling", "Subtract"}
ADDS = {"Add", "Subtract"}
AVERAGES = {"Average", "Mean"}
# Value by value: columns stay apart.
EACH = {
    "Absolute", "Cast", "Clip", "Divide", "Equal", "Exp", "Greater", "GreaterEqual", "Isfinite", "Isnan",
    "Less", "LessEqual", "Log", "Log1p", "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum", "Minimum",
    "Multiply", "NotEqual", "Relu", "Round", "Sigmoid", "Sign", "Sqrt", "Square", "Tanh",
    "TrueDivide", "Where",
}  # fmt: skip


def run(node: Any, known: dict[int, Any], call: Callable[..., Any] | None = None) -> None:
    """Run one node on known tensors and add what comes out."""
    arguments, named = node.arguments.fill_in(known)
    if "training" in named:
        named["training"] = False
    out = call(node.operation, *arguments) if call else node.operation(*arguments, **named)
    for symbol, value in zip(node.outputs, out if isinstance(out, list | tuple) else [out], strict=True):
        known[id(symbol)] = value


def linear(layer: Any, x: Any) -> Any:
    """Run a dense layer without its activation."""
    ops = _ops()
    x = ops.cast(x, layer.compute_dtype)
    if type(layer).__name__ == "Dense":
        out = ops.matmul(x, layer.kernel)
    else:
        out = ops.einsum(layer.equation, x, layer.kernel)
    return out if layer.bias is None else out + ops.cast(layer.bias, out.dtype)


def activation(node: Any) -> Activation | None:
    """Return what a dense layer does to its sums, or None where it leaves them as they are."""
    if type(node.operation).__name__ not in LINEAR:
        return None
    activation: Activation | None = node.operation.activation
    return None if getattr(activation, "__name__", "linear") == "linear" else activation


def nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a functional network in an order in which they can be run."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if not node.is_input)


def is_affine(node: Any) -> bool:
    """Say whether what comes out of a node is affine in what goes in."""
    kind = type(node.operation).__name__
    return kind in MOVES | AFFINE | AVERAGES or (kind in LINEAR and activation(node) is None)


def _ops() -> Any:
    import keras

    return keras.ops
