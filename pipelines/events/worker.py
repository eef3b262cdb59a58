"""The warm worker: takes events from the inbox to the index, pass by pass."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event as Signal
from threading import Event as Stop

from connectors.settings import Connection
from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.errors import CatalogUnavailable
from pipelines.events.connection_threads import ConnectionThreads
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.debounce import Debouncer
from pipelines.events.maintenance import Maintenance
from pipelines.events.metrics import WorkerMetrics
from pipelines.events.outcomes import (
    BackendAway,
    Deferred,
    Finished,
    Ignored,
    Outcome,
    Processed,
    event_outcome,
)
from pipelines.events.processor import EventProcessor, ProcessedEvents, UnknownUnits
from pipelines.events.settling import settle
from pipelines.events.share import Share
from pipelines.events.work_items import WorkItem, WorkKey, due_items, traceparents, work_items
from pipelines.ingestion.causes import describe_error, find_cause
from pipelines.ingestion.observer import Observer
from pipelines.ingestion.orchestrator import Reporter
from pipelines.ingestion.publish import publish
from pipelines.ingestion.retention import prune
from pipelines.services import Services
from pipelines.tracing import continued_span, in_this_span, span
from pipelines.turns import Turns

logger = logging.getLogger(__name__)

EVENTS_PER_PASS = 10_000
"""Enough for a burst to be seen as a whole: an object's last event tells when it has calmed down."""
EVENTS_IN_BURST = 100
"""More than that waiting at once is a burst, in which no object is read again for each of its events."""
ITEMS_PER_PASS = 200
"""After that many work items what was done is published, so that a long backlog becomes searchable bit by bit."""
SECONDS_BETWEEN_POLLS = 0.1
"""Of the inbox, while something waits that is not due."""
SECONDS_BETWEEN_LOOKS = 3.0
"""Into the inbox while nothing waits: what comes tells of itself, where that is heard."""
SECONDS_UNTIL_THE_CATALOG_IS_BACK = 1.0
"""Between two tries while it is away."""
SECONDS_BETWEEN_MAINTENANCE = 30.0
"""How often failed documents that are due, connections to be polled and old events are gone through."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is due of one connection, and its events that wait."""

    connection: Connection
    events: Sequence[PendingEvent]
    items: Sequence[WorkItem]


@dataclass(frozen=True, slots=True)
class _ProcessedBatch:
    batch: _Batch
    processed: ProcessedEvents


