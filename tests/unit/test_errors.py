"""The error tree."""

from __future__ import annotations

import inspect

from healthdash import errors


def test_every_error_but_the_developers_own_has_one_root():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    assert {c.__name__ for c in classes} == set(errors.__all__)
    assert [c.__name__ for c in classes if not issubclass(c, errors.HealthdashError)] == ["ContractError"]


def test_the_drawn_tree_names_every_class():
    assert all(name in (errors.__doc__ or "") for name in errors.__all__)


def test_a_missing_dependency_says_how_to_install_it():
    error = errors.MissingDependency("shap", purpose="Plotting")
    assert error.hint == "pip install shap"
