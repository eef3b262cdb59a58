"""Small loads of a unit and the one that takes their place: which they are, and the transactions in which it does.

The new load is recorded before documents point to it, because its chunks stand under its id. Until then it is one that
is to be looked through (`pipelines.catalog.obsolete`): where the process dies in between, retention finds that no
document needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Engine, Exists, exists, func, select, update

from pipelines.catalog import tables
from pipelines.catalog.conditions import IS_SMALL, IS_UNSEEN, WITHOUT_VERSION, unindexed
from pipelines.catalog.loads import add_load
from pipelines.catalog.obsolete import mark_seen, mark_unseen
from pipelines.catalog.statements import upsert


@dataclass(frozen=True, slots=True)
class SmallLoad:
    """`rows` are those of documents of which it holds the newest version; `bytes` of its file, None: not known yet."""

    id: int
    documents_path: str
    rows: int
    bytes: int | None


class _Moved(Exception):
    """What was copied is not what the catalog knows any more."""


class Compaction:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def units(self, least: int) -> list[tuple[str, str]]:
        """Units (connection, unit) that may have so many small loads; those that wait for retention count, too."""
        table = tables.loads
        unit = (table.c.connection, table.c.unit)
        statement = select(*unit).where(IS_SMALL).group_by(*unit).having(func.count() >= least)
        with self._engine.connect() as transaction:
            return [(row.connection, row.unit) for row in transaction.execute(statement.order_by(*unit))]

    def small_loads(self, connection: str, unit: str, most: int | None = None) -> list[SmallLoad]:
        """The small loads of a unit that documents of it need, so many of the oldest or all, oldest first."""
        table, own = tables.loads, (tables.documents.c.load == tables.loads.c.id, *_of_unit(connection, unit))
        rows = select(func.count()).where(*own).scalar_subquery()
        statement = (
            select(table.c.id, table.c.documents_path, rows.label("rows"), table.c.bytes)
            .where(table.c.connection == connection, table.c.unit == unit, IS_SMALL)
            .where(_is_needed(), ~_is_unseen())
            .order_by(table.c.id)
            .limit(most)
        )
        with self._engine.connect() as transaction:
            return [load for row in transaction.execute(statement) if (load := SmallLoad(*row)).rows]

    def record_size(self, load: int, size: int) -> None:
        """How large a load's file is."""
        with self._engine.begin() as transaction:
            transaction.execute(update(tables.loads).where(tables.loads.c.id == load).values(bytes=size))

    def documents_of(self, connection: str, unit: str, loads: Collection[int]) -> dict[int, set[str]]:
        """The documents of the unit of which these loads hold the newest version, by load."""
        found: dict[int, set[str]] = {}
        table = tables.documents
        statement = select(table.c.load, table.c.id).where(*_of_loads(connection, unit, loads))
        with self._engine.connect() as transaction:
            for load, document in transaction.execute(statement):
                found.setdefault(load, set()).add(document)
        return found

    def add(self, connection: str, unit: str, path: str, rows: int, size: int) -> int:
        """Record a load whose documents are in the landing, and that no document needs yet; returns its id."""
        with self._engine.begin() as transaction:
            load = add_load(transaction, connection, unit, path, rows)
            own = tables.loads.c.id == load
            transaction.execute(update(tables.loads).where(own).values(state="indexed", bytes=size))
            mark_unseen(transaction, load, datetime.now(UTC))
            return load

    def replace(
        self, connection: str, unit: str, copied: Mapping[int, set[str]], load: int, path: str, chunks: int
    ) -> bool:
        """Let documents that were `copied` from loads point to the one that has them and their chunks now. False, and
        nothing is written, where they are not what the catalog knows any more."""
        try:
            with self._engine.begin() as transaction:
                _move(transaction, connection, unit, copied, load)
                _require_indexed(transaction, copied)
                own = tables.loads.c.id == load
                transaction.execute(update(tables.loads).where(own).values(chunks_path=path, chunks=chunks))
                mark_seen(transaction, load)
        except _Moved:
            return False
        return True


def _move(transaction: Connection, connection: str, unit: str, copied: Mapping[int, set[str]], load: int) -> None:
    """The rows that they leave are obsolete. A document that another unit reads in this moment waits, or is waited for:
    by id, as all that mark rows as obsolete take them, so that nobody waits for each other."""
    table, own = tables.documents, _of_loads(connection, unit, copied)
    transaction.execute(select(table.c.id).where(*own).order_by(table.c.id).with_for_update()).all()
    moved = update(table).where(*own).values(load=load).returning(table.c.id, table.c.status)
    is_gone = {row.id: row.status in WITHOUT_VERSION for row in transaction.execute(moved)}
    if is_gone.keys() != set().union(*copied.values()):
        raise _Moved
    now = datetime.now(UTC)
    left = [
        {"load": source, "document": document, "deleted": is_gone[document], "since": now}
        for source, documents in copied.items()
        for document in documents
    ]
    upsert(transaction, tables.obsolete_rows, left)


def _require_indexed(transaction: Connection, loads: Mapping[int, set[str]]) -> None:
    table = tables.loads
    indexed = select(func.count()).where(table.c.id.in_(list(loads)), table.c.state == "indexed", ~_is_unseen())
    if transaction.execute(indexed).scalar_one() != len(loads):
        raise _Moved


def _is_unseen() -> Exists:
    return exists().where(tables.obsolete_rows.c.load == tables.loads.c.id, IS_UNSEEN)


def _is_needed() -> ColumnElement[bool]:
    """Asked of each load by itself: PostgreSQL would go over all documents for many that it is asked of at once."""
    table = tables.documents
    return select(table.c.load).where(table.c.load == tables.loads.c.id).limit(1).scalar_subquery().is_not(None)


def _of_loads(connection: str, unit: str, loads: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    return tables.documents.c.load.in_(list(loads)), *_of_unit(connection, unit)


def _of_unit(connection: str, unit: str) -> tuple[ColumnElement[bool], ...]:
    """Not those that another unit has read since, under a lease of its own."""
    return unindexed(tables.documents.c.connection) == connection, unindexed(tables.documents.c.unit) == unit
