"""Which worker is at the events of which unit: several share what waits, and none tries what another is at.

A claim is no lease: it keeps nobody from the unit, only other workers from its events. It ends with the pass that took
it, or with its process.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from threading import Thread
from typing import TypeAlias

from sqlalchemy import Connection, Engine, delete, select, update

from pipelines.catalog import tables
from pipelines.catalog.lease_rows import LeaseRows
from pipelines.catalog.processes import LocalProcess
from pipelines.catalog.statements import in_parts, upsert
from pipelines.errors import CatalogUnavailable

Claim: TypeAlias = tuple[str, str]
"""A connection's id, and a unit's; an empty one where an event names none."""

CLAIMS, WORKERS = "*events*", "*workers*"
"""Stand in the place of a connection, of which no one has this id."""
_SECONDS_TO_LEAVE = 2.0


class Claims:
    def __init__(self, engine: Engine, process: LocalProcess) -> None:
        self._engine = engine
        self._process = process
        self._rows = LeaseRows(engine, process)

    def take(self, wanted: Sequence[Claim]) -> set[Claim]:
        """Claim of these, in their order, this worker's share, of what no other living worker is at; returns all of
        them that it has. The share is what leaves as much to each of the others."""
        names = {_name(one): one for one in wanted}
        workers, held = self._living()
        if free := [name for name in names if name not in held]:
            self._process.show_alive()
            with self._engine.begin() as transaction:
                self._insert(transaction, WORKERS, [self._process.id])
                self._insert(transaction, CLAIMS, free[: math.ceil(len(names) / len(workers | {self._process.id}))])
                held = self._held(transaction)
        return {claim for name, claim in names.items() if held.get(name) == self._process.id}

    def workers(self) -> set[str]:
        """The processes that take events, by their ids."""
        return self._living()[0]

    def give_back(self, claims: Collection[Claim]) -> None:
        """Leave the events of these units to any worker."""
        table = tables.leases
        with self._engine.begin() as transaction:
            for part in in_parts(map(_name, claims)):
                own = (table.c.connection == CLAIMS, table.c.process == self._process.id)
                transaction.execute(delete(table).where(*own, table.c.unit.in_(part)))

    def renew(self) -> None:
        """Show that this worker lives, and what it is at, to the others."""
        table = tables.leases
        own = (table.c.connection.in_((CLAIMS, WORKERS)), table.c.process == self._process.id)
        self._process.show_alive()
        with self._engine.begin() as transaction:
            self._insert(transaction, WORKERS, [self._process.id])
            transaction.execute(update(table).where(*own).values(expires_at=self._rows.expiry()))

    def leave(self) -> None:
        """This worker ends. It waits no longer for a catalog that is away than a process may that is told to stop:
        what it leaves then is known to be a dead one's."""
        thread = Thread(target=self._remove_own, name="claims", daemon=True)
        thread.start()
        thread.join(_SECONDS_TO_LEAVE)

    def _remove_own(self) -> None:
        table = tables.leases
        own = (table.c.connection.in_((CLAIMS, WORKERS)), table.c.process == self._process.id)
        with suppress(CatalogUnavailable), self._engine.begin() as transaction:
            transaction.execute(delete(table).where(*own))

    def _living(self) -> tuple[set[str], dict[str, str]]:
        """The workers, and the process of each claim; what dead ones have left is removed."""
        both = self._rows.select().where(tables.leases.c.connection.in_((CLAIMS, WORKERS)))
        with self._engine.connect() as transaction:
            rows = transaction.execute(both).all()
        dead = [row for row in rows if row.process != self._process.id and self._rows.is_dead(row)]
        for row in dead:
            self._rows.remove_dead(row.connection, row.unit)
        living = [row for row in rows if row not in dead]
        workers = {row.process for row in living if row.connection == WORKERS}
        return workers, {row.unit: row.process for row in living if row.connection == CLAIMS}

    @staticmethod
    def _held(transaction: Connection) -> dict[str, str]:
        """The process of each claim."""
        table = tables.leases
        found = transaction.execute(select(table.c.unit, table.c.process).where(table.c.connection == CLAIMS))
        return dict(found.tuples().all())

    def _insert(self, transaction: Connection, kind: str, names: Sequence[str]) -> None:
        """What another process is first to insert stays its own."""
        since, expiry = transaction.execute(select(self._rows.now(), self._rows.expiry())).one()
        common = {
            "connection": kind,
            "holder": self._process.name,
            "process": self._process.id,
            "machine": self._process.machine,
            "since": since,
            "expires_at": expiry,
        }
        upsert(transaction, tables.leases, [common | {"unit": name} for name in names])


def _name(claim: Claim) -> str:
    connection, unit = claim
    return f"{connection}/{unit}"
