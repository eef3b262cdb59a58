"""The inbox, as an operator lists and replays it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast, get_args

from pipelines.catalog.events import EventState, State
from pipelines.catalog.replays import EventAttempt
from pipelines.errors import UsageError
from pipelines.services import Services
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """`body` is the delivery as it came; `attempts` are those that failed, and how it had ended before replays."""

    state: EventState
    attempts: tuple[EventAttempt, ...]
    body: str

    @property
    def lines(self) -> list[str]:
        """What has become of it, the oldest first."""
        now = self.state
        reason = f": {now.reason}" if now.reason else ""
        waits = f", waits for {now.waiting_for} since {now.waiting_since:%Y-%m-%d %H:%M}" if now.waiting_since else ""
        return [
            f"event {now.id} of {now.connection}, {now.kind}, came at {now.received_at:%Y-%m-%d %H:%M} UTC",
            *(f"{one.at:%Y-%m-%d %H:%M}  {one.outcome}: {one.reason or 'without a word'}" for one in self.attempts),
            f"now {now.state}{waits}{reason}",
        ]


def list_events(settings: Settings, connection: str | None, state: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest events. Raises UsageError for an unknown connection or state."""
    if connection:
        settings.connection(connection)
    if state and state not in get_args(State):
        raise UsageError(f"unknown state {state!r}: must be one of {', '.join(get_args(State))}")
    with Services(settings) as services:
        events = services.catalog.events.list_recent(connection, cast("State | None", state), limit)
    return [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in event.items()}
        for event in events
    ]


def replay_events(settings: Settings, ids: Sequence[int], connection: str | None, since: datetime | None) -> int:
    """Make events pending again; returns how many. Raises UsageError where nothing says which."""
    if not (ids or connection or since):
        raise UsageError("name events by id, by --connection or by --since")
    if connection:
        settings.connection(connection)
    with Services(settings) as services:
        return services.catalog.replays.replay(ids=ids, connection=connection, since=since)


def read_event(settings: Settings, event_id: int) -> ShownEvent:
    """A delivery, and what it has been through. Raises UsageError for an unknown event."""
    with Services(settings) as services:
        events = services.catalog.events
        state, body = events.get(event_id), events.body(event_id)
        attempts = tuple(services.catalog.replays.attempts(event_id))
    if state is None or body is None:
        raise UsageError(f"unknown event {event_id}; see `headrace events list`")
    return ShownEvent(state, attempts, body.decode(errors="replace"))
