"""What units are and were called: a renaming changes no id, and people keep the addresses that they know.

A unit's URL counts as one of its names. Names are kept in lower case, and nothing is taken for found by a name alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, tuple_

from connectors.model import Unit
from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A unit that has or had a certain name, with the name and URL that it has now."""

    source: str
    connection: str
    id: str
    name: str
    url: str
    gone: bool

    def has_now(self, name: str) -> bool:
        return name in (self.name.lower(), self.url.lower())


class UnitNames:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, names: Iterable[str]) -> dict[str, list[NamedUnit]]:
        """The units by each of these names or URLs in lower case: listed ones first, then those that have it now."""
        found: dict[str, list[NamedUnit]] = {}
        with self._engine.connect() as transaction:
            for part in in_parts(names):
                for name, *fields in transaction.execute(_NAMED.where(tables.unit_names.c.name.in_(part))):
                    found.setdefault(name, []).append(NamedUnit(*fields))
        return {
            name: sorted(units, key=lambda unit: (unit.gone, not unit.has_now(name), unit.connection, unit.id))
            for name, units in found.items()
        }

    def by_id(self, ids: Iterable[str]) -> list[NamedUnit]:
        """The units with these ids that are not gone, of whichever connections, by name."""
        table, found = tables.units, list[NamedUnit]()
        with self._engine.connect() as transaction:
            for part in in_parts(ids):
                rows = transaction.execute(select(*_UNIT).where(table.c.unit.in_(part), table.c.gone.is_(False)))
                found += [NamedUnit(*row) for row in rows]
        return sorted(found, key=lambda one: (one.connection, one.name, one.id))

    def of(self, units: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The names that units have now, by connection and id; of one that is not known, none."""
        table, found = tables.units, dict[tuple[str, str], str]()
        own = tuple_(table.c.connection, table.c.unit)
        with self._engine.connect() as transaction:
            for part in in_parts(units):
                rows = transaction.execute(select(table.c.connection, table.c.unit, table.c.name).where(own.in_(part)))
                found.update(((row.connection, row.unit), row.name) for row in rows)
        return found


def record_names(transaction: Connection, connection: str, units: Iterable[Unit]) -> None:
    """Remember what units are called; in the transaction that records their listing."""
    names = {(unit.id, name.lower()) for unit in units for name in (unit.name, unit.url) if name}
    rows = [{"connection": connection, "unit": unit, "name": name} for unit, name in sorted(names)]
    upsert(transaction, tables.unit_names, rows)


_UNIT = tuple(tables.units.c[name] for name in ("source", "connection", "unit", "name", "url", "gone"))
_NAMED = select(tables.unit_names.c.name, *_UNIT).join(
    tables.units,
    (tables.units.c.connection == tables.unit_names.c.connection) & (tables.units.c.unit == tables.unit_names.c.unit),
)
