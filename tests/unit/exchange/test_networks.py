"""Every network of the studio is among what may come in, and can be written as a script."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from healthdash.exchange import configuration
from healthdash.exchange.source import source
from healthdash.training import TrainSettings
from healthdash.training.studio.networks import NETWORKS
from healthdash.training.studio.plans import Plan
from tests import labelled

pytestmark = pytest.mark.tf

MADE = {"row": partial(labelled.rows, 60), "picture": labelled.pictures, "signal": labelled.signals}
BUILT = [(kind, one.slug) for one in NETWORKS.values() if one.module for kind in one.kinds]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "slug"), BUILT)
def test_a_network_is_allowed_and_its_source_makes_the_same_one(kind, slug):
    import keras

    items = MADE[kind]()
    prepared = items.fitted(np.arange(len(items)))
    plan = Plan.of(TrainSettings(network=slug, folds=0), items)
    network = NETWORKS[slug].build(prepared, len(items.labels), plan)
    configuration.check(network.to_json().encode(), network.count_params())
    names = {"keras": keras, "layers": keras.layers, "ops": keras.ops}
    exec(source(network), names)
    written = names["build"]()
    assert [tuple(w.shape) for w in written.weights] == [tuple(w.shape) for w in network.weights]
    shapes = {layer.name for layer in network.layers}
    assert {layer.name for layer in written.layers} == shapes
