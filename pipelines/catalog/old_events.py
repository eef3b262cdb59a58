"""Events that were finished long ago, and bodies that nobody needs any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, func, select, update

from pipelines.catalog import tables


class OldEvents:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self, days: int) -> tuple[int, int]:
        """How many events `delete` would remove, and how many bodies it would empty beside these."""
        old, with_body = _is_old(days), _has_old_body(days)
        with self._engine.connect() as transaction:
            count = select(func.count())
            return transaction.execute(count.where(*old)).scalar_one(), transaction.execute(
                count.where(*with_body)
            ).scalar_one()

    def delete(self, days: int) -> tuple[int, int]:
        """Remove what was finished `days` ago, and the bodies of all others that came before: what waits, or is dead,
        can be processed without. Returns how many events and how many bodies there were."""
        table = tables.events
        with self._engine.begin() as transaction:
            old = select(table.c.id).where(*_is_old(days))
            transaction.execute(delete(tables.event_attempts).where(tables.event_attempts.c.event.in_(old)))
            removed = transaction.execute(delete(table).where(*_is_old(days))).rowcount
            emptied = transaction.execute(update(table).where(*_has_old_body(days)).values(body=b"")).rowcount
            return removed, emptied


def _is_old(days: int) -> tuple[ColumnElement[bool], ...]:
    table = tables.events
    return table.c.state.not_in(("pending", "dead")), table.c.finished_at <= datetime.now(UTC) - timedelta(days=days)


def _has_old_body(days: int) -> tuple[ColumnElement[bool], ...]:
    table = tables.events
    unfinished = table.c.state.in_(("pending", "dead"))
    return unfinished, table.c.body != b"", table.c.received_at <= datetime.now(UTC) - timedelta(days=days)
