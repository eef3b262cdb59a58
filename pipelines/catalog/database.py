"""Opens the catalog's database and brings its tables up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from pipelines.catalog.revisions import Migration, migrate, upgrade_to_head
from pipelines.errors import SettingsError
from pipelines.private_files import narrow

_BUSY_TIMEOUT_MS = 60_000


def open_database(url: str, directory: Path) -> Engine:
    """Engine on the catalog, with all migrations applied. SQLite paths are relative to `directory`.

    Raises SettingsError if the database cannot be reached, and CatalogMismatch if it is newer than this program.
    """
    engine = _create_engine(url, directory)
    with _closing_in_trouble(engine):
        upgrade_to_head(engine)
    return engine


def migrate_database(url: str, directory: Path, target: str) -> Migration:
    """Bring the catalog's tables to a revision. Raises as `open_database` does, and UsageError for an unknown one."""
    engine = _create_engine(url, directory)
    with _closing_in_trouble(engine):
        migration = migrate(engine, target)
    engine.dispose()
    return migration


@contextmanager
def _closing_in_trouble(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        engine.dispose()
        raise SettingsError("catalog.url", f"the database cannot be used: {error.orig}") from None
    except BaseException:
        engine.dispose()
        raise


def _create_engine(url: str, directory: Path) -> Engine:
    """Its errors do not show what was asked for: texts, and hashes of secrets."""
    address = make_url(url)
    if address.drivername == "postgresql":
        # Named, because which driver SQLAlchemy takes otherwise depends on its version.
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True, hide_parameters=True)
    file = directory / (address.database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    narrow(file)
    patience = {"timeout": _BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(f"sqlite:///{file}", connect_args=patience, hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # NORMAL loses nothing when a process is killed; only a power cut may undo the last commits, and
    # every stage repeats what the catalog does not know to be done.
    # Without secure_delete, what is deleted would stand in the file until its place is used again.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")
