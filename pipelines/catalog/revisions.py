"""Which migration the catalog's tables are at, and the way to another one."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from pipelines.errors import CatalogMismatch, UsageError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0035"
"""Newest migration. Kept here too, so that opening an up-to-date catalog need not import Alembic."""

VERSION_TABLE = "catalog_version"
"""A name of the catalog's own: Dagster keeps `alembic_version`, and may stand in the same database."""

_FORMER_VERSION_TABLE = "alembic_version"
_OWN_REVISION = re.compile(r"\d{4}")
MIGRATION_LOCK = 0x68656164  # any number that is ours alone: names PostgreSQL's advisory lock


@dataclass(frozen=True, slots=True)
class Migration:
    """From which revision the catalog came, None for a new one, and at which it is now."""

    before: str | None
    after: str


def read_revision(engine: Engine) -> str | None:
    """The revision that the tables are at; None if there are none."""
    with engine.connect() as connection:
        return _read_revision(connection)


def migrate(engine: Engine, target: str = HEAD) -> Migration:
    """Bring the tables to a revision, forwards or backwards, one process at a time.

    Raises CatalogMismatch if the tables are at a revision that this program does not know, and UsageError if it does
    not know the target.
    """
    with _one_at_a_time(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        else:
            connection.execute(text("BEGIN IMMEDIATE"))  # Python's driver begins no transaction before DDL
        return _move_to(connection, target)


def _move_to(connection: Connection, target: str) -> Migration:
    if target == HEAD and not _is_begun(connection):
        _create_tables(connection)
        return Migration(None, HEAD)
    from alembic import command

    config = _alembic_config(connection)
    known = _known_revisions(config)
    if target not in known:
        raise UsageError(f"revision {target!r} does not exist; there are {', '.join(known)}")
    _leave_former_table(connection, config)
    before = _read_revision(connection)
    if before is not None and before not in known:
        raise CatalogMismatch(before, HEAD)
    if before is None or known.index(before) < known.index(target):
        command.upgrade(config, target)
    elif before != target:
        command.downgrade(config, target)
    return Migration(before, target)


def _is_begun(connection: Connection) -> bool:
    return bool({"documents", VERSION_TABLE} & set(inspect(connection).get_table_names()))


def _create_tables(connection: Connection) -> None:
    """A new catalog needs no history: https://alembic.sqlalchemy.org/en/latest/cookbook.html#building-an-up-to-date-database-from-scratch

    It costs a fifth of all migrations, and Alembic need not be imported.
    """
    from pipelines.catalog.conditions import metadata  # with the indexes of these

    metadata.create_all(connection)
    key = f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num)"  # as Alembic makes it
    connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, {key})"))
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:head)"), {"head": HEAD})


def _read_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _leave_former_table(connection: Connection, config: Config) -> None:
    """Move the revision out of the table that catalogs shared with Dagster, and leave Dagster's where it is."""
    from alembic import command

    tables = inspect(connection).get_table_names()
    if _FORMER_VERSION_TABLE not in tables or "documents" not in tables or _read_revision(connection):
        return
    rows = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    own = [revision for revision in rows if _OWN_REVISION.fullmatch(revision)]
    if not own:
        return
    command.stamp(config, max(own))
    for revision in own:
        connection.execute(text("DELETE FROM alembic_version WHERE version_num = :own"), {"own": revision})
    if len(own) == len(rows):
        connection.execute(text("DROP TABLE alembic_version"))


def _one_at_a_time(engine: Engine) -> AbstractContextManager[Any]:
    if engine.dialect.name != "sqlite":
        return nullcontext()
    from filelock import FileLock

    return FileLock(f"{engine.url.database}.migration.lock")


def _alembic_config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "pipelines:catalog/migrations")
    config.attributes["connection"] = connection
    return config


def _known_revisions(config: Config) -> list[str]:
    """All revisions, the oldest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
