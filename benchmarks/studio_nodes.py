"""Ten trials of a search on two one-core nodes of a Ray cluster against one such node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.rows import Row, missing

_TRIALS = 10
#: One process a cluster: Ray keeps one connection only, and the workers end with it.
_CODE = """
import json, sys, time
from ray.cluster_utils import Cluster
nodes, trials = int(sys.argv[1]), int(sys.argv[2])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
for _ in range(nodes - 1):
    cluster.add_node(num_cpus=1)
import os
os.environ["HEALTHDASH_RAY_ADDRESS"] = cluster.address
from benchmarks.studio_nodes import trial
from healthdash.scale.cluster import connected, resources
ray = connected()
task = ray.remote(**resources())(trial)
# Every worker imports TensorFlow and traces once before.
ray.get([task.remote(1, 1) for _ in range(nodes)])
begun = time.perf_counter()
losses = ray.get([task.remote(10, number) for number in range(trials)])
print(json.dumps({"seconds": time.perf_counter() - begun, "losses": losses}))
ray.shutdown()
cluster.shutdown()
"""


def rows() -> Iterator[Row]:
    """Yield the one row."""
    name = f"{_TRIALS} trials on two one-core Ray nodes"
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        yield missing(name, "ray is not installed (requirements-ray.txt)")
        return
    two, one = _measured(2), _measured(1)
    largest = max(abs(a - b) for a, b in zip(two["losses"], one["losses"], strict=True))
    yield Row.compared(
        name,
        ours=f"{two['seconds']:.1f} s",
        reference=f"{one['seconds']:.1f} s on one",
        ratio=one["seconds"] / two["seconds"],
        at_least=1.7,
        check=f"losses {largest:.0e}",
        equal=largest < 1e-4,
    )


def _measured(nodes: int) -> dict:
    environment = {
        **os.environ, "HEALTHDASH_THREADS": "1", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1", "RAY_worker_niceness": "0",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _CODE, str(nodes), str(_TRIALS)], env=environment, capture_output=True,
        text=True, check=True, timeout=240,
    )  # fmt: skip
    return json.loads(done.stdout.strip().splitlines()[-1])


def _stay_on_one_core() -> None:
    """Keep this worker on a core of its node before TensorFlow starts threads: Ray only counts cores."""
    import ray

    nodes = sorted(node["NodeID"] for node in ray.nodes())
    cores = range(os.cpu_count() or 1)
    os.sched_setaffinity(0, {cores[nodes.index(ray.get_runtime_context().get_node_id()) % len(cores)]})


def trial(epochs: int, number: int) -> float:
    """Train one trial on made rows and return its validation loss."""
    _stay_on_one_core()
    from healthdash.runtime import tensorflow

    tensorflow()
    from benchmarks import made
    from healthdash.training import TrainSettings
    from healthdash.training.studio.search import trial as trying

    settings = TrainSettings(
        network="mlp", epochs=epochs, patience=200, learning_rate=0.001 * (1 + number), batch_size=64
    )
    return trying.run(made.items("row", 4000), settings, lambda row: None).loss
