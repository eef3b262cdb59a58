"""How much is under way: leases that processes hold, and events that wait for the end of others' work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, case, func, select

from pipelines.catalog import tables
from pipelines.catalog.claims import CLAIMS, WORKERS
from pipelines.catalog.conditions import IS_PENDING
from pipelines.catalog.processes import shown_name

STALLED_AFTER = timedelta(hours=1)
"""Without anything that was kept. No single wait for a source or backend is longer than some minutes."""


@dataclass(frozen=True, slots=True)
class LeaseCounts:
    """`expired` leases were held by processes that have died; whoever needs the unit next takes them over."""

    held: int
    expired: int


@dataclass(frozen=True, slots=True)
class StalledWork:
    """A process that lives and holds a unit, and has kept nothing of it `since`."""

    connection: str
    unit: str
    holder: str
    since: datetime


class Workload:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def leases(self) -> LeaseCounts:
        """Those of units and of runs together."""
        is_held = case((tables.leases.c.expires_at >= datetime.now(UTC), 1), else_=0)
        counts = select(func.count(), func.coalesce(func.sum(is_held), 0))
        leases = counts.where(tables.leases.c.connection.not_in((CLAIMS, WORKERS)))
        with self._engine.connect() as transaction:
            count, held = transaction.execute(leases).one()
        return LeaseCounts(held=held, expired=count - held)

    def stalled(self, now: datetime | None = None) -> list[StalledWork]:
        """Units whose work does not move any more, although its process renews the lease."""
        now = now or datetime.now(UTC)
        table = tables.leases
        is_held = (table.c.expires_at >= datetime.now(UTC), table.c.since < now - STALLED_AFTER)
        with self._engine.connect() as transaction:
            held = transaction.execute(select(table).where(table.c.connection.not_like("*%"), *is_held)).all()
            found = [
                StalledWork(row.connection, row.unit, shown_name(row.holder), _last_kept(transaction, row))
                for row in held
            ]
        return [one for one in found if one.since < now - STALLED_AFTER]

    def deferred_events(self) -> dict[str, int]:
        """By connection, how many events wait because another process works on their unit, or because it is paused."""
        table = tables.events
        is_deferred = (
            IS_PENDING,
            table.c.attempts == 0,
            table.c.waiting_for.is_(None),
            table.c.next_attempt > datetime.now(UTC),
        )
        statement = select(table.c.connection, func.count()).where(*is_deferred).group_by(table.c.connection)
        with self._engine.connect() as transaction:
            return {row[0]: row[1] for row in transaction.execute(statement)}


def _last_kept(transaction: Connection, lease: Row[Any]) -> datetime:
    """When something of a unit was last kept: a load, or what became of a document; else when the lease was taken."""
    moments: list[datetime] = [lease.since]
    for table, moment in ((tables.loads, tables.loads.c.landed_at), (tables.documents, tables.documents.c.changed_at)):
        of_unit = (table.c.connection == lease.connection, table.c.unit == lease.unit)
        moments += transaction.execute(select(moment).where(*of_unit).order_by(moment.desc()).limit(1)).scalars()
    return max(moments)
