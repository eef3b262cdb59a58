"""The rows of leases, and whether the process of one is still alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Interval, Row, delete, func, literal, select

from pipelines.catalog import tables
from pipelines.catalog.processes import LocalProcess

LEASE = timedelta(seconds=75)
"""How long a holder on another machine is believed to be alive without a sign of life: a dead run is to be known as
dead within two minutes, and the sensor that looks takes 30 seconds of them."""


class LeaseRows:
    """As this process sees them."""

    def __init__(self, engine: Engine, process: LocalProcess) -> None:
        self._engine = engine
        self._process = process

    def select(self) -> Any:
        """All of them, with whether their time is over."""
        return select(tables.leases, (tables.leases.c.expires_at < self.now()).label("expired"))

    def find(self, connection: str, unit: str) -> Row[Any] | None:
        with self._engine.connect() as transaction:
            return transaction.execute(self.select().where(*_of(connection, unit))).first()

    def is_dead(self, row: Row[Any]) -> bool:
        """Whether the process that holds a lease has died, as the operating system or else the time tells."""
        died = self._process.has_died(row.process, row.machine)
        return bool(row.expired) if died is None else died

    def remove_dead(self, connection: str, unit: str) -> None:
        """Remove a lease whose process has died."""
        row = self.find(connection, unit)
        if row is None or not self.is_dead(row):
            return
        with self._engine.begin() as transaction:
            # Another process may have taken the lease in the meantime, or its holder have renewed it.
            same = (tables.leases.c.token == row.token, tables.leases.c.expires_at == row.expires_at)
            transaction.execute(delete(tables.leases).where(*_of(connection, unit), *same))
            left = select(tables.leases.c.unit).where(tables.leases.c.process == row.process)
            is_last = transaction.execute(left).first() is None
        if is_last and row.process:
            self._process.remove_traces(row.process)

    def now(self) -> ColumnElement[Any]:
        """The database's time, which on PostgreSQL is not this machine's; a SQLite file is on this machine."""
        if self._engine.dialect.name == "postgresql":
            return func.clock_timestamp()
        return literal(datetime.now(UTC), tables.UtcTime())

    def expiry(self) -> ColumnElement[Any]:
        """When a lease that is taken or renewed now is over."""
        if self._engine.dialect.name == "postgresql":
            return func.clock_timestamp() + literal(LEASE, Interval())
        return literal(datetime.now(UTC) + LEASE, tables.UtcTime())


def _of(connection: str, unit: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (tables.leases.c.connection == connection, tables.leases.c.unit == unit)
