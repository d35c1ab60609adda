"""The tasks: every folder here that offers TASKS is found, none is listed by hand."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module

from healthdash import bundles
from healthdash.errors import ContractError, UnknownModel
from healthdash.task import Task

__all__ = ["all_tasks", "get", "of_kind"]


@lru_cache(maxsize=1)
def all_tasks() -> tuple[Task, ...]:
    """Return every task, by folder and then in the folder's own order.

    Raises
    ------
    ContractError
        Two tasks share a slug.
    """
    found: list[Task] = []
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg and not module.name.startswith("_"):
            found.extend(import_module(f"{__name__}.{module.name}").TASKS)
    slugs = [task.slug for task in found]
    if len(set(slugs)) < len(slugs):
        raise ContractError(f"two tasks share a slug: {', '.join(sorted(slugs))}")
    return tuple(found)


def get(slug: str) -> Task:
    """Return a task by slug; an unknown one raises `UnknownModel` that lists those there are."""
    for task in all_tasks():
        if task.slug == slug:
            return task
    names = ", ".join(task.slug for task in all_tasks())
    raise UnknownModel(f"there is no such task; there are: {names}", hint="Choose one of these.")


def of_kind(kind: str) -> tuple[Task, ...]:
    """Return the tasks that share a page; a generic one only once there is a model of it."""
    return tuple(
        task
        for task in all_tasks()
        if task.kind == kind and (not task.is_generic or bundles.available(task.slug))
    )
