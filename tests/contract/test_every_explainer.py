"""What every explanation method must keep, on doubles with known answers and on what ships."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import numpy as np
import pytest

from healthdash import bundles, explain, tasks
from healthdash.explain import METHODS, ExplainRequest
from tests.closed_form import ClosedForm, logistic, table

WEIGHTS = np.array([0.9, -0.6, 0.4, 0.0])  # the last column is ignored
LABELS = ("no", "yes")
#: Those that ask for values and slopes only; Grad-CAM wants a network, see its own tests.
ON_DOUBLES = [method for method in METHODS if method not in ("grad-cam", "reconstruction")]
ADDITIVE = [method for method in ON_DOUBLES if method != "occlusion"]
RNG = np.random.default_rng(0)


def _table_case():
    forward = table(lambda rows: logistic(rows @ WEIGHTS + rows[:, 0] * rows[:, 1]), 4)
    return forward, {"features": RNG.normal(size=(1, 4))}, {"features": RNG.normal(size=(7, 4))}


def _signal_case():
    def value(inputs):
        return logistic(inputs["window"][:, :, 0] @ WEIGHTS + inputs["rhythm"].sum(axis=1))

    def slope(inputs):
        p = value(inputs)
        by_z = (p * (1 - p))[:, None]
        return {"window": (by_z * WEIGHTS)[:, :, None], "rhythm": by_z * np.ones_like(inputs["rhythm"])}

    shapes = {"window": (4, 1), "rhythm": (2,)}
    one, many = ({name: RNG.normal(size=(n, *shape)) / 2 for name, shape in shapes.items()} for n in (1, 9))
    return ClosedForm(value, shapes, slope), one, many


TABLE, SIGNAL = _table_case(), _signal_case()


def _case(method):
    case = SIGNAL if explain.reason_against(method, _floats(TABLE[1])) else TABLE  # tables where they fit
    return case[0], _floats(case[1]), _floats(case[2])


def _floats(arrays):
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def _explained(method, target="yes", seed=0, samples=200, baseline=""):
    request = ExplainRequest(target=target, seed=seed, samples=samples, baseline=baseline)
    return explain.run(method, *_case(method), LABELS, request)


@pytest.mark.parametrize("method", METHODS)
def test_the_module_offers_the_contract(method):
    module = import_module(METHODS[method])
    assert isinstance(module.TITLE, str)
    assert list(inspect.signature(module.explain).parameters) == [
        "forward", "inputs", "background", "target_index", "request", "on_progress",
    ]  # fmt: skip
    inputs = _case(method)[1]
    assert module.reason_against(inputs) is None


@pytest.mark.parametrize("method", ON_DOUBLES)
def test_values_have_the_inputs_shapes_and_the_methods_name(method):
    inputs, found = _case(method)[1], _explained(method)
    assert found.method == method
    assert found.target == "yes"
    assert {name: v.shape for name, v in found.values.items()} == {
        name: v.shape[1:] for name, v in inputs.items()
    }
    assert all(v.dtype == np.float32 for v in (*found.values.values(), *found.standard_error.values()))
    assert found.samples > 0
    assert found.seconds > 0


@pytest.mark.parametrize("method", ADDITIVE)
def test_base_and_values_add_up_to_the_probability(method):
    forward, inputs, background = _case(method)
    found = _explained(method, baseline="background")
    assert found.output == pytest.approx(forward.probabilities(inputs)[0, 1], abs=1e-6)
    assert found.base == pytest.approx(forward.probabilities(background)[:, 1].mean(), abs=1e-6)
    assert abs(found.residual) < (0.005 if "gradients" in method else 1e-6)


@pytest.mark.parametrize("method", ON_DOUBLES)
def test_what_the_model_ignores_gets_nothing(method):
    found = next(iter(_explained(method).values.values()))
    assert found.reshape(4)[3] == pytest.approx(0, abs=1e-9)
    assert np.abs(found.reshape(4)[:3]).min() > 1e-4


@pytest.mark.parametrize("method", ON_DOUBLES)
def test_two_classes_are_explained_by_opposite_values(method):
    yes, no = _explained(method), _explained(method, target="no")
    for name in yes.values:
        np.testing.assert_allclose(yes.values[name], -no.values[name], atol=1e-6)


@pytest.mark.parametrize("method", ON_DOUBLES)
def test_eight_threads_give_the_numbers_of_one(method):
    alone = [_explained(method, seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: _explained(method, seed=seed), range(8)))
    for one, other in zip(alone, together, strict=True):
        for name in one.values:
            np.testing.assert_array_equal(one.values[name], other.values[name])


@pytest.mark.parametrize("method", ON_DOUBLES)
def test_the_callers_arrays_are_left_alone(method):
    _, inputs, background = _case(method)
    before = {name: (inputs[name].copy(), background[name].copy()) for name in inputs}
    explain.run(method, _case(method)[0], inputs, background, LABELS, ExplainRequest(target="yes"))
    for name, (item, rows) in before.items():
        np.testing.assert_array_equal(inputs[name], item)
        np.testing.assert_array_equal(background[name], rows)


def _shipped():
    return [pytest.param(bundle, id=f"{bundle.info.task}/{bundle.name}") for bundle in bundles.available()]


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("bundle", _shipped())
def test_a_shipped_model_is_explained_by_its_first_method(bundle):
    task = tasks.get(bundle.info.task)
    background = bundle.background
    item = {name: values[:1] for name, values in background.items()}
    label = bundle.info.labels[-1]
    found = task.explain(bundle, item, ExplainRequest(target=label, samples=max(64, _rows(background))))
    exact = found.method != "expected-gradients"
    assert abs(found.residual) < (1e-4 if exact else 0.15)
    assert all(np.isfinite(values).all() for values in found.values.values())


def _rows(background):
    return len(next(iter(background.values())))
