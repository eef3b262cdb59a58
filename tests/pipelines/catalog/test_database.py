"""Databases that hang or are damaged, and migrations, which may take long."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from pipelines.catalog import open_catalog
from pipelines.catalog.database import open_database
from pipelines.catalog.revisions import HEAD, MIGRATION_LOCK, read_revision
from pipelines.errors import CatalogDamaged, CatalogUnavailable
from pipelines.operations.health import read_health
from pipelines.settings import CatalogSettings, Settings
from tests.emulators.postgres import PostgresServer

SLEEP = text("SELECT pg_sleep(30)")


def test_a_statement_without_an_answer_is_given_up_and_the_next_one_answered(postgres_database: str) -> None:
    engine = open_database(postgres_database, Path(), statement_seconds=0.3)
    started = time.monotonic()
    with pytest.raises(CatalogUnavailable, match=r"no answer within 0\.3 seconds"), engine.connect() as connection:
        connection.execute(SLEEP)
    assert time.monotonic() - started < 10
    assert read_revision(engine) == HEAD
    engine.dispose()


def test_a_server_that_hangs_is_the_catalog_being_away(
    postgres_server: PostgresServer, postgres_database: str, tmp_path: Path
) -> None:
    settings = Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(postgres_database)))
    with open_catalog(settings, statement_seconds=0.3) as catalog:
        assert catalog.assistants.all() == []
        with postgres_server.frozen(), pytest.raises(CatalogUnavailable):
            catalog.assistants.all()
        assert catalog.assistants.all() == []


def test_once_it_is_closed_no_connection_stays_open_that_a_late_thread_gives_back(
    postgres_database: str, tmp_path: Path
) -> None:
    catalog = open_catalog(Settings(directory=tmp_path, catalog=CatalogSettings(url=SecretStr(postgres_database))))
    with catalog._engine.connect() as begun_before:
        catalog.close()
        assert begun_before.scalar(text("SELECT 1")) == 1
        first = begun_before.connection.dbapi_connection
    with catalog._engine.connect() as begun_after:
        assert begun_after.scalar(text("SELECT 1")) == 1
        second = begun_after.connection.dbapi_connection
    assert isinstance(first, psycopg.Connection)
    assert first.closed
    assert isinstance(second, psycopg.Connection)
    assert second.closed
    assert catalog.assistants.all() == []


def test_a_migration_is_waited_for(postgres_database: str) -> None:
    admin = create_engine(make_url(postgres_database).set(drivername="postgresql+psycopg"))
    with admin.connect() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        given_back = threading.Timer(1.0, other.rollback)
        given_back.start()
        open_database(postgres_database, Path(), statement_seconds=0.3).dispose()
        given_back.join()
    admin.dispose()


@pytest.mark.parametrize("good", [0, 4096, 40_000])
def test_a_damaged_file_is_named_with_what_to_do(settings: Settings, good: int) -> None:
    """Without its first page it is no database, and without the next ones it is one that cannot be read."""
    open_catalog(settings).close()
    file = settings.directory / ".headrace" / "catalog.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:good] + b"\xff" * (len(whole) - good))
    with pytest.raises(CatalogDamaged, match=r"catalog\.db is damaged .*`headrace restore`"):
        read_all(settings)


def read_all(settings: Settings) -> None:
    with open_catalog(settings) as catalog:
        read_health(catalog, settings)
        catalog.documents.totals()
        catalog.units.all("acme")


def test_a_full_disk_is_told_as_that(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_catalog(settings) as catalog, closing(sqlite3.connect(settings.state_path / "catalog.db")) as other:
        other.execute("ALTER TABLE units RENAME TO others")  # what fails then is of the class of a disk that is full
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
        with pytest.raises(CatalogUnavailable, match=r"no space left on the disk of .*\.headrace"):
            catalog.units.all("acme")
