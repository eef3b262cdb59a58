"""What tests of whole installations share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from filelock import FileLock


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Workers of one run of the tests take turns: half a dozen processes are what two cores bear in time."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "installation.lock"):
        yield