class Worker:
    """Works until it is stopped. Several may run: a unit's lease keeps them apart.

    Each connection has a thread. They work in turns, and a thread whose source, file or embedding takes its time gives
    its turn up meanwhile: services, debouncing and the inbox are used by one thread at a time.
    """

    def __init__(
        self,
        services: Services,
        connectors: ConnectorPool,
        reporter: Reporter,
        metrics: WorkerMetrics | None = None,
    ) -> None:
        self._metrics = metrics or WorkerMetrics()
        self._services = services
        self._connectors = connectors
        self._reporter = reporter
        self._debouncer: Debouncer[WorkKey] = Debouncer()
        self._unknown_units = UnknownUnits()
        # By event: an event with several invalidations may need several passes.
        self._done: dict[int, dict[Invalidation, Finished]] = {}
        # By work item that is deferred: when its last event came of which that was read.
        self._rights_read: dict[WorkKey, float] = {}
        self._maintenance = Maintenance(services, connectors, reporter)
        self._maintained = 0.0
        self._unpublished = True  # a worker that was killed may have left something
        self._share = Share(services)
        self._looks_at = 0.0
        self._turns = Turns()
        self._threads: ConnectionThreads[_ProcessedBatch | None] = ConnectionThreads(self._turns)

    def run(self, stop: Stop, arrived: Signal) -> None:
        """Take events as they come, and look for them when one has `arrived`. A catalog that is away is waited for:
        what was not settled is looked at again."""
        while not stop.is_set():
            try:
                worked = self._take_turn()
            except CatalogUnavailable as error:
                logger.error("waiting: %s", error)
                worked = 0
                stop.wait(SECONDS_UNTIL_THE_CATALOG_IS_BACK)
            if not worked:
                self._wait(stop, arrived)
        self._threads.close()
        self._share.leave()

    def _wait(self, stop: Stop, arrived: Signal) -> None:
        """Until there may be something to do; another process has the embedded index meanwhile, if it asks for it."""
        while not (stop.is_set() or arrived.wait(SECONDS_BETWEEN_POLLS) or time.monotonic() >= self._looks_at):
            with self._turns.taken():
                self._services.yield_lock()
        arrived.clear()

    def _take_turn(self) -> int:
        """A pass, and the maintenance when it is due; returns how many work items were processed."""
        worked = self.run_pass()
        if time.monotonic() - self._maintained >= SECONDS_BETWEEN_MAINTENANCE:
            self._maintained = time.monotonic()
            self.run_maintenance()
        with self._turns.taken():
            self._services.yield_lock()
        return worked

    def run_pass(self) -> int:
        """One pass over what waits; returns how many work items were processed. A connection that is slow is left to
        its thread when events of others come, and is a later pass's."""
        with self._turns.taken():
            batches = self._take_due()
        if not batches:
            return self._finish() if self._threads.busy or self._share else 0
        parents = [one for batch in batches for one in traceparents(batch.events, batch.items)]
        with continued_span("event", parents, items=sum(len(batch.items) for batch in batches)):
            for batch in batches:
                self._threads.submit(batch.connection.id, partial(in_this_span(self._process), batch))
            return self._finish()

    def run_maintenance(self) -> None:
        """What no event tells: failed documents that are due, sources without webhooks, events done long ago."""
        with span("maintenance"):
            with self._turns.taken():
                active = self._active_connections()
            for connection in self._services.settings.connections:
                if connection.id not in self._threads.busy:
                    work = partial(self._maintain, connection, is_active=connection.id in active)
                    self._threads.submit(connection.id, work)
            self._finish()
        with self._turns.taken():
            self._share.renew()
            self._reporter.checked(self._services)
            self._prune()

    def _maintain(self, connection: Connection, *, is_active: bool) -> None:
        self._maintenance.renew_channels(connection)  # of paused ones too: what they tell of rights counts at once
        if is_active:
            has_retried = self._maintenance.retry_failed(connection, self._processor)
            has_polled = self._maintenance.poll(connection)
            has_indexed = self._maintenance.index_held(connection, self._processor)
            self._unpublished = self._unpublished or has_retried or has_polled or has_indexed

    def _finish(self) -> int:
        """Publish and settle what has ended, once all has or others are waiting; returns how many items that were."""
        try:
            ended = [one for one in self._threads.collect(self._are_others_due) if one]
        except Exception:
            self._unpublished = True
            raise
        with self._turns.taken():
            # Only now: what was published since they began has none of what they did last.
            self._unpublished = self._unpublished or bool(ended)
            outcomes: dict[WorkKey, Outcome] = {}
            for one in ended:
                outcomes |= self._note(one)
            items = [item for one in ended for item in one.batch.items]
            if away := self._publish():
                outcomes = self._unpublish(items, outcomes, away)
            self._settle([event for one in ended for event in one.batch.events], outcomes)
            self._share.give_back(self._threads.busy)
        return len(items)

    def _are_others_due(self) -> bool:
        """Whether events of connections that are not busy wait."""
        with self._turns.taken():
            self._share.renew()
            idle = [one for one in self._active_connections() if one not in self._threads.busy]
            return bool(idle and self._services.catalog.events.pending(idle, 1))

    def _prune(self) -> None:
        try:
            prune(self._services)
        except Exception:  # a landing that is away, say; events need none of this
            logger.exception("what is to be removed from the landing waits for the next pass")

    def _active_connections(self) -> dict[str, Connection]:
        """Those that are not paused: the events of the others wait."""
        paused = self._services.catalog.connections.paused()
        return {one.id: one for one in self._services.settings.connections if one.id not in paused}

    def _take_due(self) -> list[_Batch]:
        """What is due of each connection that is not busy."""
        idle = {own: one for own, one in self._active_connections().items() if own not in self._threads.busy}
        events = self._services.catalog.events.pending(list(idle), EVENTS_PER_PASS) if idle else []
        self._looks_at = self._next_look(list(idle), waiting=bool(events))
        burst = len(events) > EVENTS_IN_BURST
        if due := self._due(events, burst=burst):
            events = self._share.claim(events, due)
            due = self._due(events, burst=burst)
        batches = []
        for connection_id in dict.fromkeys(item.connection for item in due):
            items = [item for item in due if item.connection == connection_id][:ITEMS_PER_PASS]
            own = [event for event in events if event.connection == connection_id]
            batches.append(self._prepare(_Batch(idle[connection_id], own, items)))
        return batches

    def _next_look(self, idle: Sequence[str], *, waiting: bool) -> float:
        """When to look for events of these connections again, if none tells of itself: at once where some wait to calm
        down, or for another worker. By the clock that nobody sets."""
        now = time.monotonic()
        if waiting or self._threads.busy:
            return now
        following = self._services.catalog.events.next_attempt(idle) if idle else None
        until_then = -_seconds_since(following) if following else SECONDS_BETWEEN_LOOKS
        return now + min(until_then, SECONDS_BETWEEN_LOOKS)

    def _due(self, events: Iterable[PendingEvent], *, burst: bool) -> list[WorkItem]:
        return due_items(work_items(events, self._done), self._debouncer, time.time(), burst=burst)

    def _prepare(self, batch: _Batch) -> _Batch:
        if any(item.invalidation.scope in ("units", "memberships") for item in batch.items):
            self._connectors.discard(batch.connection.id)  # it remembers names and channels that are no longer so
        now = time.time()
        for item in batch.items:
            self._debouncer.record(item.key, now)
        return batch

    def _process(self, batch: _Batch) -> _ProcessedBatch:
        known = {item.invalidation for item in batch.items if self._rights_read.get(item.key) == item.last}
        processor = self._processor(batch.connection, known)
        return _ProcessedBatch(batch, processor.process(item.invalidation for item in batch.items))

    def _note(self, ended: _ProcessedBatch) -> dict[WorkKey, Outcome]:
        connection, processed = ended.batch.connection, ended.processed
        for item in ended.batch.items:
            outcome = processed.outcomes[item.invalidation]
            self._rights_read.pop(item.key, None)
            if isinstance(outcome, Deferred):
                self._rights_read[item.key] = item.last
            if isinstance(outcome, Finished):
                for event_id in item.events:
                    self._done.setdefault(event_id, {})[item.invalidation] = outcome
        _log_figures(connection, processed)
        return {(connection.id, one): outcome for one, outcome in processed.outcomes.items()}

    def _processor(self, connection: Connection, rights_known: Collection[Invalidation] = ()) -> EventProcessor:
        observer = Observer(self._reporter.stage_done)
        connector = self._connectors.get(connection)
        return EventProcessor(self._services, connection, connector, observer, self._unknown_units, rights_known)

    def _publish(self) -> BackendAway | None:
        """Publish what has changed; returns what kept it from that, if a backend is away."""
        if not self._unpublished:
            return None
        try:
            self._reporter.published(publish(self._services))
        except Exception as error:
            if (cause := find_cause(error)) == "other":
                raise
            logger.error("not published: %s", describe_error(error))
            return BackendAway(cause, describe_error(error))
        self._unpublished = False
        return None

    def _unpublish(
        self, items: Iterable[WorkItem], outcomes: Mapping[WorkKey, Outcome], away: BackendAway
    ) -> dict[WorkKey, Outcome]:
        """What was done for these counts only with a publication: it is done again with the next one."""
        for item in items:
            for event_id in item.events:
                self._done.get(event_id, {}).pop(item.invalidation, None)
        return {key: away if isinstance(outcome, Processed) else outcome for key, outcome in outcomes.items()}

    def _settle(self, events: Sequence[PendingEvent], outcomes: Mapping[WorkKey, Outcome]) -> None:
        settled = {event: event_outcome(event, self._done.get(event.id, {}), outcomes) for event in events}
        settle(self._services.catalog, settled, self._metrics)
        for event, outcome in settled.items():
            if isinstance(outcome, Processed | Ignored):
                self._done.pop(event.id, None)


def _seconds_since(moment: datetime) -> float:
    return (datetime.now(UTC) - moment).total_seconds()


def _log_figures(connection: Connection, processed: ProcessedEvents) -> None:
    documents = processed.report.documents
    logger.info(
        "%s: %d new, %d changed, %d deleted, %d texts embedded, %.2f s%s",
        connection.id,
        documents.new,
        documents.changed,
        documents.deleted,
        processed.report.embedding.inputs,
        processed.report.seconds,
        "".join(f"; {said}" for said in sorted({*processed.errors.values(), *processed.report.waiting.values()})),
    )
