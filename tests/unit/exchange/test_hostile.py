"""Hostile bundles: each is refused by the name of its reason, before anything of it is loaded."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile

import numpy as np
import pytest

from healthdash import settings
from healthdash.errors import HealthdashError, ModelMismatch, RefusedModel, UnknownModel
from healthdash.exchange import incoming

from . import made


class _Harm:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch /tmp/healthdash-was-harmed",)


def _entry(name: str, mode: int = 0, data: bytes = b"x") -> bytes:
    """Return the honest bundle with one more entry, of any name and kind."""
    held = io.BytesIO(made.HONEST)
    with zipfile.ZipFile(held, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, data)
    return held.getvalue()


def _encrypted() -> bytes:
    data = bytearray(made.HONEST)
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _text(**more):
    return lambda told: told.update(more)


def _nested_json(depth: int) -> bytes:
    content = made.files()
    told = content["bundle.json"].decode().rstrip().removesuffix("}")
    return made.archive(content | {"bundle.json": f'{told},"gate":{"[" * depth}{"]" * depth}}}'.encode()})


def _put(**more):
    def change(config):
        config["config"]["layers"][1].update(more)

    return change


def _set(kind: str, **more):
    def change(config):
        made.layer(config, kind)["config"].update(more)

    return change


def _deep(config):
    value = []
    for _ in range(200):
        value = [value]
    config["config"]["layers"][1]["config"]["extra"] = value


ARCHIVES = {
    "no archive": (b"not a zip", "a damaged archive"),
    "truncated": (made.HONEST[:2_000], "a damaged archive"),
    "path outside": (_entry("../../evil.py"), "a path outside"),
    "absolute path": (_entry("/etc/cron.d/evil"), "a path outside"),
    "path of Windows": (_entry("..\\evil.py"), "a path outside"),
    "symbolic link": (_entry("card", stat.S_IFLNK | 0o777, b"/etc/passwd"), "a link"),
    "pipe": (_entry("pipe", stat.S_IFIFO | 0o644), "a special file"),
    "bomb": (made.changed(card_md=b"\0" * (1 << 28)), "a decompression bomb"),
    "too large": (made.changed(card_md=os.urandom(2 << 20)), "its size"),
    "encrypted": (_encrypted(), "a password"),
    "extra file": (_entry("evil.py"), "an extra file"),
    "file in a folder": (_entry("assets/evil.py"), "an extra file"),
    "one name twice": (_entry("card.md"), "two files of one name"),
    "no card": (made.archive({k: v for k, v in made.files().items() if k != "card.md"}), "a missing file"),
}  # fmt: skip
DOCUMENTS = {
    "wrong hash": (made.document("bundle.json", _text(sha256="0" * 64)), "other weights"),
    "other weights": (made.changed(model_keras=made.files()["model.keras"][:-1] + b"x"), "other weights"),
    "a label more": (made.document("bundle.json", _text(labels=["absent", "present", "x"])), "its labels"),
    "labels turned": (made.document("bundle.json", _text(labels=["present", "absent"])), "its labels"),
    "calibration of others": (
        made.document("bundle.json", lambda told: told["calibration"].update(offset=[0, 0, 0])), "its labels"
    ),
    "name that is a path": (made.document("bundle.json", _text(name="../../x")), "its name"),
    "name without a letter": (made.document("bundle.json", _text(name="..")), "its name"),
    "unknown field": (made.document("bundle.json", _text(loader="evil")), "its form"),
    "not JSON": (made.changed(bundle_json=b"{"), "its form"),
    "deep JSON": (_nested_json(100_000), "its form"),
    "script in the title": (
        made.document("bundle.json", _text(title="<script>alert(1)</script>")), "markup"
    ),
    "picture in a limit": (
        made.document("bundle.json", _text(limits=["![x](http://evil.example/a.png)"])), "markup"
    ),
    "turned text": (made.document("bundle.json", _text(title="safe\u202egnp.exe")), "hidden characters"),
    "endless text": (made.document("bundle.json", _text(intended_use="x" * 50_000)), "its size"),
    "figures that are none": (
        made.document("evaluation.json", lambda told: told["metrics"][0].update(value=float("nan"))),
        "numbers that are none",
    ),
    "golden numbers of any size": (made.document("golden.json", _text(tolerance=1e9)), "its form"),
    "golden numbers of another shape": (made.document("golden.json", _text(logits=[[1.0]])), "its labels"),
    "golden rows outside": (
        made.document("golden.json", lambda told: told.update(background_rows=[9999, 1])),
        "another signature",
    ),
    "formula in the history": (made.changed(history_csv=b"epoch,loss\n1,=cmd()\n"), "its form"),
}  # fmt: skip
ARRAYS = {
    "pickle": (made.arrays(features=np.array([_Harm()], object)), "a pickle"),
    "infinite": (made.arrays(features=np.full((9, 13), np.inf, np.float32)), "numbers that are none"),
    "other shape": (made.arrays(features=np.zeros((9, 12), np.float32)), "another signature"),
    "no background": (made.arrays(other=np.zeros((9, 13), np.float32)), "another signature"),
    "texts": (made.arrays(features=np.array([["x"] * 13] * 9)), "damaged arrays"),
    "announced shape": (made.npz_announcing((10**9, 13)), "damaged arrays"),
    "bomb": (made.arrays(features=np.zeros((10_000_000, 13), np.float32)), "a decompression bomb"),
    "truncated": (made.files()["background.npz"][:200], "damaged arrays"),
}
LAYERS = {
    "Lambda": (_put(module="keras.layers", class_name="Lambda", config={}), "a Lambda layer"),
    "code in a value": (
        _put(class_name="__lambda__", config={"value": "AAAA"}, module="builtins"), "a Lambda layer"
    ),
    "custom object": (_put(registered_name="evil>Layer", class_name="Layer", module=None), "a custom object"),
    "class of the system": (_put(module="os", class_name="system"), "a custom object"),
    "class outside of Keras' layers": (
        _put(module="keras.src.utils.file_utils", class_name="get_file"), "a custom object"
    ),
    "SavedModel from a path": (
        _put(module="keras.layers", class_name="TFSMLayer", config={"filepath": "/x"}), "a custom object"
    ),
    "file of words": (
        _put(module="keras.layers", class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
        "a custom object",
    ),
    "loop": (_put(module="keras.src.ops.core", class_name="WhileLoop"), "a custom object"),
    "function": (
        _set("Activation", activation={"class_name": "function", "config": "run", "module": "builtins",
                                       "registered_name": "run"}), "a function",
    ),
    "unknown activation": (_set("Activation", activation="evil"), "a custom object"),
    "registered name": (_put(registered_name="evil>OnesLike"), "a registered name"),
    "optimizer inside": (_put(compile_config={"optimizer": "adam"}), "an optimizer inside"),
    "giant embedding": (_set("Embedding", input_dim=10**9), "a giant layer"),
    "giant dense": (
        lambda config: config["config"]["layers"].append(
            {"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 2**40},
             "registered_name": None, "inbound_nodes": []}
        ) and None, "a giant layer",
    ),
    "deep nesting": (_deep, "deep nesting"),
    "networks in networks": (made.nested(14), "endless work"),
    "no network": (lambda _: {"a": 1}, "its configuration"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_is_refused(data, reason):
    _refused(data, reason)


@pytest.mark.parametrize(("data", "reason"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_is_refused(data, reason):
    _refused(data, reason)


@pytest.mark.parametrize(("data", "reason"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_are_refused(data, reason):
    _refused(made.changed(background_npz=data), reason)
    assert not os.path.exists("/tmp/healthdash-was-harmed")


@pytest.mark.parametrize(("change", "reason"), LAYERS.values(), ids=LAYERS)
def test_a_configuration_is_refused(change, reason):
    _refused(made.with_network(change), reason)


def test_more_files_beside_the_network_are_refused():
    _refused(made.with_network(more={"assets/x/vocabulary.txt": b"x"}), "an extra file")
    _refused(made.with_network(more={"../evil": b"x"}), "a path outside")


def test_what_is_no_network_file_is_refused():
    _refused(made.renamed(b"not a zip"), "a damaged archive")


def test_a_newer_format_asks_for_an_update():
    with pytest.raises(ModelMismatch, match="format 1 or older, got 2"):
        incoming.accept(made.document("bundle.json", _text(format=2, news="x")))


def test_a_bundle_of_a_task_that_there_is_not_is_refused():
    with pytest.raises(UnknownModel, match="no such task"):
        incoming.accept(made.document("bundle.json", _text(task="unknown")))


def test_the_honest_bundle_passes_every_check_also_in_a_folder():
    incoming.checked(made.HONEST)
    incoming.checked(made.archive({f"bundle/{name}": data for name, data in made.files().items()}))


@pytest.mark.parametrize(
    ("name", "safe"), [("m c", "m-c"), ("Tübingen v1.2", "t-bingen-v1-2"), ("a_b.C", "a_b.C")]
)
def test_a_name_is_brought_into_the_form_of_a_folder(name, safe):
    _, found = incoming.checked(made.document("bundle.json", _text(name=name)))
    assert found.info.name == safe


def test_a_message_repeats_nothing_of_the_stranger(caplog):
    marked = _put(module="secret-module" + "<script>", class_name="Evil" * 100)
    with pytest.raises(RefusedModel) as caught:
        incoming.checked(made.with_network(marked))
    assert len(caught.value.message) < 250
    assert "<" not in caught.value.message
    assert not caplog.text


def _refused(data: bytes, reason: str) -> None:
    with pytest.raises(HealthdashError) as caught:
        incoming.accept(data)
    assert getattr(caught.value, "reason", caught.value) == reason
    assert not list(settings.current().own_models.glob("*/*"))
    assert json.dumps(caught.value.message)
