"""Purging: units, or a whole connection, that nothing here is to know of any more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, select, update

from pipelines.catalog import tables
from pipelines.catalog.loads import Load
from pipelines.catalog.outcomes import NO_POINTS
from pipelines.catalog.stamps import raise_stamp
from pipelines.catalog.statements import in_parts

_BY_UNIT = (tables.units, tables.unit_names, tables.documents, tables.parents, tables.loads)
_BY_CONNECTION = (tables.memberships, tables.groups, tables.events, tables.connections)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows the catalog has lost."""

    units: int
    documents: int
    memberships: int


class Purging:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def is_known(self, connection: str) -> bool:
        """Whether the catalog has anything of a connection."""
        with self._engine.connect() as transaction:
            found = (
                transaction.execute(select(table.c.connection).where(table.c.connection == connection).limit(1)).first()
                for table in (*_BY_UNIT, *_BY_CONNECTION)
            )
            return any(row is not None for row in found)

    def units(self, connection: str) -> dict[str, str]:
        """Names of all units of which the catalog has anything, by id; a unit that it has lost goes by its id."""
        names: dict[str, str] = {}
        with self._engine.connect() as transaction:
            for table in (tables.documents, tables.loads):
                ids = select(table.c.unit).where(table.c.connection == connection).distinct()
                names |= {unit: unit for unit in transaction.execute(ids).scalars()}
            table = tables.units
            rows = transaction.execute(select(table.c.unit, table.c.name).where(table.c.connection == connection))
            return names | {row.unit: row.name for row in rows}

    def count_documents(self, connection: str, units: Sequence[str]) -> int:
        """How many documents of these units the ledger has, whatever became of them."""
        with self._engine.connect() as transaction:
            counts = (select(func.count()).where(one) for one in _of_units(tables.documents, connection, units))
            return sum(transaction.execute(one).scalar_one() for one in counts)

    def record_points_removed(self, connection: str, units: Sequence[str]) -> None:
        """The index has no points of these units any more."""
        with self._engine.begin() as transaction:
            for own in _of_units(tables.documents, connection, units):
                transaction.execute(update(tables.documents).where(own).values(NO_POINTS))

    def record_points_removed_of(self, ids: Collection[str]) -> None:
        """The index has no points of these documents any more, if it had any."""
        with self._engine.begin() as transaction:
            for part in in_parts(ids):
                own = (tables.documents.c.id.in_(part), tables.documents.c.chunks > 0)
                transaction.execute(update(tables.documents).where(*own).values(NO_POINTS))

    def loads(self, connection: str, units: Sequence[str]) -> list[Load]:
        """All loads of these units."""
        table = tables.loads
        columns = [table.c[name] for name in Load.__slots__]
        with self._engine.connect() as transaction:
            statements = (select(*columns).where(one) for one in _of_units(table, connection, units))
            return [Load(*row) for one in statements for row in transaction.execute(one)]

    def delete_events(self, connection: str, units: Collection[str] | None) -> int:
        """Remove the events about units and their documents, and those that say of nothing what they are about;
        without `units` all of the connection. Returns how many."""
        table = tables.events
        with self._engine.begin() as transaction:
            own = table.c.connection == connection
            if units is None:
                _delete_attempts(transaction, own)
                return transaction.execute(delete(table).where(own)).rowcount
            rows = transaction.execute(select(table.c.id, table.c.invalidations).where(own)).all()
            inside = _ids_inside(transaction, [one.get("document_id") for _, changes in rows for one in changes], units)
            concerned = [
                event
                for event, changes in rows
                if not changes or any(one["unit"] in units or one["document_id"] in inside for one in changes)
            ]
            deleted = 0
            for ids in in_parts(concerned):
                _delete_attempts(transaction, table.c.id.in_(ids))
                deleted += transaction.execute(delete(table).where(table.c.id.in_(ids))).rowcount
            return deleted

    def empty_log(self) -> None:
        """Let nothing that was deleted stand in SQLite's log, if no other process is reading; PostgreSQL vacuums."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as transaction:
                transaction.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget(self, connection: str, units: Sequence[str], *, after: timedelta, whole: bool, state: bool) -> Forgotten:
        """Remove all rows of these units, once what is published has lost their documents. Their revocations end
        `after` some time, in which readers may still see the state before.

        With `whole` the connection's memberships go, too, and with `state` whether it is paused and what else stands
        of the connection itself.
        """
        with self._engine.begin() as transaction:
            for own in _of_units(tables.loads, connection, units):
                loads = select(tables.loads.c.id).where(own)
                transaction.execute(delete(tables.obsolete_rows).where(tables.obsolete_rows.c.load.in_(loads)))
            for table in (tables.failures, tables.unit_parts):
                _delete_units(transaction, table, connection, units)
            counts = {table.name: _delete_units(transaction, table, connection, units) for table in _BY_UNIT}
            memberships = _delete_all(transaction, tables.memberships, connection) if whole else 0
            if whole:
                for table in _OF_CONNECTION:
                    _delete_all(transaction, table, connection)
            if state:
                _delete_all(transaction, tables.connections, connection)
            _end_revocations(transaction, connection, units, after)
        return Forgotten(counts["units"], counts["documents"], memberships)


_OF_CONNECTION = (
    tables.groups,
    tables.membership_cache,
    tables.source_answers,
    tables.failures,
    tables.unit_parts,
)


def _of_units(table: Table, connection: str, units: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    for part in in_parts(units):
        yield (table.c.connection == connection) & table.c.unit.in_(part)


def _ids_inside(transaction: Connection, ids: Collection[Any], units: Collection[str]) -> set[str]:
    """Those of the documents that are in one of the units."""
    table, found = tables.documents, set[str]()
    for part in in_parts({one for one in ids if one}):
        rows = transaction.execute(select(table.c.id, table.c.unit).where(table.c.id.in_(part)))
        found |= {row.id for row in rows if row.unit in units}
    return found


def _delete_attempts(transaction: Connection, chosen: ColumnElement[bool]) -> None:
    events, attempts = select(tables.events.c.id).where(chosen), tables.event_attempts
    transaction.execute(delete(attempts).where(attempts.c.event.in_(events)))


def _delete_units(transaction: Connection, table: Table, connection: str, units: Sequence[str]) -> int:
    return sum(transaction.execute(delete(table).where(own)).rowcount for own in _of_units(table, connection, units))


def _delete_all(transaction: Connection, table: Table, connection: str) -> int:
    return transaction.execute(delete(table).where(table.c.connection == connection)).rowcount


def _end_revocations(transaction: Connection, connection: str, units: Sequence[str], after: timedelta) -> None:
    now = datetime.now(UTC)
    for table in (tables.revocations, tables.withdrawals):
        for own in _of_units(table, connection, units):
            transaction.execute(update(table).where(own, table.c.ends_at.is_(None)).values(ends_at=now + after))
            transaction.execute(delete(table).where(own, table.c.ends_at <= now))
    raise_stamp(transaction)
