"""Rows of the landing that nothing needs any more: which they are, since when, and which are to leave it.

A row becomes obsolete in the transaction that records a newer version of its document, or that it is gone. Reindexing
needs the newest version of each document that is there, and no other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)

from pipelines.catalog import tables
from pipelines.catalog.conditions import HAS_DELETED_TITLE, IS_UNSEEN, WITHOUT_VERSION
from pipelines.catalog.loads import Load
from pipelines.catalog.statements import in_parts, upsert

_UNSEEN = ""
"""Stands for all documents of a load of which the file says which are obsolete: of one that an earlier release has
written, or that was to take the place of others."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What became obsolete, or was deleted, at or before these times is to go."""

    superseded: datetime
    deleted: datetime

    @classmethod
    def at(cls, now: datetime, *, superseded_days: int, deleted_days: int) -> Retention:
        return cls(now - timedelta(days=superseded_days), now - timedelta(days=deleted_days))


class ObsoleteRows:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, retention: Retention) -> list[Load]:
        """Loads with rows that are to go, or that are to be looked through, oldest first."""
        table, loads = tables.obsolete_rows, tables.loads
        ways = (*_ways_to_be_due(retention), IS_UNSEEN)
        waiting = union(*(select(table.c.load).where(way) for way in ways))
        columns = (loads.c[name] for name in Load.__slots__)
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(*columns).where(loads.c.id.in_(waiting)).order_by(loads.c.id))
            return [Load(*row) for row in rows]

    def is_unseen(self, load: int) -> bool:
        """Whether the load is to be looked through."""
        table = tables.obsolete_rows
        with self._engine.connect() as transaction:
            return transaction.execute(select(table).where(*_of(load, _UNSEEN))).first() is not None

    def record_seen(self, load: int, documents: Collection[str], now: datetime) -> None:
        """The file of a load has rows of these documents. What the catalog does not know is left alone."""
        table = tables.documents
        with self._engine.begin() as transaction:
            for part in in_parts(documents):
                known = select(table.c.id, table.c.status, table.c.load).where(table.c.id.in_(part))
                found = transaction.execute(known).all()
                gone = [one for one in found if one.load != load]
                rows = [
                    {"load": load, "document": one.id, "deleted": one.status in WITHOUT_VERSION, "since": now}
                    for one in gone
                ]
                upsert(transaction, tables.obsolete_rows, rows)
            mark_seen(transaction, load)

    def documents_due(self, load: int, retention: Retention) -> set[str]:
        """Documents whose rows in a load are to go."""
        table = tables.obsolete_rows
        statement = select(table.c.document).where(table.c.load == load, _is_due(retention))
        with self._engine.connect() as transaction:
            return set(transaction.execute(statement).scalars())

    def record_removed(self, load: Load, documents: Collection[str], rows_left: int) -> None:
        """The files of a load have no rows of these documents any more; a load without rows is none."""
        loads = tables.loads
        with self._engine.begin() as transaction:
            for part in in_parts(documents):
                transaction.execute(delete(tables.obsolete_rows).where(*_of(load.id, *part)))
            if rows_left:
                transaction.execute(update(loads).where(loads.c.id == load.id).values(documents=rows_left))
                return
            # A file that is missing, where documents need it, is trouble of another kind.
            needed = exists().where(tables.documents.c.load == load.id)
            if transaction.execute(delete(loads).where(loads.c.id == load.id, ~needed)).rowcount:
                transaction.execute(delete(tables.obsolete_rows).where(tables.obsolete_rows.c.load == load.id))

    def newest_of(self, documents: Iterable[str]) -> list[tuple[str, str, int]]:
        """Id, connection and load of those of these documents that are there."""
        return self._newest(tables.documents.c.id, documents)

    def newest_with_title(self, titles: Iterable[str]) -> list[tuple[str, str, int]]:
        """Id, connection and load of the documents that have one of these titles and are there."""
        return self._newest(tables.documents.c.title, titles)

    def _newest(self, column: Column[str], values: Iterable[str]) -> list[tuple[str, str, int]]:
        table, found = tables.documents, list[tuple[str, str, int]]()
        with self._engine.connect() as transaction:
            for part in in_parts(values):
                where = (column.in_(part), table.c.status.not_in(WITHOUT_VERSION), table.c.load.is_not(None))
                rows = transaction.execute(select(table.c.id, table.c.connection, table.c.load).where(*where))
                found += [(row.id, row.connection, row.load) for row in rows]
        return found

    def count_titles(self, retention: Retention) -> int:
        """How many titles `forget_titles` would forget."""
        with self._engine.connect() as transaction:
            return transaction.execute(select(func.count()).where(*_has_old_title(retention))).scalar_one()

    def forget_titles(self, retention: Retention) -> int:
        """The ledger goes on naming deleted documents by id and URL, and not by title; returns how many."""
        with self._engine.begin() as transaction:
            statement = update(tables.documents).where(*_has_old_title(retention)).values(title="")
            return transaction.execute(statement).rowcount


