"""Forms in which a model leaves: each gives what the app gives."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from healthdash import bundles
from healthdash.bundles import Bundle
from healthdash.errors import InputError, MissingDependency, UnknownModel
from healthdash.exchange import onnx_file, outgoing, script
from healthdash.exchange.elsewhere import inputs_to_check
from healthdash.exchange.source import source
from tests import labelled


@pytest.fixture(scope="module")
def bundle():
    return bundles.get("heart-disease", "cleveland-mlp")


def test_the_bundle_is_packed_with_its_card_and_always_alike(bundle):
    data = outgoing.zipped(bundle)
    assert data == outgoing.zipped(bundle)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("card.md").decode() == bundle.card
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def test_an_unknown_form_lists_those_there_are(bundle, tmp_path):
    with pytest.raises(UnknownModel) as caught:
        outgoing.write(bundle, "pickle", tmp_path / "x")
    assert "zip, savedmodel, onnx, script" in caught.value.hint


def test_a_folder_is_no_file_to_write(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="got a folder"):
        outgoing.write(bundle, "zip", Path("."))


@pytest.mark.tf
def test_a_saved_model_gives_the_probabilities_of_the_app(bundle, tmp_path):
    import tensorflow as tf

    out = tmp_path / "model.zip"
    outgoing.write(bundle, "savedmodel", out)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path)
    assert "not for clinical use" in (tmp_path / "README.md").read_text()
    loaded = tf.saved_model.load(tmp_path / "model")
    inputs = inputs_to_check(bundle)
    found = loaded.serve(tf.constant(inputs["features"])).numpy()
    np.testing.assert_allclose(found, bundle.forward.probabilities(inputs), atol=1e-5)


@pytest.mark.tf
def test_onnx_gives_the_probabilities_of_the_app_or_says_what_is_missing(bundle):
    if find_spec("tf2onnx") is None or find_spec("onnxruntime") is None:
        with pytest.raises(MissingDependency, match="ONNX"):
            onnx_file.onnx(bundle)
        return
    inputs = inputs_to_check(bundle, seed=7)
    found = onnx_file._run(onnx_file.onnx(bundle), inputs)
    np.testing.assert_allclose(found, bundle.forward.probabilities(inputs), atol=onnx_file.TOLERANCE)


@pytest.mark.tf
def test_the_script_trains_on_prepared_arrays(bundle, tmp_path):
    """The script runs by itself, in a folder of its own, and saves a network that has learnt something."""
    rng = np.random.default_rng(0)
    features = np.repeat(bundle.background["features"], 8, axis=0)
    features = features + rng.normal(scale=0.1, size=features.shape) * (features != features.round())
    truth = (features[:, 0] > np.median(features[:, 0])).astype(np.int64)
    np.savez(tmp_path / "arrays.npz", features=features.astype(np.float32), truth=truth)
    text = script.script(bundle)
    assert "layers.EinsumDense(" in text
    (tmp_path / "retrain.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "retrain.py", "arrays.npz", "out.keras", "6"], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    import keras

    network = keras.saving.load_model(tmp_path / "out.keras", compile=False)
    right = (network.predict_on_batch(features.astype(np.float32)).argmax(axis=1) == truth).mean()
    assert right > 0.7


@pytest.mark.tf
@pytest.mark.parametrize(("slug", "functions"), [("lung-ct", 2), ("ecg-beats", 1)])
def test_a_shipped_network_is_written_with_a_function_for_each_network_in_it(slug, functions):
    # Before a script is given out, it is run with the bundle's weights against the bundle's network.
    text = script.script(bundles.get(slug))
    assert text.count("\ndef build") >= functions


@pytest.mark.tf
@pytest.mark.parametrize("made", [partial(labelled.rows, 40), labelled.pictures, labelled.signals])
def test_an_autoencoder_of_each_kind_is_written_as_a_script(made):
    from healthdash.training.studio.generative import autoencoder, form, networks, scoring

    items = made()
    prepared, rows = items.fitted(np.arange(40)), np.arange(40)
    coding = form.fitted_form(items.kind, prepared, rows, seed=0)
    restoring = autoencoder.build(coding, networks.default_size(coding))
    errors = scoring.error_network(coding, restoring, prepared.name)
    network = scoring.scored(errors, np.linspace(0.1, 2, 30))
    held = SimpleNamespace(network=network, background={prepared.name: prepared.inputs(rows)})
    script._check(f"import keras\nfrom keras import layers, ops\n{source(network)}", held)


def test_settings_are_found_however_a_recipe_words_them():
    found = script.settings_of(
        {"batch size": 32, "learning rate": "0.0015, then a cosine to nothing", "optimizer": "evil()"}, 3
    )
    assert (found["batch_size"], found["learning_rate"], found["seed"]) == (32, 0.0015, 3)
    assert found["optimizer"] == "adamw"


def test_a_script_lists_only_what_it_does_not_follow():
    recipe = {
        "network": "Perceptron", "epochs": 9, "learning rate": 0.002, "dropout": 0.3, "mixup": 0.0,
        "members": 1, "loss": "focal", "balance": "resampling", "schedule": "plateau", "folds": 5,
    }  # fmt: skip
    settings = script.settings_of(recipe, 0)
    assert settings["loss"] == "focal"
    assert list(script.left_out(recipe, settings)) == [
        "balance resampling (here: none)", "schedule plateau (here: cosine)", "folds 5"
    ]  # fmt: skip


@pytest.mark.tf
def test_the_script_has_the_loss_of_the_model(bundle):
    from healthdash.training.studio.losses import loss_of

    focal = bundle.info.model_copy(update={"recipe": {"loss": "focal"}})
    names: dict = {"__name__": "retrain"}
    exec(script.script(Bundle(bundle.path, focal)), names)
    logits = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    truth = np.array([0, 1, 0, 1, 1, 0])
    np.testing.assert_allclose(
        names["loss"](truth, logits), loss_of("focal")(np.eye(2, dtype=np.float32)[truth], logits), atol=1e-6
    )
    decayed = names["optimizer"](10)
    assert decayed.global_clipnorm == 1.0
    assert "bias" in decayed._exclude_from_weight_decay_pattern.pattern
