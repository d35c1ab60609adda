"""What importing the package does to the process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_IMPORTED = "import healthdash.training.ranking, sklearn.ensemble, os; print(os.environ['OMP_WAIT_POLICY'])"


@pytest.mark.parametrize(("given", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_of_scikit_learn_sleep_unless_the_user_says_otherwise(given, policy):
    env = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    env |= {"OMP_DISPLAY_ENV": "TRUE"} | ({"OMP_WAIT_POLICY": given} if given else {})
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == policy  # what processes of its own take over
    (read,) = [line for line in done.stderr.splitlines() if "OMP_WAIT_POLICY" in line]
    assert policy in read  # OpenMP says on stderr what it read
