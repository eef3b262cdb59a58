"""Opens the catalog's database and brings its tables up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import InterfaceError, OperationalError

from pipelines.catalog.fencing import refuse_stale_commits
from pipelines.catalog.revisions import Migration, migrate, upgrade_to_head
from pipelines.errors import CatalogUnavailable, SettingsError
from pipelines.private_files import narrow

_BUSY_TIMEOUT_MS = 60_000
_CONNECT_TIMEOUT_SECONDS = 5


def open_database(url: str, directory: Path) -> Engine:
    """Engine on the catalog, with all migrations applied. SQLite paths are relative to `directory`.

    Raises SettingsError if the database cannot be reached, and CatalogMismatch if it is newer than this program.
    Later on, what is done with it raises CatalogUnavailable while it is away, and LeaseLost where a lease is another's.
    """
    engine = _create_engine(url, directory)
    with _closing_in_trouble(engine):
        upgrade_to_head(engine)
    event.listen(engine, "handle_error", _name_trouble)
    refuse_stale_commits(engine)
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


def _name_trouble(context: ExceptionContext) -> None:
    """Let whoever asks a database that is away see CatalogUnavailable, whatever its driver says."""
    if not context.is_pre_ping and isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError):
        raise CatalogUnavailable(context.original_exception) from context.original_exception


def _create_engine(url: str, directory: Path) -> Engine:
    """Its errors do not show what was asked for: texts, and hashes of secrets."""
    address = make_url(url)
    if address.drivername == "postgresql":
        # Named, because which driver SQLAlchemy takes otherwise depends on its version.
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite":
        patience = {"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
        return create_engine(address, pool_pre_ping=True, hide_parameters=True, connect_args=patience)
    file = directory / (address.database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    narrow(file)
    waiting = {"timeout": _BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(f"sqlite:///{file}", connect_args=waiting, hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # NORMAL loses nothing when a process is killed; only a power cut may undo the last commits, and
    # every stage repeats what the catalog does not know to be done.
    # Without secure_delete, what is deleted would stand in the file until its place is used again.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")
