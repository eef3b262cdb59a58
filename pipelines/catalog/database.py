"""Opens the catalog's database and brings its tables up to date."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from pipelines.errors import SettingsError
from pipelines.private_files import narrow

HEAD = "0011"
"""Newest migration. Kept here too, so that opening an up-to-date catalog need not import Alembic."""

_BUSY_TIMEOUT_MS = 60_000
_MIGRATION_LOCK = 0x68656164  # any number that is ours alone: names PostgreSQL's advisory lock


def open_database(url: str, directory: Path) -> Engine:
    """Engine on the catalog, with all migrations applied. SQLite paths are relative to `directory`.

    Raises SettingsError if the database cannot be reached.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        file = directory / (address.database or "")
        file.parent.mkdir(parents=True, exist_ok=True)
        narrow(file)
        engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _configure_sqlite)
    else:
        engine = create_engine(address, pool_pre_ping=True)
    try:
        _migrate(engine)
    except OperationalError as error:
        raise SettingsError("catalog.url", f"the database cannot be used: {error.orig}") from None
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # NORMAL loses nothing when a process is killed; only a power cut may undo the last commits, and
    # every stage repeats what the catalog does not know to be done.
    # Without secure_delete, what is deleted would stand in the file until its place is used again.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    if _revision(engine) == HEAD:
        return
    with _one_at_a_time(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        _upgrade(connection)


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _one_at_a_time(engine: Engine) -> AbstractContextManager[Any]:
    if engine.dialect.name != "sqlite":
        return nullcontext()
    from filelock import FileLock

    return FileLock(f"{engine.url.database}.migration.lock")


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "pipelines:catalog/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
