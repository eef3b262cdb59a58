"""The units of each connection, and how far they have been read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, Update, select, update

from connectors.contract import Cursor
from connectors.model import Unit
from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert
from pipelines.catalog.unit_names import record_names


@dataclass(frozen=True, slots=True)
class UnitState:
    connection: str
    unit: Unit
    cursor: Cursor | None
    listing: str | None
    paused: bool
    gone: bool
    last_sync: datetime | None
    error: str | None


class Units:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def replace_listing(self, connection: str, source: str, found: Iterable[Unit]) -> None:
        """Store the units of a complete listing; the connection's others are gone.

        A unit whose name, URL or readers have changed forgets its cursor: all its documents show them, and the
        next read takes in the whole unit.
        """
        units = list(found)
        known = {state.unit.id: state for state in self.all(connection)}
        changed = [unit.id for unit in units if unit.id in known and _shows_change(known[unit.id], unit)]
        rows = [_row(connection, source, unit) for unit in units]
        with self._engine.begin() as transaction:
            upsert(transaction, tables.units, rows, update=("name", "url", "readers", "gone"))
            record_names(
                transaction, connection, (unit for unit in units if unit.id not in known or unit.id in changed)
            )
            for part in in_parts(known.keys() - {unit.id for unit in units}):
                transaction.execute(_of(connection, part).values(gone=True))
            for part in in_parts(changed):
                transaction.execute(_of(connection, part).values(cursor=None))

    def all(self, connection: str | None = None) -> list[UnitState]:
        """Units by connection and name, those that are gone included."""
        statement = select(tables.units).order_by(tables.units.c.connection, tables.units.c.name)
        if connection is not None:
            statement = statement.where(tables.units.c.connection == connection)
        with self._engine.connect() as transaction:
            return [_state(row._mapping) for row in transaction.execute(statement)]

    def gone(self) -> frozenset[tuple[str, str]]:
        """Connection and id of each unit that its source no longer lists."""
        statement = select(tables.units.c.connection, tables.units.c.unit).where(tables.units.c.gone)
        with self._engine.connect() as transaction:
            return frozenset((connection, unit) for connection, unit in transaction.execute(statement))

    def get(self, connection: str, unit: str) -> UnitState | None:
        statement = select(tables.units).where(tables.units.c.connection == connection, tables.units.c.unit == unit)
        with self._engine.connect() as transaction:
            row = transaction.execute(statement).first()
        return _state(row._mapping) if row else None

    def start_listing(self, connection: str, unit: str, listing: str) -> None:
        """Begin a full read: forget the cursor, so that an interrupted one continues from its checkpoints."""
        self._set(connection, unit, cursor=None, listing=listing)

    def record_sync(self, connection: str, unit: str, error: str | None = None) -> None:
        """Record the end of a sync: its time where it went well, else the error that stopped it."""
        if error is None:
            self._set(connection, unit, last_sync=datetime.now(UTC), error=None)
        else:
            self._set(connection, unit, error=error)

    def pause(self, connection: str, unit: str, paused: bool) -> None:
        self._set(connection, unit, paused=paused)

    def _set(self, connection: str, unit: str, **values: object) -> None:
        with self._engine.begin() as transaction:
            transaction.execute(_of(connection, [unit]).values(**values))


def move_cursor(transaction: Connection, connection: str, unit: str, cursor: Cursor) -> None:
    """Let the next read start at `cursor`; in the transaction that records what was read up to it."""
    transaction.execute(
        update(tables.units)
        .where(tables.units.c.connection == connection, tables.units.c.unit == unit)
        .values(cursor=cursor)
    )


def _row(connection: str, source: str, unit: Unit) -> dict[str, object]:
    return {
        "connection": connection,
        "unit": unit.id,
        "source": source,
        "name": unit.name,
        "url": unit.url,
        "readers": list(unit.readers),
        "paused": False,
        "gone": False,
    }


def _of(connection: str, units: Sequence[str]) -> Update:
    return update(tables.units).where(tables.units.c.connection == connection, tables.units.c.unit.in_(units))


def _shows_change(state: UnitState, unit: Unit) -> bool:
    """Whether what documents show of their unit has changed since they were read."""
    readers = sorted(state.unit.readers)
    return state.unit.name != unit.name or state.unit.url != unit.url or readers != sorted(unit.readers)


def _state(row: object) -> UnitState:
    fields = dict(row)  # type: ignore[call-overload]
    return UnitState(
        connection=fields["connection"],
        unit=Unit(fields["unit"], fields["name"], fields["url"], tuple(fields["readers"] or ())),
        cursor=fields["cursor"],
        listing=fields["listing"],
        paused=fields["paused"],
        gone=fields["gone"],
        last_sync=fields["last_sync"],
        error=fields["error"],
    )
