"""The gate of each collection while it is shut: since when, on which checks, and what waits behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert


@dataclass(frozen=True, slots=True)
class ShutGate:
    """`reasons` are the checks that failed last; `waiting` says what would have been published."""

    collection: str
    since: datetime
    reasons: tuple[str, ...]
    waiting: str


class Gates:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, collection: str) -> ShutGate | None:
        """The gate, if it is shut."""
        table = tables.gates
        with self._engine.connect() as transaction:
            row = transaction.execute(select(table).where(table.c.collection == collection)).first()
        return ShutGate(row.collection, row.since, tuple(row.reasons), row.waiting) if row else None

    def shut(self, collection: str, reasons: Sequence[str], waiting: str) -> None:
        """Checks have failed. A gate that was shut stays so since then."""
        row = {"collection": collection, "since": datetime.now(UTC), "reasons": list(reasons), "waiting": waiting}
        with self._engine.begin() as transaction:
            upsert(transaction, tables.gates, [row], update=("reasons", "waiting"))

    def open(self, collection: str) -> None:
        """All checks have passed."""
        if self.get(collection):
            with self._engine.begin() as transaction:
                transaction.execute(delete(tables.gates).where(tables.gates.c.collection == collection))
