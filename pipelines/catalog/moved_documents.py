"""Documents that were read in another unit than what is published says, until that says so too.

Points name the unit that a document was in when they were written. What happens to the unit that it is in now concerns
it as well, however long its text waits to be embedded or published.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, bindparam, delete, or_, select, update

from pipelines.catalog import tables
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import in_parts, upsert

logger = logging.getLogger(__name__)

MOVED = "in another unit now, which has not read it yet"
"""Why nobody may see a document that its source says to be elsewhere, until that unit has read it."""


class MovedDocuments:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def units(self, connection: str) -> dict[str, str]:
        """The units that moved documents of a connection are in now, by document."""
        with self._engine.connect() as transaction:
            return {row.id: row.unit for row in transaction.execute(_moved()) if row.connection == connection}

    def carried(self) -> list[tuple[str, datetime]]:
        """Rows that what is written to the index carries, as document and since when. Ask while nobody else can
        write, and before publishing."""
        table, documents = tables.moved_documents, tables.documents
        indexed = (documents.c.version, documents.c.indexed_version, documents.c.indexed_readers)
        statement = (
            select(table.c.document, table.c.since, *indexed)
            .outerjoin(documents, documents.c.id == table.c.document)
            .where(table.c.ends_at.is_(None))
        )
        with self._engine.connect() as transaction:
            rows = transaction.execute(statement).all()
        # A version is a hash over the unit, too: points of the version read last name the unit of now. A reindex
        # forgets which version was indexed, and not whom its points name.
        return [
            (row.document, row.since)
            for row in rows
            if (row.indexed_version == row.version if row.indexed_version else not row.indexed_readers)
        ]

    def end(self, carried: Sequence[tuple[str, datetime]], after: timedelta = timedelta()) -> None:
        """What is published carries these now: they end, `after` some time where readers may still see the state
        before. One that moved again meanwhile stays."""
        table, now = tables.moved_documents, datetime.now(UTC)
        own = and_(table.c.document == bindparam("this_document"), table.c.since == bindparam("this_since"))
        with self._engine.begin() as transaction:
            if carried:
                rows = [{"this_document": document, "this_since": since} for document, since in carried]
                transaction.execute(update(table).where(own).values(ends_at=now + after), rows)
            if ended := transaction.execute(delete(table).where(table.c.ends_at <= now)).rowcount:
                raise_stamp(transaction)
                logger.info("%d documents are published in the units that they have moved to", ended)


def record_moved(transaction: Connection, unit: str, ids: Iterable[str]) -> None:
    """Documents are about to be recorded in this unit: those that the catalog knows in another one have moved."""
    table, now = tables.documents, datetime.now(UTC)
    for part in in_parts(ids):
        elsewhere = (table.c.id.in_(part), table.c.unit != unit)
        found = transaction.execute(select(table.c.id).where(*elsewhere, may_have_points())).scalars().all()
        rows = [{"document": one, "since": now, "ends_at": None} for one in found]
        if rows:
            upsert(transaction, tables.moved_documents, rows, update=("since", "ends_at"))
            raise_stamp(transaction)


def hand_over(transaction: Connection, connection: str, unit: str, document: str, to: str) -> bool:
    """Let a document of a unit be another's, which has read no version of it yet. Returns False where it is none of
    that unit's."""
    table = tables.documents
    own = (table.c.connection == connection, table.c.unit == unit, table.c.id == document, table.c.status != "deleted")
    if transaction.execute(select(table.c.id).where(*own)).first() is None:
        return False
    record_moved(transaction, to, [document])
    values = {"unit": to, "listing": None, "version": None, "hidden": MOVED}
    transaction.execute(update(table).where(*own).values(values))
    return True


def load_moved(transaction: Connection) -> dict[str, str]:
    """The units that moved documents are in now, by document."""
    return {row.id: row.unit for row in transaction.execute(_moved()) if row.id}


def may_have_points() -> ColumnElement[bool]:
    """A document whose readers in the index were never recorded was indexed by an earlier release, or not at all."""
    table = tables.documents
    return or_(table.c.indexed_readers.is_not(None), table.c.chunks > 0)


def has_moved(transaction: Connection, connection: str) -> bool:
    """Whether any document of a connection has moved of late."""
    return any(row.connection == connection for row in transaction.execute(_moved()))


def _moved() -> Select[tuple[str, str, str]]:
    """All of them, which are few. Asked for those of a connection, a database may go over its documents instead."""
    table, documents = tables.moved_documents, tables.documents
    columns = (documents.c.id, documents.c.connection, documents.c.unit)
    return select(*columns).select_from(table).outerjoin(documents, documents.c.id == table.c.document)
