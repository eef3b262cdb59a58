"""How much is under way: leases that processes hold, and events that wait for the end of others' work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, case, func, select

from pipelines.catalog import tables


@dataclass(frozen=True, slots=True)
class LeaseCounts:
    """`expired` leases were held by processes that have died; whoever needs the unit next takes them over."""

    held: int
    expired: int


class Workload:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def leases(self) -> LeaseCounts:
        """Those of units and of runs together."""
        is_held = case((tables.leases.c.expires_at >= datetime.now(UTC), 1), else_=0)
        with self._engine.connect() as transaction:
            count, held = transaction.execute(select(func.count(), func.coalesce(func.sum(is_held), 0))).one()
        return LeaseCounts(held=held, expired=count - held)

    def deferred_events(self) -> dict[str, int]:
        """By connection, how many events wait because another process works on their unit, or because it is paused."""
        table = tables.events
        is_deferred = (
            table.c.state == "pending",
            table.c.attempts == 0,
            table.c.waiting_for.is_(None),
            table.c.next_attempt > datetime.now(UTC),
        )
        statement = select(table.c.connection, func.count()).where(*is_deferred).group_by(table.c.connection)
        with self._engine.connect() as transaction:
            return {row[0]: row[1] for row in transaction.execute(statement)}
