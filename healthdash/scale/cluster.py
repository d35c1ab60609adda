"""The connection to the Ray cluster that the settings name."""

from __future__ import annotations

import logging
import os
from types import ModuleType
from typing import Any

from healthdash import settings
from healthdash.errors import HealthdashError, MissingDependency, TrainingError
from healthdash.settings import REPOSITORY
from healthdash.training.studio.elsewhere import Place

__all__ = ["RETRIES", "cause", "connected", "cores", "fitting", "is_on", "resources"]

#: So often a task that was lost with its worker is begun again.
RETRIES = 3
#: What a worker must know of this process.
_PASSED = (
    "HEALTHDASH_HOME",
    "HEALTHDASH_MODELS",
    "HEALTHDASH_THREADS",
    "HEALTHDASH_WEIGHTS",
    "OMP_WAIT_POLICY",
    "TF_CPP_MIN_LOG_LEVEL",
)


def is_on() -> bool:
    """Say whether the settings name a cluster."""
    return bool(settings.current().ray_address)


def connected() -> ModuleType:
    """Import Ray, connect to the cluster once, and return the module.

    Raises
    ------
    MissingDependency
        Ray is not installed.
    TrainingError
        The cluster does not answer.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingDependency("ray[default,data]", purpose="HEALTHDASH_RAY_ADDRESS") from error
    if not ray.is_initialized():
        passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
        paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        variables = {
            **passed, "PYTHONPATH": paths, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            # A worker is no driver: what it runs must not go to the cluster once more.
            "HEALTHDASH_RAY_ADDRESS": "",
            # A worker reads its files itself: it is a process of its own already.
            "HEALTHDASH_APART": "0",
        }  # fmt: skip
        try:
            ray.init(
                address=settings.current().ray_address, runtime_env={"env_vars": variables},
                logging_level=logging.WARNING, log_to_driver=False,
            )  # fmt: skip
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise TrainingError(
                "the Ray cluster does not answer", hint="Check HEALTHDASH_RAY_ADDRESS, and that it runs."
            ) from error
    return ray  # type: ignore[no-any-return]


def cores() -> int:
    """Return the processor cores of the cluster."""
    return max(1, int(connected().cluster_resources().get("CPU", 1)))


def resources() -> dict[str, Any]:
    """Return what one training asks of a node: a core, and a GPU where the cluster has some."""
    gpus = connected().cluster_resources().get("GPU", 0)
    return {"num_cpus": 1, "num_gpus": 1 if gpus else 0, "max_retries": RETRIES}


def fitting() -> Place | None:
    """Return where the fits of a training are done: on the cluster, if there is one."""
    if not is_on():
        return None
    if settings.current().ray_workers > 1:
        from healthdash.scale.workers import fit_each_across

        return fit_each_across
    from healthdash.scale.fits import fit_all

    return fit_all


def cause(error: Exception) -> Exception:
    """Return the error of ours that a task ended with, or else the one that Ray tells."""
    inner = getattr(error, "cause", None)
    return inner if isinstance(inner, HealthdashError) else error
