"""The promises as pytest tests. A file of tests imports `test_promise`, and has a fixture `observation`.

See `connectors.testing` for an example.
"""

from __future__ import annotations

import pytest

from connectors.testing import changing, full_reads, known_facts, looking_up, resuming, rights, trouble
from connectors.testing.observation import Observation
from connectors.testing.promise import Promise

PROMISES: tuple[Promise, ...] = (
    *full_reads.PROMISES,
    *known_facts.PROMISES,
    *resuming.PROMISES,
    *looking_up.PROMISES,
    *rights.PROMISES,
    *trouble.PROMISES,
    *changing.PROMISES,  # last, since the server is another afterwards
)
"""All that `connectors.contract` promises, as far as a running source can be asked."""


@pytest.mark.parametrize("promise", [pytest.param(one, id=one.name) for one in PROMISES])
def test_promise(promise: Promise, observation: Observation) -> None:
    broken = promise.broken(observation)
    if broken:
        pytest.fail(f"{promise.name}: not so\n  " + "\n  ".join(broken), pytrace=False)
