"""One process at a time works on a unit, and a dead one loses its lease.

On one machine the operating system says which process has died (`pipelines.catalog.processes`), and no clock. Of
another machine only the time tells that a lease has left, by the clock of the database: it is one for all. Whoever
holds a lease writes under its fencing token (`pipelines.catalog.fencing`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4
from weakref import WeakSet

from sqlalchemy import Connection, Engine, Row, delete, insert, update
from sqlalchemy.exc import IntegrityError

from pipelines.catalog import tables
from pipelines.catalog.claims import CLAIMS, WORKERS
from pipelines.catalog.fencing import Lease, fenced
from pipelines.catalog.lease_keeper import LeaseKeeper
from pipelines.catalog.lease_rows import LeaseRows
from pipelines.catalog.processes import LocalProcess, shown_name
from pipelines.catalog.statements import upsert
from pipelines.errors import UnitBusy

SECONDS_FOR_UNITS = 600.0
"""How long whoever wants all units waits for those on which others work."""

_SECONDS_BETWEEN_LOOKS = 1.0
_TOKENS = "fencing tokens"
"""Name of the stamp that counts them."""
_ALL = ("*", "*")
"""Stands for all units; no connection has this id."""
_REINDEX = ("*", "reindex")
_RUNS = "*runs*"
"""Stands before the ids of runs, which are no units and keep nobody from one."""
_NO_UNITS = (_ALL[0], _RUNS, CLAIMS, WORKERS)

_opened: WeakSet[Leases] = WeakSet()


def release_leases() -> None:
    """Give back all that this process holds, for one that ends at once. Raises CatalogUnavailable."""
    for leases in list(_opened):
        leases.release_all()


class Leases:
    def __init__(self, engine: Engine, process: LocalProcess) -> None:
        self._engine = engine
        self._process = process
        self._rows = LeaseRows(engine, process)
        self._keeper = LeaseKeeper(engine, self._rows)
        _opened.add(self)

    @contextmanager
    def hold(self, connection: str, unit: str) -> Iterator[None]:
        """Work on a unit alone. Raises UnitBusy if a living process holds it, or all units."""
        with self._hold(connection, unit) as lease, fenced(lease):
            all_units = self._rows.find(*_ALL)
            if all_units and all_units.process != self._process.id and not self._rows.is_dead(all_units):
                raise _busy(connection, unit, all_units)
            yield

    @contextmanager
    def hold_all(self) -> Iterator[None]:
        """Work on all units alone: none is taken from here on, and those that are held are waited for. Raises UnitBusy
        if a living process goes on holding one."""
        with self._hold(*_ALL) as lease, fenced(lease):
            deadline = time.monotonic() + SECONDS_FOR_UNITS
            while busy := self._busy_unit():
                if time.monotonic() >= deadline:
                    raise _busy(busy.connection, busy.unit, busy)
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            yield

    @contextmanager
    def hold_reindex(self) -> Iterator[None]:
        """Build another version of the index alone. Raises UnitBusy if a living process does."""
        with self._hold(*_REINDEX) as lease, fenced(lease):
            yield

    def is_reindexing(self) -> bool:
        """Whether a living process builds another version of the index."""
        row = self._rows.find(*_REINDEX)
        return row is not None and not self._rows.is_dead(row)

    @contextmanager
    def hold_run(self, run: str) -> Iterator[None]:
        """Show that this process works on a run, of which others may work on other steps."""
        with self._hold(_RUNS, f"{run}/{uuid4().hex}"):
            yield

    @contextmanager
    def hold_step(self, run: str, step: str) -> Iterator[None]:
        """Work on a step of a run alone. Raises UnitBusy if a living process does."""
        with self._hold(_RUNS, f"{run}/{step}"):
            yield

    def forget_dead_step(self, run: str, step: str) -> bool:
        """Whether the process that worked on a step has died; what it has left is removed, so that it is told once."""
        row = self._rows.find(_RUNS, f"{run}/{step}")
        if row is None or not self._rows.is_dead(row):
            return False
        self._rows.remove_dead(_RUNS, row.unit)
        return True

    def is_run_alive(self, run: str) -> bool | None:
        """Whether a process that works on a run is alive; None if none has begun, or all have finished."""
        rows = self._of_run(run)
        return any(not self._rows.is_dead(row) for row in rows) if rows else None

    def forget_run(self, run: str) -> None:
        """Remove what dead processes have left that worked on a run."""
        for row in self._of_run(run):
            self._rows.remove_dead(_RUNS, row.unit)

    def refuse_stale(self) -> None:
        """Raise LeaseLost if a lease under which this thread works is another's, before something is written elsewhere
        than in the catalog, whose own commits ask by themselves."""
        with self._engine.begin():
            pass

    def release_all(self) -> None:
        with self._engine.begin() as transaction:
            transaction.execute(delete(tables.leases).where(tables.leases.c.process == self._process.id))

    def close(self) -> None:
        _opened.discard(self)
        self._process.remove_traces(self._process.id)

    @contextmanager
    def _hold(self, connection: str, unit: str) -> Iterator[Lease]:
        lease = self._acquire(connection, unit)
        self._keeper.keep(lease)
        try:
            yield lease
        finally:
            self._keeper.release(lease)

    def _acquire(self, connection: str, unit: str) -> Lease:
        self._process.show_alive()
        for _ in range(2):
            try:
                with self._engine.begin() as transaction:
                    return self._insert(transaction, connection, unit)
            except IntegrityError:
                self._rows.remove_dead(connection, unit)
        raise _busy(connection, unit, self._rows.find(connection, unit))

    def _insert(self, transaction: Connection, connection: str, unit: str) -> Lease:
        lease = Lease(str(self._engine.url), connection, unit, _next_token(transaction))
        row: dict[str, Any] = {
            "connection": connection,
            "unit": unit,
            "holder": self._process.name,
            "process": self._process.id,
            "machine": self._process.machine,
            "token": lease.token,
            "since": self._rows.now(),
            "expires_at": self._rows.expiry(),
        }
        transaction.execute(insert(tables.leases).values(row))
        return lease

    def _busy_unit(self) -> Row[Any] | None:
        """A unit on which a living process works."""
        units = self._rows.select().where(tables.leases.c.connection.not_in(_NO_UNITS))
        with self._engine.connect() as transaction:
            rows = transaction.execute(units).all()
        return next((row for row in rows if not self._rows.is_dead(row)), None)

    def _of_run(self, run: str) -> Sequence[Row[Any]]:
        table = tables.leases
        own = (table.c.connection == _RUNS, table.c.unit.startswith(f"{run}/", autoescape=True))
        with self._engine.connect() as transaction:
            return transaction.execute(self._rows.select().where(*own)).all()


def _next_token(transaction: Connection) -> int:
    upsert(transaction, tables.stamps, [{"name": _TOKENS, "value": 0}])
    table = tables.stamps
    raised = update(table).where(table.c.name == _TOKENS).values(value=table.c.value + 1)
    token: int = transaction.execute(raised.returning(table.c.value)).scalar_one()
    return token


def _busy(connection: str, unit: str, holder: Row[Any] | None) -> UnitBusy:
    name = f"{connection}/{unit}"
    return (
        UnitBusy(name, shown_name(holder.holder), holder.since) if holder else UnitBusy(name, "one that has just ended")
    )
