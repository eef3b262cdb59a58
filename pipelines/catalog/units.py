"""The units of each connection, and how far they have been read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select, update

from connectors.model import Cursor, Unit
from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert


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

    def discovered(self, connection: str, source: str, found: Iterable[Unit]) -> None:
        """Keep the units of a complete listing; the connection's others are gone."""
        units = list(found)
        rows = [
            {
                "connection": connection,
                "unit": unit.id,
                "source": source,
                "name": unit.name,
                "url": unit.url,
                "paused": False,
                "gone": False,
            }
            for unit in units
        ]
        with self._engine.begin() as database:
            upsert(database, tables.units, rows, update=("name", "url", "gone"))
            known = select(tables.units.c.unit).where(tables.units.c.connection == connection)
            gone = set(database.execute(known).scalars()) - {unit.id for unit in units}
            for part in in_parts(gone):
                database.execute(
                    update(tables.units)
                    .where(tables.units.c.connection == connection, tables.units.c.unit.in_(part))
                    .values(gone=True)
                )

    def all(self, connection: str | None = None) -> list[UnitState]:
        """Units by connection and name, those that are gone included."""
        statement = select(tables.units).order_by(tables.units.c.connection, tables.units.c.name)
        if connection is not None:
            statement = statement.where(tables.units.c.connection == connection)
        with self._engine.connect() as database:
            return [_state(row._mapping) for row in database.execute(statement)]

    def get(self, connection: str, unit: str) -> UnitState | None:
        statement = select(tables.units).where(tables.units.c.connection == connection, tables.units.c.unit == unit)
        with self._engine.connect() as database:
            row = database.execute(statement).first()
        return _state(row._mapping) if row else None

    def start_listing(self, connection: str, unit: str, listing: str) -> None:
        """Begin a full read: forget the cursor, so that an interrupted one continues from its checkpoints."""
        self._set(connection, unit, cursor=None, listing=listing)

    def synced(self, connection: str, unit: str, error: str | None = None) -> None:
        """Note the end of a sync: its time where it went well, else what stopped it."""
        if error is None:
            self._set(connection, unit, last_sync=datetime.now(UTC), error=None)
        else:
            self._set(connection, unit, error=error)

    def pause(self, connection: str, unit: str | None, paused: bool) -> None:
        self._set(connection, unit, paused=paused)

    def _set(self, connection: str, unit: str | None, **values: object) -> None:
        statement = update(tables.units).where(tables.units.c.connection == connection)
        if unit is not None:
            statement = statement.where(tables.units.c.unit == unit)
        with self._engine.begin() as database:
            database.execute(statement.values(**values))


def move_cursor(database: Connection, connection: str, unit: str, cursor: Cursor) -> None:
    """Continue there next time; in the transaction that records what was read up to it."""
    database.execute(
        update(tables.units)
        .where(tables.units.c.connection == connection, tables.units.c.unit == unit)
        .values(cursor=cursor)
    )


def _state(row: object) -> UnitState:
    fields = dict(row)  # type: ignore[call-overload]
    return UnitState(
        connection=fields["connection"],
        unit=Unit(id=fields["unit"], name=fields["name"], url=fields["url"]),
        cursor=fields["cursor"],
        listing=fields["listing"],
        paused=fields["paused"],
        gone=fields["gone"],
        last_sync=fields["last_sync"],
        error=fields["error"],
    )
