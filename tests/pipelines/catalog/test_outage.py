"""A database server that is away is waited for, and one that refuses is not."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from pipelines.catalog import open_catalog
from pipelines.catalog.outage import await_database, is_away
from pipelines.errors import CatalogUnavailable
from pipelines.settings import CatalogSettings, Settings
from tests.emulators.company import free_port
from tests.emulators.postgres import PostgresServer


def url_of_nobody() -> str:
    return f"postgresql://headrace:secret-password@127.0.0.1:{free_port()}/headrace"


def test_it_is_waited_for_in_one_line_and_no_longer_than_patience_lasts(caplog: pytest.LogCaptureFixture) -> None:
    url, started = url_of_nobody(), time.monotonic()
    await_database(url, patience=1.5)
    assert time.monotonic() - started >= 1.5
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line == f"waiting: the database at 127.0.0.1:{make_url(url).port} does not answer"


@pytest.mark.parametrize(("username", "database"), [(None, "nobodys"), ("nobody", None), (None, None)])
def test_a_server_that_answers_is_not_away(postgres_url: str, username: str | None, database: str | None) -> None:
    asked = make_url(postgres_url).set(username=username, database=database)
    assert not is_away(asked.render_as_string(hide_password=False))


def test_a_file_is_never_away() -> None:
    assert not is_away("sqlite:///nowhere.db")


def test_a_catalog_that_is_opened_while_it_is_away_is_made_when_it_is_back(
    postgres_server: PostgresServer, postgres_database: str, tmp_path: Path
) -> None:
    settings = Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(postgres_database)))
    postgres_server.stop()
    try:
        catalog = open_catalog(settings, may_be_away=True)
        with pytest.raises(CatalogUnavailable, match="Connection refused"):
            catalog.assistants.all()
    finally:
        postgres_server.start()
    with catalog:
        assert catalog.assistants.all() == []


def test_one_that_a_newer_release_has_migrated_meanwhile_is_not_touched(
    postgres_server: PostgresServer, postgres_database: str, tmp_path: Path
) -> None:
    settings = Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(postgres_database)))
    open_catalog(settings).close()
    engine = create_engine(make_url(postgres_database).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE catalog_version SET version_num = '9999'"))
    engine.dispose()
    postgres_server.stop()
    try:
        catalog = open_catalog(settings, may_be_away=True)
    finally:
        postgres_server.start()
    with catalog:
        for _ in range(2):
            with pytest.raises(CatalogUnavailable, match="the catalog is at revision 9999"):
                catalog.assistants.all()
