"""The promises as pytest tests. A file of tests imports `test_promise`, and has a fixture `observation`.

See `connectors.testing` for an example.
"""

from __future__ import annotations

import pytest

from connectors.testing import full_reads, looking_up, resuming, trouble
from connectors.testing.observation import Observation
from connectors.testing.promise import Promise

PROMISES: tuple[Promise, ...] = (
    *full_reads.PROMISES,
    *resuming.PROMISES,
    *looking_up.PROMISES,
    *trouble.PROMISES,
)
"""All that `connectors.contract` promises, as far as a running source can be asked."""


@pytest.mark.parametrize("promise", [pytest.param(one, id=one.name) for one in PROMISES])
def test_promise(promise: Promise, observation: Observation) -> None:
    broken = promise.broken(observation)
    if broken:
        pytest.fail(f"{promise.name}: not so\n  " + "\n  ".join(broken), pytrace=False)
