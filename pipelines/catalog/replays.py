"""Events once more: made pending again, with what they have been through kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Engine, Text, and_, cast, func, insert, literal, or_, select, update

from pipelines.catalog import tables
from pipelines.catalog.events import NOT_WAITING


@dataclass(frozen=True, slots=True)
class EventAttempt:
    """`outcome`: `failed`, or the state in which a replay has found the event."""

    at: datetime
    outcome: str
    reason: str | None


class Replays:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def replay(self, *, ids: Sequence[int] = (), connection: str | None = None, since: datetime | None = None) -> int:
        """Make events pending again, by id or by connection and time of arrival; returns how many."""
        table = tables.events
        chosen: list[ColumnElement[bool]] = [
            or_(table.c.state.in_(("done", "dead", "pending")), and_(table.c.state == "ignored", _points_somewhere()))
        ]
        chosen += [table.c.id.in_(ids)] if ids else []
        chosen += [table.c.connection == connection] if connection else []
        chosen += [table.c.received_at >= since] if since else []
        values = {"state": "pending", "attempts": 0, "next_attempt": None, "finished_at": None, "reason": None}
        with self._engine.begin() as transaction:
            _keep_outcome(transaction, chosen)
            return transaction.execute(update(table).where(*chosen).values(values | NOT_WAITING)).rowcount

    def attempts(self, event_id: int) -> list[EventAttempt]:
        """What an event has been through: each attempt that failed, and how it had ended before each replay."""
        table = tables.event_attempts
        statement = select(table.c.at, table.c.outcome, table.c.reason).where(table.c.event == event_id)
        with self._engine.connect() as transaction:
            return [EventAttempt(*row) for row in transaction.execute(statement.order_by(table.c.id))]


def _keep_outcome(transaction: Connection, chosen: Sequence[ColumnElement[bool]]) -> None:
    """Note how the events have ended that are replayed."""
    table, history = tables.events, tables.event_attempts
    at = func.coalesce(table.c.finished_at, literal(datetime.now(UTC), tables.UtcTime()))
    ended = select(table.c.id, at, table.c.state, table.c.reason).where(*chosen, table.c.state != "pending")
    transaction.execute(insert(history).from_select(["event", "at", "outcome", "reason"], ended))


def _points_somewhere() -> ColumnElement[bool]:
    """Whether an event says where to look: one that was ignored then may concern a unit that is read now."""
    return cast(tables.events.c.invalidations, Text) != "[]"
