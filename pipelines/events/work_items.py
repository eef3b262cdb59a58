"""Waiting events as work items: each invalidation once, whatever number of events carries it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connectors.webhooks import Invalidation
from pipelines.catalog.claims import Claim
from pipelines.catalog.events import PendingEvent
from pipelines.events.debounce import Debouncer

WorkKey: TypeAlias = tuple[str, Invalidation]
"""A connection's id, and where to look again."""


@dataclass(slots=True)
class WorkItem:
    """`first` and `last` are when its events came, in Unix seconds; `events` are their ids."""

    key: WorkKey
    first: float
    last: float
    events: list[int] = field(default_factory=list)

    @property
    def connection(self) -> str:
        return self.key[0]

    @property
    def invalidation(self) -> Invalidation:
        return self.key[1]


def work_items(events: Iterable[PendingEvent], done: Mapping[int, Iterable[Invalidation]]) -> list[WorkItem]:
    """What is left to do for these events, in their order; `done` holds, by event, what was done in earlier passes."""
    items: dict[WorkKey, WorkItem] = {}
    for event in events:
        came = event.received_at.timestamp()
        done_before = frozenset(done.get(event.id, ()))
        for invalidation in event.invalidations:
            if invalidation not in done_before:
                key = (event.connection, invalidation)
                item = items.setdefault(key, WorkItem(key, came, came))
                item.last = max(item.last, came)
                item.events.append(event.id)
    return list(items.values())


def claim_of(event: PendingEvent) -> Claim:
    """What a worker claims that processes an event: the first of the units that it points into."""
    return event.connection, min((one.unit for one in event.invalidations), default="")


def due_items(waiting: Iterable[WorkItem], debouncer: Debouncer[WorkKey], now: float, *, burst: bool) -> list[WorkItem]:
    """Those whose turn has come."""
    return [
        item for item in waiting if debouncer.is_due(item.key, first=item.first, last=item.last, now=now, burst=burst)
    ]


def traceparents(events: Iterable[PendingEvent], items: Iterable[WorkItem]) -> list[str | None]:
    """The spans in which the events of these items came, the oldest first."""
    processed = {event_id for item in items for event_id in item.events}
    return [event.traceparent for event in events if event.id in processed]
