"""Every method on small networks with GRU, attention, GELU, batch normalisation and averaged members."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from healthdash import explain
from healthdash.explain import METHODS, ExplainRequest
from tests import networks

pytestmark = pytest.mark.tf
LABELS = ("a", "b", "c")
BUILDERS = {"table": networks.table, "signal": networks.signal, "picture": networks.picture}


@pytest.fixture(scope="module", params=BUILDERS)
def case(request):
    network = BUILDERS[request.param]()
    return networks.forward(network), networks.some(network, 8, seed=2), networks.some(network, 5, seed=1)


@pytest.mark.parametrize("method", METHODS)
def test_eight_threads_give_the_numbers_of_one_and_shares_add_up(case, method):
    forward, items, background = case
    one = {name: values[:1] for name, values in items.items()}
    if explain.reason_against(method, one, forward):
        pytest.skip("does not fit, and says so")

    def asked(number):
        item = {name: values[number : number + 1] for name, values in items.items()}
        return explain.run(method, forward, item, background, LABELS, ExplainRequest(target="b", samples=64))

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(asked, range(8)))
    for number in (0, 7):
        alone = asked(number)
        for name, values in alone.values.items():
            np.testing.assert_allclose(together[number].values[name], values, atol=1e-6)
            assert np.isfinite(values).all()
        if alone.is_additive:
            assert abs(alone.residual) < (0.02 if "gradients" in method else 1e-5)