def mark_obsolete(transaction: Connection, outcomes: Iterable[tuple[str, bool]], now: datetime) -> None:
    """The rows that documents have in the landing are obsolete: newer ones are there, or, where the flag says so, the
    document is gone. In the transaction that records it, and before it does."""
    table = tables.documents
    for part in in_parts(outcomes):
        gone = [document for document, deleted in part if deleted]
        _mark(transaction, table.c.id.in_([document for document, _ in part]), table.c.id.in_(gone), now)


def mark_unseen(transaction: Connection, load: int, now: datetime) -> None:
    """A load is to be looked through for rows that are obsolete."""
    row = {"load": load, "document": _UNSEEN, "deleted": True, "since": now}
    transaction.execute(insert(tables.obsolete_rows).values(row))


def mark_seen(transaction: Connection, load: int) -> None:
    """Which rows of a load are obsolete is known."""
    transaction.execute(delete(tables.obsolete_rows).where(*_of(load, _UNSEEN)))


def mark_unit_obsolete(transaction: Connection, connection: str, unit: str, now: datetime) -> None:
    """The rows of all documents of a unit are obsolete, because they are removed."""
    table = tables.documents
    own = and_(table.c.connection == connection, table.c.unit == unit, table.c.status != "deleted")
    _mark(transaction, own, literal(True), now)


def _mark(transaction: Connection, which: ColumnElement[bool], deleted: ColumnElement[bool], now: datetime) -> None:
    table = tables.documents
    flag = case((deleted, literal(True)), else_=literal(False))
    rows = select(table.c.load, table.c.id, flag, literal(now, tables.UtcTime)).where(which, table.c.load.is_not(None))
    # Where their load is being united with others, the row that they have then is the one.
    rows = rows.order_by(table.c.id).with_for_update()
    transaction.execute(insert(tables.obsolete_rows).from_select(["load", "document", "deleted", "since"], rows))


def _is_due(retention: Retention) -> ColumnElement[bool]:
    return or_(*_ways_to_be_due(retention))


def _ways_to_be_due(retention: Retention) -> list[ColumnElement[bool]]:
    """Each is looked up in an index of its own."""
    table, documents = tables.obsolete_rows, tables.documents
    own = documents.c.id == table.c.document
    left_over = and_(table.c.document != _UNSEEN, ~exists().where(own, documents.c.load == table.c.load))
    superseded = and_(table.c.deleted.is_(False), left_over)
    ways = [
        and_(superseded, table.c.since <= retention.superseded),
        and_(table.c.deleted.is_(True), table.c.since <= retention.deleted, left_over),
    ]
    if retention.deleted > retention.superseded:
        # Older versions of a document that is gone go with its last one.
        gone = exists().where(own, documents.c.status.in_(WITHOUT_VERSION), documents.c.changed_at <= retention.deleted)
        ways.append(and_(superseded, gone))
    return ways


def _has_old_title(retention: Retention) -> tuple[ColumnElement[bool], ...]:
    table = tables.documents
    return HAS_DELETED_TITLE, table.c.changed_at <= retention.deleted


def _of(load: int, *documents: str) -> tuple[ColumnElement[bool], Any]:
    table = tables.obsolete_rows
    return table.c.load == load, table.c.document.in_(documents)
