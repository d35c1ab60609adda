"""A Ray cluster of two one-core nodes on this machine."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import pytest

from healthdash import settings


@pytest.fixture(scope="session")
def nodes() -> Iterator[object]:
    try:
        from ray.cluster_utils import Cluster
    except ModuleNotFoundError:
        words = "ray is not installed: the tests of HEALTHDASH_RAY_ADDRESS did not run (requirements-ray.txt)"
        warnings.warn(words, stacklevel=1)
        pytest.skip(words)
    # Ray lets its workers wait for everybody else; here the tests wait for them.
    os.environ["RAY_worker_niceness"] = "0"
    cluster = _started(Cluster)
    try:
        yield cluster
    finally:
        import ray

        ray.shutdown()
        cluster.shutdown()


def _started(make: type, times: int = 3):
    """Start two nodes; Ray gives a node 30 s, which a busy machine may not keep."""
    cluster = make(initialize_head=False)
    try:
        cluster.add_node(num_cpus=1, include_dashboard=False)
        cluster.add_node(num_cpus=1)
    except Exception:
        cluster.shutdown()
        if times > 1:
            return _started(make, times - 1)
        raise
    return cluster


@pytest.fixture
def cluster(nodes, monkeypatch):
    """Let the settings name the cluster."""
    monkeypatch.setenv("HEALTHDASH_RAY_ADDRESS", nodes.address)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    settings.current.cache_clear()
    yield nodes
    settings.current.cache_clear()
