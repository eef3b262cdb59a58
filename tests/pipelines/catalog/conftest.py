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
from tests.emulators.postgres import make_database


@pytest.fixture(scope="module")
def is_empty() -> bool:
    """Whether the database has no tables before the catalog is opened. PostgreSQL copies them in a third of the time
    that it takes to make them."""
    return False


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with the catalog's tables."""
    url = make_database(postgres_url)
    open_catalog(settings_with(url, tmp_path_factory.mktemp("template"))).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_settings(request: pytest.FixtureRequest, tmp_path: Path, is_empty: bool) -> Settings:
    """Settings with a database of the test's own."""
    if request.param == "sqlite":
        return settings_with("sqlite:///catalog.db", tmp_path)
    server = request.getfixturevalue("postgres_url")
    template = None if is_empty else request.getfixturevalue("postgres_template")
    return settings_with(make_database(server, template), tmp_path)


def settings_with(url: str, directory: Path) -> Settings:
    return Settings(directory=directory, catalog=CatalogSettings(url=SecretStr(url)))


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
