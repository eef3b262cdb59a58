"""Withdrawals: text that was taken out of a document, from the moment that is known until what is published lacks it.

A row says what of a document may still be shown: the points of the versions that were read since, and, of those of
before, the points whose text is still there. What else may be in an index, whichever version it is of, is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, bindparam, delete, select, update

from pipelines.catalog import tables
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import in_parts, upsert

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What may still be shown of a document that has lost text: `points` of before, and whole `versions`."""

    points: frozenset[str]
    versions: frozenset[str]

    def permits(self, point: str, version: str | None) -> bool:
        return version in self.versions or point in self.points


class Withdrawals:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_document(self, document: str) -> datetime | None:
        """Since when text is withdrawn from a document, if any is."""
        statement = select(tables.withdrawals.c.since).where(tables.withdrawals.c.document == document)
        with self._engine.connect() as transaction:
            return transaction.execute(statement).scalar()

    def withdraw(self, connection: str, unit: str, document: str, found: Withdrawal, known: str | None) -> bool:
        """Let queries leave out what a document has lost, from the next one on.

        Returns False, and writes nothing, if the catalog has another version of it than `known` by now: which of the
        two is the later, nobody can tell.
        """
        table = tables.documents
        with self._engine.begin() as transaction:
            version = transaction.execute(select(table.c.version).where(table.c.id == document)).scalar()
            if version == known:
                withdraw(transaction, connection, unit, {document: found})
            return version == known

    def carried(self) -> list[tuple[str, datetime]]:
        """Rows that what is written to the index carries, as document and since when. Ask while nobody else can
        write, and before publishing."""
        table, documents = tables.withdrawals, tables.documents
        indexed = (documents.c.indexed_version, documents.c.indexed_readers)
        statement = (
            select(table.c.document, table.c.since, table.c.versions, *indexed)
            .outerjoin(documents, documents.c.id == table.c.document)
            .where(table.c.ends_at.is_(None))
        )
        with self._engine.connect() as transaction:
            rows = transaction.execute(statement).all()
        return [
            (document, since)
            for document, since, versions, indexed_version, indexed_readers in rows
            # A reindex forgets which version was indexed, and not whom its points name.
            if indexed_version in versions or (indexed_version is None and not indexed_readers)
        ]

    def end(self, carried: Sequence[tuple[str, datetime]], after: timedelta = timedelta()) -> None:
        """What is published carries these now: they end, `after` some time where readers may still see the state
        before. One that was written again meanwhile stays."""
        table, now = tables.withdrawals, datetime.now(UTC)
        with self._engine.begin() as transaction:
            if carried:
                rows = [{"this_document": document, "this_since": since} for document, since in carried]
                transaction.execute(update(table).where(_this_row()).values(ends_at=now + after), rows)
            if ended := transaction.execute(delete(table).where(table.c.ends_at <= now)).rowcount:
                raise_stamp(transaction)
                logger.info("%d withdrawals end: what is published carries them", ended)


def withdraw(transaction: Connection, connection: str, unit: str, found: Mapping[str, Withdrawal]) -> None:
    """Documents have lost text: of their points so far, and of their versions, only these lack it."""
    if not found:
        return
    now, before = datetime.now(UTC), _rows(transaction, found)
    rows = [
        {
            "document": document,
            "connection": connection,
            "unit": unit,
            "points": sorted(one.points & set(before[document].points) if document in before else one.points),
            "versions": sorted(one.versions),
            "since": now,
            "ends_at": None,
        }
        for document, one in found.items()
    ]
    upsert(transaction, tables.withdrawals, rows, update=("points", "versions", "since", "ends_at"))
    raise_stamp(transaction)
    logger.info("%s/%s: text withdrawn from %d documents", connection, unit, len(found))


def permit_versions(transaction: Connection, versions: Mapping[str, str], read_since: datetime) -> set[str]:
    """What a read that began at `read_since` shows of documents may be shown. Returns those that have lost text since:
    the read may be of before."""
    table, overtaken = tables.withdrawals, set[str]()
    if transaction.execute(select(table.c.document).limit(1)).first() is None:
        return overtaken  # the usual case
    for document, row in _rows(transaction, versions).items():
        if versions[document] in row.versions:
            continue
        if row.since >= read_since:
            overtaken.add(document)
        else:
            more = {"versions": sorted({*row.versions, versions[document]})}
            transaction.execute(update(table).where(table.c.document == document).values(more))
            raise_stamp(transaction)
    return overtaken


def load_withdrawals(transaction: Connection) -> dict[str, Withdrawal]:
    """All that is in force, by document."""
    table = tables.withdrawals
    rows = transaction.execute(select(table.c.document, table.c.points, table.c.versions))
    return {row.document: Withdrawal(frozenset(row.points), frozenset(row.versions)) for row in rows}


def _rows(transaction: Connection, documents: Mapping[str, object]) -> dict[str, Row[Any]]:
    table = tables.withdrawals
    parts = in_parts(documents)
    return {
        row.document: row
        for part in parts
        for row in transaction.execute(select(table).where(table.c.document.in_(part)))
    }


def _this_row() -> ColumnElement[bool]:
    """A row as it was read: one that was written again since is another."""
    table = tables.withdrawals
    return and_(table.c.document == bindparam("this_document"), table.c.since == bindparam("this_since"))
