"""Bundles for the tests: an honest one, and ways to change it into hostile ones."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np

from healthdash import bundles
from healthdash.exchange import container, outgoing

HONEST = outgoing.zipped(bundles.get("heart-disease", "cleveland-mlp"))


def files() -> dict[str, bytes]:
    """Return the files of the honest bundle."""
    return container.opened(HONEST)


def archive(content: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in content.items():
            opened.writestr(name, data)
    return packed.getvalue()


def changed(**content: bytes) -> bytes:
    """Return the honest bundle with other files; `model_keras` stands for "model.keras"."""
    return archive(files() | {name.replace("_", ".", 1): data for name, data in content.items()})


def document(name: str, change: Callable[[Any], object]) -> bytes:
    """Return the honest bundle with a JSON file changed in place."""
    content = files()
    told = json.loads(content[name])
    change(told)
    return archive(content | {name: json.dumps(told).encode()})


def with_network(
    config: Callable[[Any], object] | None = None,
    weights: Callable[[h5py.File], object] | None = None,
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return the honest bundle with a changed network, named by its right hash."""
    inside = _inside()
    if config:
        told = json.loads(inside["config.json"])
        inside["config.json"] = json.dumps(config(told) or told).encode()
    if weights:
        inside["model.weights.h5"] = edited(inside["model.weights.h5"], weights)
    return renamed(archive(inside | dict(more or {})))


def renamed(network: bytes) -> bytes:
    """Return the honest bundle with another `.keras` file, named by its hash."""
    content = files() | {"model.keras": network}
    told = json.loads(content["bundle.json"]) | {"sha256": hashlib.sha256(network).hexdigest()}
    return archive(content | {"bundle.json": json.dumps(told).encode()})


def _inside() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(files()["model.keras"])) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def weights() -> bytes:
    """Return the weights of the honest network."""
    return _inside()["model.weights.h5"]


def edited(content: bytes, change: Callable[[h5py.File], object]) -> bytes:
    """Return an HDF5 file changed in place."""
    held = io.BytesIO(content)
    with h5py.File(held, "r+") as file:
        change(file)
    return held.getvalue()


def first_dataset(file: h5py.File) -> h5py.Dataset:
    """Return some weight of a file."""
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return next(item for item in found if item.dtype.kind == "f" and item.size > 1)


def layer(config: Any, kind: str) -> dict[str, Any]:
    """Return the first layer of a kind in a configuration."""
    return next(one for one in config["config"]["layers"] if one["class_name"] == kind)


def nested(times: int) -> Callable[[Any], Any]:
    """Return a change that puts the network into networks that each call the one inside twice."""

    def change(config: Any) -> Any:
        for number in range(times):
            outer = copy.deepcopy(config)
            outer["config"]["name"] = f"outer{number}"
            inner = config | {"name": f"inner{number}", "inbound_nodes": [{"args": [], "kwargs": {}}] * 2}
            outer["config"]["layers"] = [outer["config"]["layers"][0], inner]
            config = outer
        return config

    return change


def arrays(**named: np.ndarray) -> bytes:
    """Return an `.npz` file; object arrays are pickled into it, as an attacker would."""
    held = io.BytesIO()
    np.savez_compressed(held, **named)
    return held.getvalue()


def npz_announcing(shape: tuple[int, ...]) -> bytes:
    """Return an `.npz` file whose array has a header of a shape that it does not hold."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return archive({"features.npy": b"\x93NUMPY\x01\x00\x76\x00" + header.encode() + b"\0" * 64})
