"""The inbox: events of the sources, stored before they are answered, until they are processed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from connectors.webhooks import Event, Invalidation
from pipelines.catalog import tables
from pipelines.catalog.arrivals import Arrivals
from pipelines.catalog.conditions import IS_PENDING
from pipelines.catalog.failures import Cause
from pipelines.catalog.statements import in_parts, upsert
from pipelines.catalog.told_deletions import hide_deleted
from pipelines.tracing import current_traceparent

State: TypeAlias = Literal["pending", "done", "ignored", "dead"]

MOST_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
LONGEST_WAIT = timedelta(minutes=1)
"""Between two looks whether a backend is back: what waits for it, lost rights among it, counts a minute later."""
POSTPONED = timedelta(seconds=2)
CONTENT_IS_KNOWN_FOR = timedelta(days=3)
"""As long as GitHub delivers again what it delivered once."""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    id: int
    connection: str
    kind: str
    invalidations: tuple[Invalidation, ...]
    attempts: int
    received_at: datetime
    waiting_since: datetime | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class EventState:
    """What has become of an event; `waiting_for` is the backend that it waits for."""

    id: int
    connection: str
    kind: str
    state: State
    reason: str | None
    attempts: int
    received_at: datetime
    waiting_for: Cause | None
    waiting_since: datetime | None


NOT_WAITING: dict[str, Any] = {"waiting_for": None, "waiting_since": None}


class Events:
    def __init__(self, engine: Engine, arrivals: Arrivals) -> None:
        self._engine = engine
        self._arrivals = arrivals

    def store(self, connection: str, event: Event, body: bytes) -> bool:
        """Store an event, durably when this returns; False if the delivery is stored already. What it says to be
        deleted is found by nobody from then on."""
        known = select(tables.events.c.id).where(
            tables.events.c.connection == connection, _is_known(event, datetime.now(UTC))
        )
        with self._arrivals.begin() as transaction:
            if transaction.execute(known).first():
                return False
            store_event(transaction, connection, event, body)
        return True

    def count_pending(self, connection: str) -> int:
        """How many events of a connection wait."""
        table = tables.events
        with self._engine.connect() as transaction:
            own = (IS_PENDING, table.c.connection == connection)
            return transaction.execute(select(func.count()).where(*own)).scalar_one()

    def store_unreadable(self, connection: str, delivery: str, body: bytes, reason: str) -> None:
        """Keep a verified delivery of which nobody knows what it tells, as a dead letter."""
        now = datetime.now(UTC)
        row = _row(connection, Event(delivery, "unreadable"), body, now) | {"state": "dead", "reason": reason}
        with self._engine.begin() as transaction:
            upsert(transaction, tables.events, [row], key=("connection", "delivery"))

    def note_refusal(self, connection: str, kind: str, advice: str) -> None:
        """Tell operators of a delivery that nobody has proved. One row is kept of all, without what was sent."""
        note = Event(kind, kind, ignored=advice)
        known = (tables.events.c.connection == connection, tables.events.c.delivery == note.id)
        with self._engine.connect() as reading:  # a flood of them writes nothing
            if reading.execute(select(tables.events.c.id).where(*known)).first():
                return
        with self._engine.begin() as transaction:
            row = _row(connection, note, b"", datetime.now(UTC))
            upsert(transaction, tables.events, [row], key=("connection", "delivery"))

    def pending(self, connections: Sequence[str], limit: int, *, after: int = 0) -> list[PendingEvent]:
        """Events of these connections whose time has come, oldest first, from the one behind `after` on."""
        table = tables.events
        statement = (
            select(*(table.c[name].label(name) for name in PendingEvent.__slots__))
            .where(IS_PENDING, table.c.connection.in_(connections), table.c.id > after, _is_due())
            .order_by(table.c.id)
            .limit(limit)
        )
        with self._engine.connect() as transaction:
            rows = [row._mapping for row in transaction.execute(statement)]
        return [PendingEvent(**{**row, "invalidations": _invalidations(row["invalidations"])}) for row in rows]

    def next_attempt(self, connections: Sequence[str]) -> datetime | None:
        """When the next one of these connections comes due that waits for its time."""
        table = tables.events
        waiting = (IS_PENDING, table.c.connection.in_(connections), table.c.next_attempt > datetime.now(UTC))
        with self._engine.connect() as transaction:
            return transaction.execute(select(func.min(table.c.next_attempt)).where(*waiting)).scalar()

    def still_pending(self, ids: Iterable[int]) -> set[int]:
        """Those of these events that nobody has settled meanwhile."""
        table, found = tables.events, set[int]()
        with self._engine.connect() as transaction:
            for part in in_parts(ids):
                pending = select(table.c.id).where(table.c.id.in_(part), IS_PENDING, _is_due())
                found.update(transaction.execute(pending).scalars())
        return found

    def mark_done(
        self, materializations: Mapping[int, Sequence[Mapping[str, str]]], effects: Mapping[int, str]
    ) -> None:
        """Record that these events are done, with the assets and partitions that each led to, and what that was."""
        finished = {"state": "done", "finished_at": datetime.now(UTC)} | NOT_WAITING
        with self._engine.begin() as transaction:
            for event_id, led_to in materializations.items():
                values = finished | {"reason": effects.get(event_id), "materializations": list(led_to)}
                transaction.execute(update(tables.events).where(tables.events.c.id == event_id).values(values))

    def mark_ignored(self, reasons: Mapping[int, str]) -> None:
        """Record that there was nothing to do for these events, and why."""
        finished = {"state": "ignored", "finished_at": datetime.now(UTC)} | NOT_WAITING
        with self._engine.begin() as transaction:
            for event_id, reason in reasons.items():
                own = tables.events.c.id == event_id
                transaction.execute(update(tables.events).where(own).values(finished | {"reason": reason}))

    def record_failure(self, events: Sequence[PendingEvent], error: str) -> None:
        """Try these again later; after the last attempt they are dead letters, which `replay` revives."""
        now = datetime.now(UTC)
        with self._engine.begin() as transaction:
            for event in events:
                attempts = event.attempts + 1
                dead = attempts >= MOST_ATTEMPTS
                values = {
                    "attempts": attempts,
                    "reason": error,
                    "state": "dead" if dead else "pending",
                    "next_attempt": None if dead else next_attempt(attempts, now),
                    "finished_at": now if dead else None,
                } | NOT_WAITING
                transaction.execute(update(tables.events).where(tables.events.c.id == event.id).values(values))
                tried = {"event": event.id, "at": now, "outcome": "failed", "reason": error}
                transaction.execute(insert(tables.event_attempts).values(tried))

    def await_backend(self, events: Sequence[PendingEvent], cause: Cause, error: str) -> None:
        """Let these wait until a backend is back, which is looked at ever less often. It counts as no attempt."""
        now = datetime.now(UTC)
        since = min((event.waiting_since or now for event in events), default=now)
        since_then = func.coalesce(tables.events.c.waiting_since, literal(now, tables.UtcTime()))
        values = {
            "waiting_for": cause,
            "waiting_since": since_then,
            "reason": error,
            "next_attempt": next_look(since, now),
        }
        with self._engine.begin() as transaction:
            for part in in_parts(event.id for event in events):
                transaction.execute(update(tables.events).where(tables.events.c.id.in_(part)).values(values))

    def postpone(self, ids: Sequence[int]) -> None:
        """Try these again in a moment: another process works on their unit, or the unit is paused."""
        later = datetime.now(UTC) + POSTPONED
        with self._engine.begin() as transaction:
            for part in in_parts(ids):
                transaction.execute(
                    update(tables.events).where(tables.events.c.id.in_(part)).values(next_attempt=later)
                )

    def list_recent(
        self, connection: str | None = None, state: State | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """The newest events, without their bodies."""
        table = tables.events
        columns = [column for column in table.c if column.name != "body"]
        conditions = [table.c.connection == connection] if connection else []
        conditions += [table.c.state == state] if state else []
        statement = select(*columns).where(*conditions).order_by(table.c.id.desc()).limit(limit)
        with self._engine.connect() as transaction:
            return [dict(row._mapping) for row in transaction.execute(statement)]

    def get(self, event_id: int) -> EventState | None:
        """What has become of an event; None if there is none."""
        columns = (tables.events.c[name] for name in EventState.__slots__)
        with self._engine.connect() as transaction:
            row = transaction.execute(select(*columns).where(tables.events.c.id == event_id)).first()
        return EventState(*row) if row else None

    def body(self, event_id: int) -> bytes | None:
        """A delivery as it came; None if there is no such event."""
        statement = select(tables.events.c.body).where(tables.events.c.id == event_id)
        with self._engine.connect() as transaction:
            return transaction.execute(statement).scalar()

    def backlog(self) -> dict[str, tuple[int, datetime]]:
        """By connection: how many events wait, and since when the oldest one does."""
        table = tables.events
        statement = (
            select(table.c.connection, func.count(), func.min(table.c.id))
            .where(IS_PENDING)
            .group_by(table.c.connection)
        )
        with self._engine.connect() as transaction:
            found = transaction.execute(statement).all()
            oldest = {
                row.id: row.received_at
                for part in in_parts(first for _, _, first in found)
                for row in transaction.execute(select(table.c.id, table.c.received_at).where(table.c.id.in_(part)))
            }
        return {connection: (count, oldest[first]) for connection, count, first in found}


def store_event(transaction: Connection, connection: str, event: Event, body: bytes = b"") -> None:
    """Store an event with what else its transaction writes. What it says to be deleted is found by nobody from then
    on."""
    now = datetime.now(UTC)
    hide_deleted(transaction, connection, event.invalidations)
    # Two deliveries of one event at the same moment: the unique constraint lets one of them in.
    upsert(transaction, tables.events, [_row(connection, event, body, now)], key=("connection", "delivery"))
    seen = {"connection": connection, "paused": False, "last_event": now}
    upsert(transaction, tables.connections, [seen], update=("last_event",))


def next_attempt(attempts: int, now: datetime) -> datetime:
    """When to try again after that many failures: 5 seconds, doubling up to 10 minutes."""
    return now + min(FIRST_RETRY * (1 << min(attempts - 1, 20)), LONGEST_RETRY)


def next_look(since: datetime, now: datetime) -> datetime:
    """When to look whether a backend is back that has been away `since` then: after half that time, between 5 seconds
    and a minute."""
    return now + min(max((now - since) / 2, FIRST_RETRY), LONGEST_WAIT)


def _row(connection: str, event: Event, body: bytes, now: datetime) -> dict[str, Any]:
    return {
        "connection": connection,
        "delivery": event.id,
        "kind": event.kind,
        "body": body,
        "invalidations": [_as_json(one) for one in event.invalidations],
        "state": "pending" if event.invalidations else "ignored",
        "reason": event.ignored or None,
        "attempts": 0,
        "received_at": now,
        "finished_at": None if event.invalidations else now,
        "signed_content": event.signed_content or None,
        "traceparent": current_traceparent(),
    }


def _is_known(event: Event, now: datetime) -> ColumnElement[bool]:
    """The delivery by its id, and by its content where the id is not signed.

    Whoever joins a team, leaves it and joins again is told of in equal words: what is about rights or units is looked
    at each time.
    """
    table = tables.events
    by_id = table.c.delivery == event.id
    if not event.signed_content or any(one.scope in ("units", "memberships") for one in event.invalidations):
        return by_id
    is_recent = table.c.received_at > now - CONTENT_IS_KNOWN_FOR
    return or_(by_id, and_(table.c.signed_content == event.signed_content, is_recent))


def _as_json(one: Invalidation) -> dict[str, Any]:
    """Without `deleted`, which counts as the event is stored, and which workers of the release before do not know."""
    return {name: value for name, value in asdict(one).items() if name != "deleted"}


def _invalidations(stored: Sequence[Mapping[str, Any]]) -> tuple[Invalidation, ...]:
    return tuple(Invalidation(**one) for one in stored)


def _is_due() -> ColumnElement[bool]:
    table = tables.events
    return or_(table.c.next_attempt.is_(None), table.c.next_attempt <= datetime.now(UTC))
