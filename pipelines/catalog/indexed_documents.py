"""What the index should hold: documents and points, as the catalog has recorded them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, Select, and_, func, select

from pipelines.catalog import tables
from pipelines.catalog.conditions import HAS_POINTS, IS_CLOSED
from pipelines.catalog.statements import in_parts

_MANY = 50_000
"""Documents, which a database counts in some milliseconds."""
_SECONDS_BETWEEN_COUNTS = 60.0


@dataclass(frozen=True, slots=True)
class IndexedUnit:
    """What the index holds of a unit. `newest` is the latest time of a document at its source, `changed_at` when one of
    these was indexed last, or its readers followed."""

    connection: str
    unit: str
    documents: int
    points: int
    newest: datetime | None
    changed_at: datetime


class IndexedDocuments:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counted = (0, 0.0)

    def count_lately(self) -> int:
        """As `count`; of many documents, up to a minute ago."""
        count, at = self._counted
        if count <= _MANY or time.monotonic() - at > _SECONDS_BETWEEN_COUNTS:
            self._counted = (self.count(), time.monotonic())
        return self._counted[0]

    def count(self) -> int:
        """How many documents have points."""
        return self._count(HAS_POINTS)

    def units(self) -> list[IndexedUnit]:
        """Each unit of which there are points."""
        table = tables.documents
        figures = (func.count(), func.sum(table.c.chunks), func.max(table.c.updated_at), func.max(table.c.changed_at))
        unit = (table.c.connection, table.c.unit)
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(*unit, *figures).where(HAS_POINTS).group_by(*unit)).all()
        return [IndexedUnit(*row) for row in rows]

    def points(self) -> dict[str, int]:
        """How many points the index should hold, by document id."""
        table = tables.documents
        return self._points(select(table.c.id, table.c.chunks).where(HAS_POINTS))

    def points_of(self, ids: Iterable[str]) -> dict[str, int]:
        """As `points`, of those of these documents that have any."""
        table, found = tables.documents, dict[str, int]()
        for part in in_parts(ids):
            found |= self._points(select(table.c.id, table.c.chunks).where(table.c.id.in_(part), table.c.chunks > 0))
        return found

    def points_in(self, connection: str, unit: str, changed_since: datetime | None = None) -> dict[str, int]:
        """As `points`, of one unit; of those alone that changed at that time or later."""
        table = tables.documents
        own = (HAS_POINTS, table.c.connection == connection, table.c.unit == unit)
        statement = select(table.c.id, table.c.chunks).where(*own)
        if changed_since is not None:
            statement = statement.where(table.c.changed_at >= changed_since)
        return self._points(statement)

    def count_closed(self) -> int:
        """How many documents have points that nobody finds."""
        return self._count(and_(HAS_POINTS, IS_CLOSED))

    def closed(self, limit: int) -> list[str]:
        """The first of these documents."""
        statement = (
            select(tables.documents.c.id).where(HAS_POINTS, IS_CLOSED).order_by(tables.documents.c.id).limit(limit)
        )
        with self._engine.connect() as transaction:
            return list(transaction.execute(statement).scalars())

    def _count(self, condition: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(tables.documents).where(condition)
        with self._engine.connect() as transaction:
            return transaction.execute(counted).scalar_one()

    def _points(self, statement: Select[tuple[str, int]]) -> dict[str, int]:
        with self._engine.connect() as transaction:
            return {row.id: row.chunks for row in transaction.execute(statement)}
