"""What became of events, for the inbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from pipelines.catalog import Catalog
from pipelines.catalog.events import PendingEvent
from pipelines.catalog.partition_keys import partition_key
from pipelines.events.metrics import WorkerMetrics
from pipelines.events.outcomes import (
    BackendAway,
    Deferred,
    Errored,
    Ignored,
    Outcome,
    Processed,
    Waiting,
    count_outcomes,
    describe_effect,
)
from pipelines.ingestion.observer import StageDone

Kind = TypeVar("Kind", Processed, Ignored, Errored, BackendAway, Deferred)


def settle(catalog: Catalog, outcomes: Mapping[PendingEvent, Outcome | Waiting], metrics: WorkerMetrics) -> None:
    """Write to the inbox what became of its events; those that wait stay pending, and come with a later pass.

    Only after publishing: an event whose worker was killed before is processed again, and does no harm.
    """
    inbox, processed = catalog.events, dict(_of(Processed, outcomes))
    inbox.mark_done(
        {event.id: materializations(outcome.stages) for event, outcome in processed.items()},
        {event.id: describe_effect(event, outcome.stages) for event, outcome in processed.items()},
    )
    for event in processed:
        metrics.event_seconds.labels(event.connection).observe(_seconds_since(event.received_at))
    inbox.mark_ignored({event.id: outcome.reason for event, outcome in _of(Ignored, outcomes)})
    for errored, events in _together(Errored, outcomes).items():
        inbox.record_failure(events, errored.error)
    for away, events in _together(BackendAway, outcomes).items():
        inbox.await_backend(events, away.cause, away.error)
    inbox.postpone([event.id for event, _ in _of(Deferred, outcomes)])
    catalog.totals.add(count_outcomes(outcomes))


def _of(kind: type[Kind], outcomes: Mapping[PendingEvent, Outcome | Waiting]) -> Iterator[tuple[PendingEvent, Kind]]:
    return ((event, outcome) for event, outcome in outcomes.items() if isinstance(outcome, kind))


def _together(kind: type[Kind], outcomes: Mapping[PendingEvent, Outcome | Waiting]) -> dict[Kind, list[PendingEvent]]:
    """The events of which the same is to be said."""
    found: dict[Kind, list[PendingEvent]] = {}
    for event, outcome in _of(kind, outcomes):
        found.setdefault(outcome, []).append(event)
    return found


def materializations(stages: Iterable[StageDone]) -> list[dict[str, str]]:
    """The asset and partition that each stage brought up to date, each once."""
    names = {(f"{done.connection.id}/{done.stage}", partition_key(done.unit)) for done in stages}
    return [{"asset": asset, "partition": partition} for asset, partition in sorted(names)]


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()
