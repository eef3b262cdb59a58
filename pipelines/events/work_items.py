"""Waiting events as tasks: each place to look at stands once, whatever number of events points to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.events.debounce import Pace

Place: TypeAlias = tuple[str, Invalidation]
"""A connection's id, and where to look."""


@dataclass(slots=True)
class Task:
    """`first` and `last` are when its events came, in Unix seconds."""

    place: Place
    first: float
    last: float
    events: list[int] = field(default_factory=list)


def tasks(events: Iterable[PendingEvent], done: Mapping[int, frozenset[Invalidation]]) -> list[Task]:
    """What is left to do for these events, in their order; `done` holds the places each is through with."""
    found: dict[Place, Task] = {}
    for event in events:
        came = event.received_at.timestamp()
        for change in event.invalidations:
            if change not in done.get(event.id, frozenset()):
                task = found.setdefault((event.connection, change), Task((event.connection, change), came, came))
                task.last = max(task.last, came)
                task.events.append(event.id)
    return list(found.values())


def ready(waiting: Iterable[Task], pace: Pace[Place], now: float, *, burst: bool) -> list[Task]:
    return [
        task for task in waiting if pace.is_ready(task.place, first=task.first, last=task.last, now=now, burst=burst)
    ]
