"""Events that come to no end by themselves: those that wait for a backend, and dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from pipelines.catalog import tables
from pipelines.catalog.conditions import IS_PENDING
from pipelines.catalog.failures import Cause


@dataclass(frozen=True, slots=True)
class WaitingEvents:
    """Events of a connection that wait for a backend, of which `error` is the trouble of one of them."""

    connection: str
    cause: Cause
    count: int
    since: datetime
    error: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """`since` is when the first of a connection's dead letters was given up; `reason` is that of the newest."""

    connection: str
    count: int
    since: datetime
    reason: str


class UnfinishedEvents:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self) -> list[WaitingEvents]:
        """By connection and backend, what waits for a backend that is away."""
        table = tables.events
        group = (table.c.connection, table.c.waiting_for)
        figures = (func.count(), func.min(table.c.waiting_since), func.max(table.c.reason))
        statement = select(*group, *figures).where(IS_PENDING, table.c.waiting_for.is_not(None))
        with self._engine.connect() as transaction:
            return [WaitingEvents(*row) for row in transaction.execute(statement.group_by(*group))]

    def dead_letters(self) -> list[DeadLetters]:
        """By connection."""
        table = tables.events
        dead = table.c.state == "dead"
        figures = (func.count(), func.min(table.c.finished_at), func.max(table.c.id))
        counted = select(table.c.connection, *figures).where(dead).group_by(table.c.connection)
        with self._engine.connect() as transaction:
            found = transaction.execute(counted).all()
            newest = select(table.c.id, table.c.reason).where(table.c.id.in_([row[3] for row in found]))
            reasons: dict[int, str] = {row.id: row.reason or "" for row in transaction.execute(newest)}
        return [DeadLetters(connection, count, since, reasons[last]) for connection, count, since, last in found]
