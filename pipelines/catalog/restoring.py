"""Restoring: what is written where catalog, landing and index do not agree, because one of them was lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, Engine, delete, exists, select, update

from pipelines.catalog import tables
from pipelines.catalog.loads import Load, add_load
from pipelines.catalog.outcomes import Outcome, record
from pipelines.catalog.revocations import EVERYBODY, Revocation, revoke
from pipelines.catalog.statements import in_parts, upsert

NOT_READ_SINCE = "the catalog was restored, and who may read it has not been told since"

_STAMP = "restoring"
"""Stands in the table of stamps from the first unit that is restored until the index agrees."""


class Restoring:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def is_blank(self) -> bool:
        """Whether no unit was ever listed here."""
        with self._engine.connect() as transaction:
            return not transaction.execute(select(exists().select_from(tables.units))).scalar_one()

    def is_under_way(self) -> bool:
        """Whether the catalog was lost, and is not whole yet."""
        stamps = tables.stamps
        with self._engine.connect() as transaction:
            return transaction.execute(select(stamps.c.value).where(stamps.c.name == _STAMP)).first() is not None

    def is_lost(self) -> bool:
        """Whether it is blank or not whole yet: lost, where landing or index hold anything."""
        return self.is_under_way() or self.is_blank()

    def finish(self) -> None:
        """The catalog is whole."""
        with self._engine.begin() as transaction:
            transaction.execute(delete(tables.stamps).where(tables.stamps.c.name == _STAMP))

    def add_load(self, connection: str, source: str, unit: str, path: str, outcomes: Sequence[Outcome]) -> None:
        """Record a file of the landing, after those that are older. Nobody may see what stands in it before its source
        was read again: who may, the catalog alone knew."""
        with self._engine.begin() as transaction:
            upsert(transaction, tables.stamps, [{"name": _STAMP, "value": 1}])
            _add_unit(transaction, connection, source, unit)
            load = add_load(transaction, connection, unit, path, len(outcomes))
            record(transaction, connection, unit, outcomes, load=load, listing=None)
            own = tables.documents.c.load == load
            transaction.execute(update(tables.documents).where(own).values(readers=(), hidden=NOT_READ_SINCE))

    def add_unit(self, connection: str, source: str, unit: str) -> None:
        """A unit of which only the id is known; nobody sees it before it is listed."""
        with self._engine.begin() as transaction:
            _add_unit(transaction, connection, source, unit)

    def origin_of(self, ids: Iterable[str]) -> tuple[str, str, str] | None:
        """Connection, source and unit of the first of these documents that is known."""
        table, units = tables.documents, tables.units
        same = (units.c.connection == table.c.connection) & (units.c.unit == table.c.unit)
        columns = (table.c.connection, units.c.source, table.c.unit)
        with self._engine.connect() as transaction:
            for part in in_parts(ids):
                found = transaction.execute(select(*columns).join(units, same).where(table.c.id.in_(part))).first()
                if found:
                    return found[0], found[1], found[2]
        return None

    def loads(self) -> list[Load]:
        """All loads."""
        columns = (tables.loads.c[name] for name in Load.__slots__)
        with self._engine.connect() as transaction:
            return [Load(*row) for row in transaction.execute(select(*columns).order_by(tables.loads.c.id))]

    def forget_loads(self, loads: Collection[Load]) -> int:
        """The files of these loads are lost: documents of which they had the newest version are to be read again,
        each with its whole unit. What the index has of them stays. Returns how many documents."""
        forgotten = 0
        table, units = tables.documents, tables.units
        with self._engine.begin() as transaction:
            for part in in_parts([load.id for load in loads]):
                of_loads = table.c.load.in_(part)
                found = transaction.execute(update(table).where(of_loads).values(_NOT_LANDED)).rowcount
                transaction.execute(delete(tables.loads).where(tables.loads.c.id.in_(part)))
                transaction.execute(delete(tables.obsolete_rows).where(tables.obsolete_rows.c.load.in_(part)))
                forgotten += found
            for connection, unit in {(load.connection, load.unit) for load in loads}:
                own = (units.c.connection == connection, units.c.unit == unit)
                transaction.execute(update(units).where(*own).values(cursor=None))
        return forgotten

    def forget_points(self, ids: Iterable[str]) -> None:
        """The index has lost points of these documents: their chunks are to be indexed again."""
        table, loads = tables.documents, tables.loads
        with self._engine.begin() as transaction:
            for part in in_parts(ids):
                own = table.c.id.in_(part)
                transaction.execute(update(table).where(own).values(indexed_version=None, chunks=0))
                holding = loads.c.id.in_(select(table.c.load).where(own))
                transaction.execute(update(loads).where(holding).values(state="landed"))


_NOT_LANDED = {"version": None, "load": None, "indexed_version": None}


def _add_unit(transaction: Connection, connection: str, source: str, unit: str) -> None:
    """The next listing names it, and gives its readers back."""
    same = (tables.units.c.connection == connection, tables.units.c.unit == unit)
    if transaction.execute(select(tables.units.c.unit).where(*same)).first():
        return
    row = {"connection": connection, "unit": unit, "source": source, "name": unit, "url": ""}
    upsert(transaction, tables.units, [row | {"paused": False, "gone": False}])
    revoke(transaction, [Revocation(connection, unit, EVERYBODY, NOT_READ_SINCE)])
