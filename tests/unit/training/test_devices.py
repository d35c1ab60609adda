"""One network on several devices of this host; two logical ones of the processor stand for two GPUs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.tf, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import json
import numpy as np
from healthdash.runtime import tensorflow
tf = tensorflow()
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from healthdash.training import TrainSettings, devices
from healthdash.training.ranking import separation
from healthdash.training.studio.fitting import fit_fold
from healthdash.training.studio.parts import parts_of
from tests import labelled as made

items = made.rows(240)
settings = TrainSettings(network="mlp", epochs=12, folds=0, seed=1, batch_size=32, learning_rate=0.01)
(part,) = parts_of(items, settings)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
devices.scope = strategy.scope
rows = []
fitted = fit_fold(items, settings, part, rows.append)
auc = separation(items.truth[part.judged], fitted.logits[:, 1].astype(float) - fitted.logits[:, 0])
print(json.dumps({"replicas": strategy.num_replicas_in_sync, "auc": auc, "epochs": len(rows)}))
"""


def test_a_network_on_two_devices_learns():
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["replicas"] == 2
    assert told["auc"] > 0.85


def test_by_itself_a_network_is_on_one_device():
    from contextlib import nullcontext

    from healthdash.training import devices

    if devices.runtime.device().kind == "GPU":
        pytest.skip("a GPU is here")
    assert isinstance(devices.scope(), nullcontext)
    assert devices.is_chief()
