"""Freshness: how long ago each connection was heard of and read, against how often it should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from croniter import croniter

from connectors.settings import Connection
from pipelines.catalog import Catalog

TICKS_ALLOWED = 2
"""How many ticks of its schedule a connection may miss before it counts as late."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """`last_sync` is that of the unit read longest ago; None if one was never read. `waiting` counts events."""

    connection: str
    last_event: datetime | None
    last_sync: datetime | None
    lag: timedelta | None
    allowed: timedelta
    waiting: int
    waiting_since: datetime | None
    paused: bool

    @property
    def late(self) -> bool:
        return not self.paused and (self.lag is None or self.lag > self.allowed)

    def as_json(self) -> dict[str, Any]:
        return {
            "last_event": _isoformat(self.last_event),
            "last_sync": _isoformat(self.last_sync),
            "lag_seconds": round(self.lag.total_seconds(), 1) if self.lag else None,
            "waiting_events": self.waiting,
            "waiting_since": _isoformat(self.waiting_since),
            "late": self.late,
        }


def freshness(catalog: Catalog, connection: Connection, now: datetime | None = None) -> Freshness:
    """How fresh a connection is. Units that are paused or gone do not count."""
    now = now or datetime.now(UTC)
    state = catalog.connections.get(connection.id)
    oldest = catalog.units.oldest_sync(connection.id)
    waiting, since = catalog.events.backlog().get(connection.id, (0, None))
    return Freshness(
        connection=connection.id,
        last_event=state.last_event,
        last_sync=oldest,
        lag=now - oldest if oldest else None,
        allowed=allowed_lag(connection, now),
        waiting=waiting,
        waiting_since=since,
        paused=state.paused,
    )


def allowed_lag(connection: Connection, now: datetime | None = None) -> timedelta:
    """What the connection's schedule allows, and half an hour for the sync itself."""
    return TICKS_ALLOWED * longest_gap(connection, now) + timedelta(minutes=30)


def longest_gap(connection: Connection, now: datetime | None = None) -> timedelta:
    """Between two ticks of the connection's schedule."""
    return _longest_gap(connection.schedule, (now or datetime.now(UTC)).date())


@lru_cache(maxsize=256)  # hundreds of ticks take 50 ms, and every publication asks for each connection
def _longest_gap(schedule: str, day: date) -> timedelta:
    ticks = croniter(schedule, datetime.combine(day, time(), UTC))
    first = ticks.get_next(datetime)
    return max(later - earlier for earlier, later in _pairs(ticks, first))


def _pairs(ticks: croniter, first: datetime) -> list[tuple[datetime, datetime]]:
    """A week of neighbouring ticks at most: schedules may leave out nights and weekends."""
    pairs: list[tuple[datetime, datetime]] = []
    while not pairs or (pairs[-1][1] - pairs[0][0] < timedelta(days=7) and len(pairs) < 300):
        following = ticks.get_next(datetime)
        pairs.append((first, following))
        first = following
    return pairs


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
