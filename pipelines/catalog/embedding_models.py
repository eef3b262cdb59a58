"""Models by which vectors were made, and when each was last in use: whoever embeds with one says so, and so does each
pass of retention of the one that the settings name. Several may be in use at a time: installations may share a catalog,
and while the index is rebuilt for another model, both are needed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert

SECONDS_BETWEEN_MARKS = 3_600.0


class EmbeddingModels:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._marked: dict[tuple[str, int], tuple[int, float]] = {}

    def mark_used(self, model: str, dimensions: int) -> int:
        """A model is in use; returns its id. Written once an hour by a process."""
        known = self._marked.get((model, dimensions))
        if known and time.monotonic() - known[1] < SECONDS_BETWEEN_MARKS:
            return known[0]
        table = tables.embedding_models
        row = {"model": model, "dimensions": dimensions, "used_at": datetime.now(UTC)}
        own = (table.c.model == model, table.c.dimensions == dimensions)
        with self._engine.begin() as transaction:
            upsert(transaction, table, [row], update=("used_at",), key=("model", "dimensions"))
            found: int = transaction.execute(select(table.c.id).where(*own)).scalar_one()
        self._marked[model, dimensions] = found, time.monotonic()
        return found

    def unused_since(self, before: datetime, *, configured: tuple[str, int]) -> list[int]:
        """Models that nobody has used since then, and that the settings do not name."""
        table = tables.embedding_models
        statement = select(table.c.id, table.c.model, table.c.dimensions).where(table.c.used_at <= before)
        with self._engine.connect() as transaction:
            rows = transaction.execute(statement).all()
        return [row.id for row in rows if (row.model, row.dimensions) != configured]
