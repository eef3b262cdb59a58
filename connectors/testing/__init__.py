"""The conformance kit: asks a running source for each promise of `connectors.contract`.

A package writes one file of tests: a fixture that opens its connector on a server of its own, and one import.

    from connectors.testing import Case, Observation
    from connectors.testing.conformance import test_promise  # noqa: F401 - run by pytest

    @pytest.fixture(scope="module")
    def observation() -> Iterator[Observation]:
        with serving(emulator) as url, closing(Observation(case(url))) as observation:
            yield observation

Each promise is a test that is named by what it promises. Only `conformance` needs pytest.
"""

from __future__ import annotations

from connectors.testing.case import Case, KnownObject
from connectors.testing.observation import Observation
from connectors.testing.promise import Promise

__all__ = ["Case", "KnownObject", "Observation", "Promise"]
