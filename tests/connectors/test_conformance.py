"""The sources that come with Headrace, each on an emulator, are asked for every promise of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib import import_module

import pytest

from connectors.testing import Observation
from connectors.testing.conformance import test_promise  # noqa: F401 - run by pytest
from tests.connectors.cases import CASES


@pytest.fixture(scope="module", params=sorted(CASES))
def observation(request: pytest.FixtureRequest) -> Iterator[Observation]:
    connect = import_module(f"connectors.{request.param}.source").connect
    with CASES[request.param](connect) as case, closing(Observation(case)) as observation:
        yield observation
