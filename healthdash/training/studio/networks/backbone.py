"""Known picture networks of keras.applications, from nothing or from a local file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
from keras import applications, layers

from healthdash import settings
from healthdash.errors import InvalidInput

if TYPE_CHECKING:
    from healthdash.training.studio.items import Prepared
    from healthdash.training.studio.plans import Plan

__all__ = ["build", "weights_path"]

#: What each network wants of a picture of 0 to 1: a factor and an offset (its own `preprocess_input`).
#: MobileNetV3 and EfficientNetV2 hold a part of it themselves and want 0 to 255. DenseNet wants the means
#: and spreads of ImageNet: (x - mean) / spread (Huang et al. 2017 as ported in keras.applications).
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_ENDINGS = (".weights.h5", ".keras")
_SMALLEST = 32


def build(prepared: Prepared, labels: int, plan: Plan, *, name: str) -> keras.Model:
    """Build it: colours, the network's own scaling, its convolutions, the mean of the places, logits.

    Raises
    ------
    InvalidInput
        The file of weights is not where such files may lie, or holds another network.
    """
    given, _ = prepared.entry()
    if min(prepared.shape[:2]) < _SMALLEST:
        raise InvalidInput(
            f"expected pictures of at least {_SMALLEST} pixels for {name}, got {min(prepared.shape[:2])}",
            hint="Choose a larger picture size, or another network.",
        )
    x = layers.Concatenate()([given] * 3) if prepared.shape[-1] == 1 else given
    body = _body(name, (*prepared.shape[:2], 3))
    if plan.weights_file:
        _load(body, weights_path(plan.weights_file))
    # Its means of batches stay those that it came with (Keras' guide on transfer learning); without a file
    # they are learnt.
    x = body(_scaled(name, x), training=False) if plan.weights_file else body(_scaled(name, x))
    x = layers.Dropout(plan.dropout)(layers.GlobalAveragePooling2D(name="features")(x))
    return keras.Model(given, layers.Dense(labels, dtype="float32", name="logits")(x))


def weights_path(name: str) -> Path:
    """Return where a file of weights lies.

    Parameters
    ----------
    name : str
        Its name in the folder of the weights, or a path below it.

    Raises
    ------
    InvalidInput
        It is no such file, or it lies elsewhere.
    """
    folder = settings.current().weights.resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.name.endswith(_ENDINGS) or not path.is_file():
        raise InvalidInput(
            "expected the name of a file of weights (.weights.h5 or .keras) in the folder of the weights",
            hint="Put the file there; HEALTHDASH_WEIGHTS names the folder.",
        )
    return path


def _body(name: str, shape: tuple[int, ...]) -> keras.Model:
    kinds = {
        "mobilenet-v3-small": applications.MobileNetV3Small,
        "efficientnet-v2-b0": applications.EfficientNetV2B0,
        "densenet-121": applications.DenseNet121,
    }
    return kinds[name](input_shape=shape, include_top=False, weights=None)


def _scaled(name: str, x: Any) -> Any:
    if name == "densenet-121":
        offset = [-mean / spread for mean, spread in zip(_MEAN, _SPREAD, strict=True)]
        return layers.Rescaling([1 / spread for spread in _SPREAD], offset)(x)
    return layers.Rescaling(255.0)(x)


def _load(body: keras.Model, path: Path) -> None:
    """Give a network the weights of a file; all of them, or it is another network."""
    try:
        if path.suffix == ".keras":
            source = keras.saving.load_model(path, compile=False, safe_mode=True)
            body.set_weights(source.get_weights()[: len(body.weights)])
        else:
            body.load_weights(path)
    except (ValueError, KeyError, OSError, TypeError) as error:
        raise InvalidInput(
            "the file of weights does not hold this network without its top",
            hint="Save it with keras.applications, include_top=False, by save_weights.",
        ) from error
