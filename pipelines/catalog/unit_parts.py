"""How each part of a unit stands: what the source gives, what it refuses, and what fails."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, and_, delete, select

from connectors.contract import PartState, PartStatus
from pipelines.catalog import tables
from pipelines.catalog.statements import upsert


@dataclass(frozen=True, slots=True)
class PartRecord:
    """`unit` is empty for the list of units itself. `reason` says why the part is not complete, and what to grant."""

    connection: str
    unit: str
    part: str
    status: PartStatus
    reason: str
    since: datetime


class Parts:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, connection: str, unit: str, states: Collection[PartState]) -> None:
        """How these parts stand now; of the unit's others nothing is told."""
        before = {one.part: one for one in self.of_unit(connection, unit)}
        changed = [one for one in states if not _is_known(one, before.get(one.part))]
        if not changed:
            return
        now = datetime.now(UTC)
        rows = [
            {
                "connection": connection,
                "unit": unit,
                "part": one.part,
                "status": one.status,
                "reason": one.reason,
                "since": known.since if (known := before.get(one.part)) and known.status == one.status else now,
            }
            for one in changed
        ]
        with self._engine.begin() as transaction:
            upsert(transaction, tables.unit_parts, rows, update=("status", "reason", "since"))

    def replace(self, connection: str, unit: str, states: Collection[PartState]) -> None:
        """As `record`; nothing of others is known any more."""
        others = {one.part for one in self.of_unit(connection, unit)} - {one.part for one in states}
        if others:
            table = tables.unit_parts
            own = and_(table.c.connection == connection, table.c.unit == unit, table.c.part.in_(others))
            with self._engine.begin() as transaction:
                transaction.execute(delete(table).where(own))
        self.record(connection, unit, states)

    def of_unit(self, connection: str, unit: str) -> list[PartRecord]:
        """All parts of which it was told how they stand, by name."""
        return self._select(tables.unit_parts.c.connection == connection, tables.unit_parts.c.unit == unit)

    def of(self, connection: str) -> list[PartRecord]:
        """The parts of a connection's units, by unit and name."""
        return self._select(tables.unit_parts.c.connection == connection)

    def _select(self, *where: ColumnElement[bool]) -> list[PartRecord]:
        table = tables.unit_parts
        statement = select(*(table.c[name] for name in PartRecord.__slots__)).where(*where)
        with self._engine.connect() as transaction:
            rows = transaction.execute(statement.order_by(table.c.unit, table.c.part))
            return [PartRecord(*row) for row in rows]


def _is_known(state: PartState, known: PartRecord | None) -> bool:
    return known is not None and (known.status, known.reason) == (state.status, state.reason)
