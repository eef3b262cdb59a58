"""Fencing: what a process writes on the strength of a lease is refused once the lease is another's.

A process can lose a lease and not know it: it was stopped for a while, its machine slept, the network was away. So it
is not asked whether it believes to hold one. Before each commit the transaction itself reads the leases under which
its thread works, by their fencing tokens, and locks them until it is done: none can be taken over in between. Points
are written to the index only after a commit of what is intended, so that a stale process writes none either.

https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, event, select

from pipelines.catalog import tables
from pipelines.errors import LeaseLost


@dataclass(slots=True, eq=False)
class Lease:
    """A lease that this process has taken. `lost` once it is known to be another's."""

    database: str
    connection: str
    unit: str
    token: int
    lost: bool = False

    @property
    def own_row(self) -> tuple[ColumnElement[bool], ...]:
        """Conditions by which the lease is found as long as nobody else has taken it."""
        table = tables.leases
        return table.c.connection == self.connection, table.c.unit == self.unit, table.c.token == self.token


_held: ContextVar[tuple[Lease, ...]] = ContextVar("held", default=())


@contextmanager
def fenced(lease: Lease) -> Iterator[None]:
    """What this thread commits in the context, it commits on the strength of a lease."""
    before = _held.set((*_held.get(), lease))
    try:
        yield
    finally:
        _held.reset(before)


_OWN_ROW = (
    select(tables.leases.c.token)
    .where(
        tables.leases.c.connection == bindparam("connection"),
        tables.leases.c.unit == bindparam("unit"),
        tables.leases.c.token == bindparam("held"),
    )
    .with_for_update(read=True)
)
"""Made once: it is asked at every commit."""


def require_leases() -> None:
    """Raise LeaseLost if a lease under which this thread works is known to be lost: what follows would be in vain."""
    for lease in _held.get():
        if lease.lost:
            raise LeaseLost(f"{lease.connection}/{lease.unit}")


def refuse_stale_commits(engine: Engine) -> None:
    """Let every commit of a thread that works under leases of this database raise LeaseLost if one is another's."""
    event.listen(engine, "commit", _refuse_if_stale)


def _refuse_if_stale(transaction: Connection) -> None:
    for lease in _held.get():
        if lease.database == str(transaction.engine.url):
            own = {"connection": lease.connection, "unit": lease.unit, "held": lease.token}
            if transaction.execute(_OWN_ROW, own).first() is None:
                lease.lost = True
                raise LeaseLost(f"{lease.connection}/{lease.unit}")
