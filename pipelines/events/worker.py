"""The warm worker: takes events from the inbox to the index, pass by pass."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from threading import Event as Stop

from connectors.contract import PushChannels
from connectors.errors import SourceError
from connectors.settings import Connection
from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.events.connector_pool import OpenConnectors
from pipelines.events.debounce import Pace
from pipelines.events.processor import Looked, Looking, Strangers
from pipelines.events.work_items import Place, Task, ready, tasks
from pipelines.ingestion.orchestrator import Reporter
from pipelines.ingestion.publish import publish
from pipelines.ingestion.sync import Observer, StageDone, sync_connection
from pipelines.services import Services

logger = logging.getLogger(__name__)

EVENTS_PER_PASS = 10_000
"""Enough for a burst to be seen as a whole: an object's last event tells when it has calmed down."""
EVENTS_IN_BURST = 100
"""More than that waiting at once is a burst, in which no object is read again for each of its events."""
PLACES_PER_PASS = 200
"""After that many places what was done is published, so that a long backlog becomes searchable bit by bit."""
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_BETWEEN_ROUNDS = 30.0
"""How often failed documents that are due, connections to be polled and old events are gone through."""


class Worker:
    """Works until told to stop. Several may run: a unit's lease keeps them apart."""

    def __init__(self, services: Services, connectors: OpenConnectors, reporter: Reporter) -> None:
        self._services = services
        self._connectors = connectors
        self._reporter = reporter
        self._pace: Pace[Place] = Pace()
        self._strangers = Strangers()
        self._done: dict[int, dict[Invalidation, list[StageDone]]] = {}
        self._polled: dict[str, float] = {}
        self._rounded = 0.0
        self._unpublished = True  # a worker that was killed may have left something

    def run(self, stop: Stop) -> None:
        """Take events as they come."""
        while not stop.is_set():
            worked = self.work()
            if time.monotonic() - self._rounded >= SECONDS_BETWEEN_ROUNDS:
                self._rounded = time.monotonic()
                self.make_round()
            self._services.yield_lock()
            if not worked:
                stop.wait(SECONDS_BETWEEN_LOOKS)

    def work(self) -> int:
        """One pass over what waits; returns how many places were looked at."""
        connections = self._connections()
        events = self._services.catalog.events.pending(list(connections), EVENTS_PER_PASS)
        if not events:
            return 0
        through = {event.id: frozenset(self._done.get(event.id, ())) for event in events}
        burst = len(events) > EVENTS_IN_BURST
        chosen = ready(tasks(events, through), self._pace, time.time(), burst=burst)[:PLACES_PER_PASS]
        if not chosen:
            return 0
        errors: dict[Place, str] = {}
        self._unpublished = True
        for connection_id in dict.fromkeys(task.place[0] for task in chosen):
            mine = [task for task in chosen if task.place[0] == connection_id]
            errors |= self._look(connections[connection_id], mine)
        self._publish()
        self._settle(events, {task.place for task in chosen}, errors)
        return len(chosen)

    def make_round(self) -> None:
        """What no event tells: failed documents that are due, sources without webhooks, events done long ago."""
        for connection in self._connections().values():
            self._retry(connection)
            self._watch(connection)
            last = self._polled.setdefault(connection.id, time.monotonic())
            if connection.poll_seconds and time.monotonic() - last >= connection.poll_seconds:
                self._polled[connection.id] = time.monotonic()
                self._unpublished = True
                sync_connection(self._services, connection, observer=Observer(self._reporter.stage_done))
        self._publish()
        self._services.catalog.events.delete_old()

    def _connections(self) -> dict[str, Connection]:
        """Those that are not paused: the events of the others wait."""
        catalog, settings = self._services.catalog, self._services.settings
        return {one.id: one for one in settings.connections if not catalog.connections.get(one.id).paused}

    def _look(self, connection: Connection, chosen: Sequence[Task]) -> Mapping[Place, str]:
        if any(task.place[1].scope in ("units", "memberships") for task in chosen):
            self._connectors.forget(connection.id)  # it remembers names and channels that are no longer so
        now = time.time()
        for task in chosen:
            self._pace.looked_at(task.place, now)
        looked = self._looking(connection).look(task.place[1] for task in chosen)
        for task in chosen:
            change = task.place[1]
            if change in looked.stages:
                for event_id in task.events:
                    self._done.setdefault(event_id, {})[change] = looked.stages[change]
        self._say(connection, looked)
        return {(connection.id, change): error for change, error in looked.errors.items()}

    def _retry(self, connection: Connection) -> None:
        due = self._services.catalog.documents.due_by_unit(connection.id)
        changes = [Invalidation("document", unit, document_id) for unit, ids in due.items() for document_id in ids]
        if changes:
            self._unpublished = True
            self._looking(connection).look(changes)

    def _watch(self, connection: Connection) -> None:
        """Keep channels of sources whose pushes expire open."""
        connector = self._connectors.get(connection)
        if not isinstance(connector, PushChannels):
            return
        kept = self._services.catalog.connections.channels(connection.id)
        try:
            channels = connector.renew_channels(kept, datetime.now(UTC))
        except SourceError as error:
            logger.warning("%s: its push channels are not renewed: %s", connection.id, error)
        else:
            if channels != kept:
                self._services.catalog.connections.save_channels(connection.id, channels)

    def _looking(self, connection: Connection) -> Looking:
        observer = Observer(self._reporter.stage_done)
        return Looking(self._services, connection, self._connectors.get(connection), observer, self._strangers)

    def _publish(self) -> None:
        if self._unpublished:
            self._reporter.published(publish(self._services))
            self._unpublished = False

    def _settle(self, events: Sequence[PendingEvent], looked_at: Set[Place], errors: Mapping[Place, str]) -> None:
        """Only after publishing: an event that was killed before is worked on again, and does no harm."""
        finished: dict[int, list[dict[str, str]]] = {}
        failed: dict[str, list[PendingEvent]] = {}
        busy: list[int] = []
        for event in events:
            places = [(event.connection, change) for change in event.invalidations]
            through = self._done.get(event.id, {})
            if all(change in through for change in event.invalidations):
                finished[event.id] = _named(self._done.pop(event.id, {}))
            elif error := next((errors[place] for place in places if place in errors), None):
                failed.setdefault(error, []).append(event)
            elif any(place in looked_at and place[1] not in through for place in places):
                busy.append(event.id)
        self._services.catalog.events.mark_done(finished)
        for error, concerned in failed.items():
            self._services.catalog.events.record_failure(concerned, error)
        self._services.catalog.events.postpone(busy)

    @staticmethod
    def _say(connection: Connection, looked: Looked) -> None:
        documents = looked.report.documents
        logger.info(
            "%s: %d new, %d changed, %d deleted, %d texts embedded, %.2f s%s",
            connection.id,
            documents.new,
            documents.changed,
            documents.deleted,
            looked.report.embedding.inputs,
            looked.report.seconds,
            "".join(f"; {error}" for error in sorted(set(looked.errors.values()))),
        )


def _named(through: Mapping[Invalidation, Sequence[StageDone]]) -> list[dict[str, str]]:
    """The materialisations that an event led to, each once."""
    names = {
        (f"{done.connection.source}/{done.stage}", f"{done.connection.id}/{done.unit.id}")
        for stages in through.values()
        for done in stages
    }
    return [{"asset": asset, "partition": partition} for asset, partition in sorted(names)]
