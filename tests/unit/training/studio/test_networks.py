"""Every network of the studio learns, is saved and loaded safely, and can be explained."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from healthdash.errors import InvalidInput
from healthdash.training import TrainSettings
from healthdash.training.studio.networks import NETWORKS, fitting, named
from tests import labelled

pytestmark = pytest.mark.tf

MADE = {"row": partial(labelled.rows, 400), "picture": labelled.pictures, "signal": labelled.signals}
#: Networks that a task trains by itself, and known ones, which are too large to learn anything here.
OWN = {"ensemble", "autoencoder"}
KNOWN = {"mobilenet-v3-small", "efficientnet-v2-b0", "densenet-121"}
LEARNING = [(kind, one.slug) for kind in MADE for one in fitting(kind) if one.slug not in OWN | KNOWN]
EPOCHS = {"mlp": 12, "transformer": 12}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return what trains a network once: its items, and its bundle."""
    from healthdash.training.studio.training import train

    done = {}

    def get(kind, network):
        if (kind, network) not in done:
            items = MADE[kind]()
            settings = TrainSettings(network=network, folds=0, epochs=EPOCHS.get(network, 6))
            out = tmp_path_factory.mktemp(network) / kind
            done[kind, network] = items, train(items, settings, out, lambda row: None)
        return done[kind, network]

    return get


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "network"), LEARNING)
def test_every_network_beats_chance_on_items_it_never_saw(trained, kind, network):
    _, bundle = trained(kind, network)
    # Chance is 0.5; a linear score tells these items apart almost without error.
    assert bundle.evaluation.metric("AUC").value > 0.75
    assert bundle.info.calibration.method != "none"
    assert bundle.info.recipe["network"] == NETWORKS[network].title


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "network"), LEARNING)
def test_every_network_is_saved_and_loaded_in_safe_mode_unchanged(trained, kind, network):
    from healthdash.bundles import Bundle

    items, bundle = trained(kind, network)
    # As another process opens it: from its folder, with the check of hashes, layers and golden numbers.
    again = Bundle(bundle.path, bundle.info)
    again.verify()
    name = next(iter(bundle.info.inputs))
    inputs = {name: items.values[:5]}
    np.testing.assert_array_equal(again.forward.logits(inputs), bundle.forward.logits(inputs))


#: Methods that are asked of networks for each kind of items.
METHODS = {
    "row": ("kernel-shap",),
    "picture": ("expected-gradients", "integrated-gradients", "grad-cam"),
    "signal": ("expected-gradients", "integrated-gradients", "occlusion"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "network"), LEARNING)
def test_every_network_can_be_explained(trained, kind, network):
    from healthdash import explain as explaining
    from healthdash.explain import ExplainRequest

    items, bundle = trained(kind, network)
    name = next(iter(bundle.info.inputs))
    item = {name: items.values[:1]}
    request = ExplainRequest(target="yes", samples=64)
    for method in METHODS[kind]:
        found = explaining.run(method, bundle.forward, item, bundle.background, bundle.info.labels, request)
        shares = found.values[name]
        assert np.isfinite(shares).all()
        assert np.abs(shares).sum() > 0


@pytest.mark.slow
def test_networks_of_folds_that_read_alike_are_averaged(tmp_path):
    from healthdash.training.studio.training import train

    items = labelled.signals(48, samples=32)
    told = []
    bundle = train(items, TrainSettings(network="gru", epochs=2, folds=2), tmp_path / "m", told.append)
    assert {row["run"] for row in told} == {"fold 1", "fold 2"}
    assert bundle.info.parameters == 2 * sum(
        w.size for w in bundle.network.layers[1].get_weights()
    )  # two networks in one
    assert "average of the folds" in bundle.evaluation.split_rule
    bundle.verify()


def test_a_known_network_begins_from_a_file(tmp_path, monkeypatch):
    import keras

    from healthdash import settings
    from healthdash.training.studio.plans import Plan

    monkeypatch.setenv("HEALTHDASH_WEIGHTS", str(tmp_path))
    settings.current.cache_clear()
    source = keras.applications.MobileNetV3Small(input_shape=(48, 48, 3), include_top=False, weights=None)
    source.save_weights(tmp_path / "known.weights.h5")
    items = labelled.pictures(32)
    prepared = items.fitted(np.arange(32))
    chosen = TrainSettings(network="mobilenet-v3-small", weights_file="known.weights.h5", folds=0)
    plan = Plan.of(chosen, items)
    built = plan.entry.build(prepared, 2, plan)
    body = next(layer for layer in built.layers if isinstance(layer, keras.Model))
    for one, other in zip(source.get_weights(), body.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("../known.weights.h5", "other.weights.h5", "known.txt"):
        with pytest.raises(InvalidInput, match="folder of the weights"):
            plan.entry.build(
                prepared, 2, Plan.of(TrainSettings(network=plan.network, weights_file=name), items)
            )
    settings.current.cache_clear()


@pytest.mark.slow
def test_a_file_begun_network_learns_its_end_first_and_then_the_whole(tmp_path, monkeypatch):
    import keras

    from healthdash import settings
    from healthdash.training.studio.training import train

    monkeypatch.setenv("HEALTHDASH_WEIGHTS", str(tmp_path))
    settings.current.cache_clear()
    source = keras.applications.MobileNetV3Small(input_shape=(32, 32, 3), include_top=False, weights=None)
    source.save_weights(tmp_path / "known.weights.h5")
    chosen = TrainSettings(
        network="mobilenet-v3-small", weights_file="known.weights.h5", folds=0, epochs=2, batch_size=8,
        schedule="plateau", learning_rate=0.01,
    )  # fmt: skip
    bundle = train(labelled.pictures(28), chosen, tmp_path / "m", lambda row: None)
    assert bundle.history["run"].tolist() == ["network, new end", "network", "network"]
    # The whole learns a tenth as quickly as the end did.
    assert bundle.history["learning_rate"].tolist() == pytest.approx([0.01, 0.001, 0.001])
    bundle.verify()
    settings.current.cache_clear()


def test_a_network_for_other_items_is_refused():
    with pytest.raises(InvalidInput, match="expected a network for a row, one of"):
        named("gru", "row")


def test_the_registry_says_in_words_what_each_network_is():
    for one in NETWORKS.values():
        assert one.words.endswith(".")
        assert one.kinds


@pytest.mark.slow
@pytest.mark.parametrize("network", sorted(KNOWN))
def test_known_networks_are_saved_and_loaded_unchanged_and_see_their_own_scale(network, tmp_path):
    import keras

    from healthdash.exchange.network_file import check_configuration
    from healthdash.training.studio.plans import Plan

    items = labelled.pictures(8)
    plan = Plan.of(TrainSettings(network=network, folds=0), items)
    built = plan.entry.build(items.fitted(np.arange(8)), 2, plan)
    built.save(tmp_path / "model.keras")
    check_configuration((tmp_path / "model.keras").read_bytes())
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(built.predict_on_batch(items.values), again.predict_on_batch(items.values))
    # The network's own preparation of a picture of 0 to 255 in colours is what ours makes of 0 to 1.
    own = {"densenet-121": keras.applications.densenet}.get(network)
    colours = items.values.repeat(3, axis=-1)
    scaled = next(layer for layer in built.layers if isinstance(layer, keras.layers.Rescaling))
    wanted = own.preprocess_input(255 * colours) if own else 255 * colours
    np.testing.assert_allclose(np.asarray(scaled(colours)), wanted, atol=2e-3)
