"""The emulator's bundled company, served once for all connectors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.company import bundled_records, free_port, served


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of the four APIs."""
    with served(bundled_records(), tmp_path_factory.mktemp("company"), free_port()) as url:
        yield url
