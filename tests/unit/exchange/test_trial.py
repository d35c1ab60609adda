"""The trial: a model from outside is loaded in a process of its own, within bounds, before it is kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from healthdash import bundles, settings
from healthdash.errors import RefusedModel
from healthdash.exchange import child, container, incoming, outgoing, trial

from . import made

pytestmark = pytest.mark.tf


def _scaled(file):
    data = made.first_dataset(file)
    data[...] = 2 * data[...]


def _missing(file):
    del made.first_dataset(file).parent.parent["vars"]


def _more(file):
    file.create_dataset("more", data=np.zeros(8, np.float32))


def _other_input(config):
    config["config"]["layers"][0]["config"]["name"] = "features"
    config["config"]["name"] = "same"
    text = json.dumps(config).replace('"features"', '"others"')
    return json.loads(text)


CHANGES = {
    "other numbers": (made.with_network(weights=_scaled), "golden numbers"),
    "weights are missing": (made.with_network(weights=_missing), "a network that cannot be loaded"),
    "weights nobody takes": (made.with_network(weights=_more), "other weights"),
    "other input": (made.with_network(_other_input), "another signature"),
    "other constants": (
        made.document("bundle.json", lambda told: told["preprocessing"].update(columns=[{"kind": "x"}])),
        "its answers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), CHANGES.values(), ids=CHANGES)
def test_a_model_that_is_not_what_it_says_is_refused(data, reason, tmp_path):
    for name, content in container.opened(data).items():
        (tmp_path / name).write_bytes(content)
    assert trial.tried(tmp_path).get("reason") == reason


def test_the_same_checks_hold_for_a_folder_that_somebody_put_there(tmp_path):
    content = made.with_network(
        lambda config: config["config"]["layers"][1].update(module="keras.layers", class_name="Lambda")
    )
    for name, data in container.opened(content).items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(RefusedModel, match="a Lambda layer"):
        _ = bundles.open_folder(tmp_path).network


@pytest.mark.slow
def test_an_honest_bundle_is_kept_and_the_same_bytes_come_out_again():
    steps = []
    first = incoming.accept(made.HONEST, steps.append)
    # The shipped model of that name stays the one that is meant by it.
    assert (first.name, first.path.parent.parent) == ("cleveland-mlp-2", settings.current().own_models)
    assert len(steps) == 3
    again = incoming.accept(outgoing.zipped(first))
    assert again.name == "cleveland-mlp-2-2"
    assert again.card == first.card.replace("`cleveland-mlp-2`", "`cleveland-mlp-2-2`")
    honest = made.files()
    for name in ("model.keras", "background.npz", "evaluation.json", "history.csv"):
        assert (again.path / name).read_bytes() == honest[name]
    assert not list((settings.current().home / "incoming").iterdir())


def _wide(config):
    """Return a small network whose layers would be as wide as the stored weights allow, each to the next."""
    import keras

    x = keras.Input((13,), name="features")
    y = keras.layers.Dense(4, name="second")(keras.layers.Dense(4, name="first")(x))
    told = json.loads(keras.Model(x, keras.layers.Dense(2)(y)).to_json())
    for layer in told["config"]["layers"][1:3]:
        layer["config"]["units"] = 40_000
        layer.pop("build_config", None)
    return told


@pytest.mark.slow
def test_a_network_that_takes_six_gibibyte_is_refused_and_this_process_lives():
    with pytest.raises(RefusedModel) as caught:
        incoming.accept(made.with_network(_wide))
    assert caught.value.reason in ("its memory", "its time or memory")
    assert not list(settings.current().own_models.glob("*/*"))


@pytest.mark.slow
def test_a_model_that_wants_too_much_memory_or_time_ends_its_own_process_only(monkeypatch, tmp_path):
    code = tmp_path / "greedy.py"
    code.write_text(
        "import sys; from healthdash.exchange import child\n"
        "child.bounded(child.Bounds(memory_mib=64, cpu_s=1))\n"
        "x = bytearray(1 << 30) if sys.argv[1] == 'memory' else None\n"
        "while sys.argv[1] == 'time': pass\n"
        "import time; time.sleep(60)\n"
    )
    kept = child.environment()
    monkeypatch.setattr(
        child, "environment", lambda: kept | {"PYTHONPATH": f"{tmp_path}:{kept['PYTHONPATH']}"}
    )
    with pytest.raises(child.OverBounds, match="more memory"):
        child.run("greedy", ["memory"], wall_s=60)
    with pytest.raises(child.OverBounds, match="more computing time"):
        child.run("greedy", ["time"], wall_s=60)
    with pytest.raises(child.OverBounds, match="within 2 seconds"):
        child.run("greedy", ["sleep"], wall_s=2)


def test_a_child_sees_no_password_of_ours(monkeypatch):
    monkeypatch.setenv("HEALTHDASH_DATABASE_URL", "postgresql://user:secret@host/name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "secret" not in str(child.environment())
