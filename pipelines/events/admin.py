"""The inbox, as an operator lists and replays it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast, get_args

from pipelines.catalog.events import State
from pipelines.errors import UsageError
from pipelines.services import Services
from pipelines.settings import Settings


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
        return services.catalog.events.replay(ids=ids, connection=connection, since=since)


def read_body(settings: Settings, event_id: int) -> str:
    """The body of a delivery, as it was sent. Raises UsageError for an unknown event."""
    with Services(settings) as services:
        body = services.catalog.events.body(event_id)
    if body is None:
        raise UsageError(f"unknown event {event_id}; see `headrace events list`")
    return body.decode(errors="replace")
