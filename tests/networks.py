"""Small networks of every kind of layer that explanations must fit; weights are random but seeded."""

from __future__ import annotations

from typing import Any

import numpy as np

from healthdash import runtime

SCALE, OFFSET = 1.3, np.array([0.2, 0.0, -0.2], np.float32)


def forward(network: Any) -> runtime.Forward:
    """Return the compiled forward pass, calibrated."""
    return runtime.Forward(network, SCALE, OFFSET)


def table(columns: int = 9) -> Any:
    """GELU and batch normalisation with moved statistics."""
    keras = _keras(4)
    features = keras.Input((columns,), name="features")
    hidden = keras.layers.Dense(16, activation="gelu")(features)
    normal = keras.layers.BatchNormalization()
    hidden = normal(hidden)
    rng = np.random.default_rng(0)
    normal.set_weights([rng.uniform(0.5, 1.5, 16) for _ in range(4)])
    return keras.Model([features], keras.layers.Dense(3)(hidden))


def signal() -> Any:
    """Convolution, attention and GRU over a window, beside a rhythm."""
    keras = _keras(6)
    window, rhythm = keras.Input((24, 2), name="window"), keras.Input((4,), name="rhythm")
    x = keras.layers.Conv1D(8, 5, strides=2, padding="same", activation="gelu")(window)
    x = keras.layers.MultiHeadAttention(2, 4)(x, x)
    beat = keras.layers.GRU(6)(x)
    both = keras.layers.Dense(8, activation="tanh")(keras.layers.Concatenate()([beat, rhythm]))
    return keras.Model([window, rhythm], keras.layers.Dense(3)(both))


def picture(size: int = 16, *, mirrored: bool = True, members: int = 2) -> Any:
    """Averaged residual members inside one network, each also seeing the mirrored picture."""
    keras = _keras(8)
    image = keras.Input((size, size, 1), name="image")
    seen = [image, keras.ops.flip(image, axis=2)] if mirrored else [image]
    outputs = [member(x) for member in [_member(keras, size, n) for n in range(members)] for x in seen]
    return keras.Model(image, keras.layers.Average()(outputs) if len(outputs) > 1 else outputs[0])


def _member(keras: Any, size: int, number: int) -> Any:
    image = keras.Input((size, size, 1))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
    y = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(keras.layers.BatchNormalization()(x))
    x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
    return keras.Model(
        image, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)), name=f"member{number}"
    )


def bright_spot(size: int = 16, *, mirrored: bool = False) -> Any:
    """Class 2 counts bright pixels by a convolution; with mirrored views, by the mean of both."""
    keras = _keras(1)
    image = keras.Input((size, size, 1), name="image")
    inner = keras.Input((size, size, 1))
    spot = keras.layers.Conv2D(1, 1, activation="relu", name="spot")
    # Weighs the left half only, so that the two views differ.
    place = keras.layers.Conv2D(1, (1, size // 2), strides=(1, size // 2), use_bias=False, name="left")
    logits = keras.layers.Dense(3, name="logits")
    member = keras.Model(inner, logits(keras.layers.Flatten()(place(spot(inner)))), name="member")
    spot.set_weights([np.ones((1, 1, 1, 1)), np.array([-0.5])])
    place.set_weights([np.ones((1, size // 2, 1, 1))])
    kernel = np.zeros((2 * size, 3))
    kernel[0::2, 2] = 1.0
    logits.set_weights([kernel, np.zeros(3)])
    views = [image, keras.ops.flip(image, axis=2)] if mirrored else [image]
    outputs = [member(view) for view in views]
    return keras.Model(image, keras.layers.Average()(outputs) if mirrored else outputs[0])


def some(network: Any, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return n random inputs of a network."""
    rng = np.random.default_rng(seed)
    return {i.name: rng.normal(size=(n, *i.shape[1:])).astype(np.float32) for i in network.inputs}


def _keras(seed: int) -> Any:
    runtime.tensorflow()
    import keras

    keras.utils.set_random_seed(seed)
    return keras
