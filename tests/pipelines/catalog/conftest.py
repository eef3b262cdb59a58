"""A catalog in each of the two databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.model import Unit
from pipelines.catalog import Catalog, open_catalog
from pipelines.settings import CatalogSettings, Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with an empty database."""
    sqlite = request.param == "sqlite"
    url: str = "sqlite:///catalog.db" if sqlite else request.getfixturevalue("postgres_database")
    return Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(url)))


@pytest.fixture
def open_catalogs(catalog_settings: Settings) -> Iterator[Callable[[], Catalog]]:
    """Opens the one catalog as another process would."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(open_catalog(catalog_settings))


@pytest.fixture
def catalog(catalog_settings: Settings) -> Iterator[Catalog]:
    with open_catalog(catalog_settings) as opened:
        opened.units.replace_listing("acme", "github", [Unit("a", "A"), Unit("b", "B")])
        yield opened
