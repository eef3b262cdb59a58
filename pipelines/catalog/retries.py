"""What failed and is tried again: which documents, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, and_, or_, select

from pipelines.catalog import tables
from pipelines.catalog.conditions import HAS_FAILED, HAS_NEXT_ATTEMPT
from pipelines.catalog.outcomes import (
    time_until_next,
)

NOT_ADMITTED = "not-admitted/"
"""Follows the connection in the id of an item that has none of its own: the source cannot be asked for it."""
_ATTEMPTS_AT_EVERY_SYNC = 8
"""So often a document that nobody sees is tried again without waiting, which is two hours of syncs."""


class Retries:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, connection: str, unit: str) -> list[str]:
        """Failed documents that a sync tries again: those whose next attempt has come, and those that nobody sees
        because of it, unless they have failed often."""
        return self._ids(connection, unit, *_is_due(connection))

    def units_due(self, connection: str) -> set[str]:
        """The units in which a document is `due`."""
        table = tables.documents
        statement = select(table.c.unit).where(table.c.connection == connection, *_is_due(connection)).distinct()
        with self._engine.connect() as transaction:
            return set(transaction.execute(statement).scalars())

    def due_by_unit(self, connection: str) -> dict[str, list[str]]:
        """The failed documents of a connection whose next attempt has come, by unit."""
        table = tables.documents
        due = (table.c.connection == connection, *_has_failed(connection), _has_waited())
        statement = select(table.c.unit, table.c.id).where(*due)
        found: dict[str, list[str]] = {}
        with self._engine.connect() as transaction:
            for unit, document_id in transaction.execute(statement.order_by(table.c.id)):
                found.setdefault(unit, []).append(document_id)
        return found

    def unfound(self, connection: str, unit: str) -> list[str]:
        """Those that a sync looks for once more: they were not found, and nobody has said that they are gone."""
        return self._ids(connection, unit, tables.documents.c.status == "deleted", HAS_NEXT_ATTEMPT)

    def failed(self, connection: str, unit: str) -> list[str]:
        """All failed documents of a unit that are tried again some time, first the one whose turn is next."""
        return self._retried(connection, unit)

    def unread(self, connection: str, unit: str) -> list[str]:
        """As `failed`, of those that the source did not give: what is to be chunked or embedded of others, it has
        given."""
        return self._retried(connection, unit, tables.documents.c.version.is_(None))

    def last_attempt(self, connection: str, unit: str) -> datetime | None:
        """When one of the `failed` documents was tried last, as their next attempts show; None if there is none."""
        table = tables.documents
        statement = select(table.c.attempts, table.c.next_attempt).where(*_is_retried(connection, unit)).distinct()
        with self._engine.connect() as transaction:
            found = transaction.execute(statement).all()
        return max((following - time_until_next(attempts) for attempts, following in found), default=None)

    def _retried(self, connection: str, unit: str, *conditions: ColumnElement[bool]) -> list[str]:
        table = tables.documents
        turns = (table.c.next_attempt, table.c.id)
        statement = select(table.c.id).where(*_is_retried(connection, unit), *conditions).order_by(*turns)
        with self._engine.connect() as transaction:
            return list(transaction.execute(statement).scalars())

    def _ids(self, connection: str, unit: str, *conditions: ColumnElement[bool]) -> list[str]:
        table = tables.documents
        statement = select(table.c.id).where(table.c.connection == connection, table.c.unit == unit, *conditions)
        with self._engine.connect() as transaction:
            return list(transaction.execute(statement.order_by(table.c.id)).scalars())


def _has_failed(connection: str) -> tuple[ColumnElement[bool], ...]:
    """A failed object; what has no id of its own waits for the next full read."""
    table = tables.documents
    return HAS_FAILED, ~table.c.id.contains(f":{connection}/{NOT_ADMITTED}", autoescape=True)


def _is_due(connection: str) -> tuple[ColumnElement[bool], ...]:
    table = tables.documents
    is_missed = and_(table.c.hidden.is_not(None), table.c.attempts <= _ATTEMPTS_AT_EVERY_SYNC)
    return (*_has_failed(connection), or_(_has_waited(), is_missed))


def _is_retried(connection: str, unit: str) -> tuple[ColumnElement[bool], ...]:
    """A failed document of a unit that is tried again some time."""
    table = tables.documents
    own = (table.c.connection == connection, table.c.unit == unit)
    return (*own, *_has_failed(connection), HAS_NEXT_ATTEMPT)


def _has_waited() -> ColumnElement[bool]:
    return tables.documents.c.next_attempt <= datetime.now(UTC)
