"""ONNX: converted, run beside the original, and given out only where both say the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from healthdash import DISCLAIMER
from healthdash.bundles import Bundle
from healthdash.errors import MissingDependency, ModelError

from .elsewhere import calibrated, inputs_to_check, told

__all__ = ["TOLERANCE", "onnx"]

#: Most by which a probability may differ; the app shows them to a tenth of a percent.
TOLERANCE = 1e-4
_PURPOSE = "The export to ONNX"
_HINT = "Take the SavedModel: TensorFlow runs it as it is."


def onnx(bundle: Bundle) -> bytes:
    """Return the calibrated network as an ONNX file, with its card among its properties.

    Raises
    ------
    MissingDependency
        The packages of `requirements-export.txt` are not installed.
    ModelError
        A part of the network has no counterpart in ONNX, or the numbers differ by more than `TOLERANCE`
        on the background (the golden inputs are among it) or on random inputs around it.
    """
    _require()
    _teach_converter()
    network, inputs = _without_constants(calibrated(bundle)), inputs_to_check(bundle)
    with tempfile.TemporaryDirectory(prefix="healthdash-") as folder:
        file = Path(folder, "model.onnx")
        try:
            network.export(file, format="onnx", verbose=False)
            content = _described(bundle, file.read_bytes())
            found = _run(content, inputs)
        except Exception as error:
            # The converter and the runtime raise whatever they come upon.
            raise ModelError(
                f"this network cannot be converted to ONNX ({type(error).__name__})", hint=_HINT
            ) from error
    difference = float(np.abs(found - bundle.forward.probabilities(inputs)).max())
    if not difference <= TOLERANCE:
        raise ModelError(
            f"the ONNX file gives other numbers: probabilities may differ by {TOLERANCE:g}, "
            f"they differ by {difference:.2g}",
            hint=_HINT,
        )
    return content


def _require() -> None:
    try:
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise MissingDependency("-r requirements-export.txt", purpose=_PURPOSE) from error


def _without_constants(network: Any) -> Any:
    """Return the network with its scaling of inputs written as numbers.

    The mean and the variance of a `Normalization` are tensors outside of the traced function, and the
    converter would make inputs of them.
    """
    import keras

    def cloned(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Normalization):
            return layer.__class__.from_config(layer.get_config())
        spread = np.maximum(np.sqrt(layer.input_variance), keras.backend.epsilon())
        offset = (-np.asarray(layer.input_mean) / spread).tolist()
        return keras.layers.Rescaling((1 / spread).tolist(), offset=offset, name=layer.name)

    clone = keras.models.clone_model(network, clone_function=cloned, recursive=True)
    clone.set_weights(network.get_weights())
    rows = [np.zeros((1, *i.shape[1:]), np.float32) for i in clone.inputs]
    clone(rows if len(rows) > 1 else rows[0])
    return clone


def _teach_converter() -> None:
    """Tell the converter how ONNX writes what Keras' exact GELU and `log1p` become in TensorFlow."""
    from tf2onnx.handler import tf_op

    class _Erfc:
        """1 - erf(x)."""

        @classmethod
        def version_9(cls, graph: Any, node: Any, **_: Any) -> None:
            one, made = _replaced(graph, node)
            erf = graph.make_node("Erf", [node.input[0]], shapes=made["shapes"], dtypes=made["dtypes"])
            graph.make_node("Sub", [one, erf.output[0]], **made)

    class _Log1p:
        """log(1 + x)."""

        @classmethod
        def version_9(cls, graph: Any, node: Any, **_: Any) -> None:
            one, made = _replaced(graph, node)
            more = graph.make_node("Add", [node.input[0], one], shapes=made["shapes"], dtypes=made["dtypes"])
            graph.make_node("Log", [more.output[0]], **made)

    tf_op("Erfc")(_Erfc)
    tf_op("Log1p")(_Log1p)


def _replaced(graph: Any, node: Any) -> tuple[str, dict[str, Any]]:
    """Take a node out of the graph; return a constant 1, and what makes the node that stands in for it."""
    made = {
        "name": node.name, "outputs": node.output, "shapes": node.output_shapes, "dtypes": node.output_dtypes
    }  # fmt: skip
    graph.remove_node(node.name)
    return graph.make_const(f"{node.name}/one", np.array(1.0, np.float32)).output[0], made


def _described(bundle: Bundle, content: bytes) -> bytes:
    """Return the file with what one must know to use it."""
    import onnx as format_onnx

    model = format_onnx.load_from_string(content)
    model.doc_string = told(bundle.info)
    properties = {
        "disclaimer": DISCLAIMER,
        "labels": "\n".join(bundle.info.labels),
        "card": bundle.card,
        "bundle": bundle.info.model_dump_json(),
    }
    format_onnx.helper.set_model_props(model, properties)
    described: bytes = model.SerializeToString()
    return described


def _run(content: bytes, inputs: dict[str, NDArray[np.float32]]) -> NDArray[Any]:
    """Return the probabilities that ONNX Runtime gives, (n, labels)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    fed = {one.name: inputs[one.name.split(":")[0]] for one in session.get_inputs()}
    (found,) = session.run(None, fed)
    return np.asarray(found)
