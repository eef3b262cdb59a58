"""What was published last of each collection, and what the gate's checks found last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from pipelines.catalog import tables
from pipelines.catalog.statements import upsert


@dataclass(frozen=True, slots=True)
class PublishedIndex:
    documents: int
    points: int
    published_at: datetime


class Publications:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, collection: str, documents: int, points: int) -> None:
        """This is live from now on."""
        row = {
            "collection": collection,
            "documents": documents,
            "points": points,
            "published_at": datetime.now(UTC),
        }
        with self._engine.begin() as transaction:
            upsert(transaction, tables.publications, [row], update=("documents", "points", "published_at"))

    def get(self, collection: str) -> PublishedIndex | None:
        """None if nothing was published yet."""
        table = tables.publications
        own = select(*(table.c[name] for name in PublishedIndex.__slots__)).where(table.c.collection == collection)
        with self._engine.connect() as transaction:
            row = transaction.execute(own).first()
        return PublishedIndex(*row) if row else None

    def record_checks(self, collection: str, passed: Mapping[str, bool], started: datetime) -> None:
        """Whether each of the gate's checks has passed, by name, that were `started` then."""
        rows = [
            {"collection": collection, "name": name, "passed": found, "checked_at": started}
            for name, found in passed.items()
        ]
        with self._engine.begin() as transaction:
            upsert(transaction, tables.gate_checks, rows, update=("passed", "checked_at"))

    def check_times(self, collection: str) -> list[datetime | None]:
        """When each check was started that was made last; None of one that has not passed."""
        table = tables.gate_checks
        own = select(table.c.passed, table.c.checked_at).where(table.c.collection == collection)
        with self._engine.connect() as transaction:
            return [row.checked_at if row.passed else None for row in transaction.execute(own)]

    def checks(self, collection: str) -> dict[str, bool]:
        """Whether each check has passed when it was made last, by name."""
        table = tables.gate_checks
        with self._engine.connect() as transaction:
            rows = transaction.execute(select(table.c.name, table.c.passed).where(table.c.collection == collection))
            return {row.name: row.passed for row in rows}
