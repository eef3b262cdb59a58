"""Opens the catalog's database and brings its tables up to date."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from pipelines.catalog.fencing import refuse_stale_commits
from pipelines.catalog.outage import is_away
from pipelines.catalog.revisions import HEAD, Migration, migrate, read_revision
from pipelines.disk_space import describe_full, is_full
from pipelines.errors import CatalogDamaged, CatalogUnavailable, HeadraceError, SettingsError
from pipelines.private_files import narrow

STATEMENT_SECONDS = 300.0
"""How long PostgreSQL may take for one statement. The longest go over all documents, of which there may be millions."""

_BUSY_TIMEOUT_MS = 60_000
_POOL_SECONDS = 30.0


def open_database(
    url: str, directory: Path, statement_seconds: float = STATEMENT_SECONDS, *, may_be_away: bool = False
) -> Engine:
    """Engine on the catalog, with all migrations applied. SQLite paths are relative to `directory`.

    Raises SettingsError if the database cannot be reached, CatalogDamaged, and CatalogMismatch if it is newer than this
    program. One that `may_be_away` and is, is looked at when it is back.
    Later on, what is done with it raises CatalogUnavailable while it is away, and LeaseLost where a lease is another's.
    """
    engine = _create_engine(url, directory, statement_seconds)
    if may_be_away and is_away(url):
        _look_when_back(engine, url, directory, statement_seconds)
    else:
        with _closing_in_trouble(engine):
            if read_revision(engine) != HEAD:
                migrate_database(url, directory, HEAD)
    event.listen(engine, "handle_error", _name_trouble)
    refuse_stale_commits(engine)
    return engine


def _look_when_back(engine: Engine, url: str, directory: Path, statement_seconds: float) -> None:
    """Let no statement through before the tables are known to be those of this program."""

    def look(connection: Any, _record: object) -> None:
        try:
            open_database(url, directory, statement_seconds).dispose()
        except HeadraceError as error:
            connection.close()
            raise CatalogUnavailable(error) from error

    event.listen(engine, "first_connect", look)  # of several until it has once succeeded


def migrate_database(url: str, directory: Path, target: str) -> Migration:
    """Bring the catalog's tables to a revision. Raises as `open_database` does, and UsageError for an unknown one."""
    engine = _create_engine(url, directory, statement_seconds=None)  # nobody knows how long a migration may take
    with _closing_in_trouble(engine):
        migration = migrate(engine, target)
    engine.dispose()
    return migration


def close_database(engine: Engine) -> None:
    """Close the engine's connections: those that are idle now, the others as threads that end later give them back."""
    event.listen(engine, "checkin", _close)
    engine.dispose()


def _close(_connection: object, entry: ConnectionPoolEntry) -> None:
    entry.close()


@contextmanager
def _closing_in_trouble(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        engine.dispose()
        if is_damage(error.orig):
            raise CatalogDamaged(engine.url.database, error.orig) from None
        if isinstance(error, OperationalError) or error.statement is None:  # it was not connected at all
            reason = _find_reason(engine, error.orig)
            raise SettingsError("catalog.url", f"the database cannot be used: {reason}") from None
        raise
    except BaseException:
        engine.dispose()
        raise


def _name_trouble(context: ExceptionContext) -> None:
    """Let whoever asks a database that is away see CatalogUnavailable, whatever its driver says."""
    error = context.original_exception
    if is_damage(error):
        raise CatalogDamaged(context.engine.url.database if context.engine else None, error) from error
    if not context.is_pre_ping and isinstance(context.sqlalchemy_exception, OperationalError | InterfaceError):
        raise CatalogUnavailable(_find_reason(context.engine, error)) from error


def _find_reason(engine: Engine | None, error: object) -> str:
    """What a driver says, on one line; of a full disk SQLite says that it has made an error."""
    file = Path(engine.url.database) if engine and engine.dialect.name == "sqlite" and engine.url.database else None
    return describe_full(file.parent) if file and is_full(file.parent) else " ".join(str(error).split())


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite has found that a file is no database of its, or a broken one: it has no class for that."""
    return type(error) is sqlite3.DatabaseError


def _create_engine(url: str, directory: Path, statement_seconds: float | None) -> Engine:
    """Its errors do not show what was asked for: texts, and hashes of secrets."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return _create_postgresql_engine(address, statement_seconds)
    file = directory / (address.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        narrow(file)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SettingsError("catalog.url", f"{error.filename} cannot be used: {error.strerror}") from None
    waiting = {"timeout": _BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(f"sqlite:///{file}", connect_args=waiting, hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _create_postgresql_engine(address: URL, statement_seconds: float | None) -> Engine:
    from pipelines.catalog.bounded_connection import LOST_MACHINE, bound_answers

    # Named, because which driver SQLAlchemy takes otherwise depends on its version.
    address = address.set(drivername="postgresql+psycopg")
    _require_known_parameters(address)
    waiting = min(_POOL_SECONDS, statement_seconds or _POOL_SECONDS)
    engine = create_engine(
        address, pool_pre_ping=True, pool_timeout=waiting, hide_parameters=True, connect_args=LOST_MACHINE
    )
    if statement_seconds is not None:
        bound_answers(engine, statement_seconds)
    return engine


def _require_known_parameters(address: URL) -> None:
    """Raises SettingsError for what PostgreSQL's library would refuse, quoting it."""
    from psycopg.pq import Conninfo

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if unknown := sorted(address.query.keys() - known):
        raise SettingsError("catalog.url", f"{unknown[0]!r} is no parameter of a connection to PostgreSQL")


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # NORMAL loses nothing when a process is killed; only a power cut may undo the last commits, and
    # every stage repeats what the catalog does not know to be done.
    # Without secure_delete, what is deleted would stand in the file until its place is used again.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")
