"""The lane of rights: what waiting events take away counts at once, beside the worker's passes over content.

A pass may wait for the source, the embedding API, a lease or the index. The lane waits for none of them: it asks the
source for what an event says to be gone, for units and for memberships, for all that has changed of rights in a unit
that is paused, and writes to the catalog what was lost. The events themselves stay for the passes.
Each connection has a thread of its own: a source that is slow, or has much to tell, holds up no other's rights.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event as Signal
from threading import Event as Stop

from connectors.contract import Connector, in_unit
from connectors.errors import SourceError
from connectors.settings import Connection
from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.errors import CatalogUnavailable, HeadraceError, UnitBusy
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.places import known_units
from pipelines.ingestion.connection_rights import refresh_memberships
from pipelines.ingestion.paused_rights import follow_rights, paused_units
from pipelines.ingestion.rights import read_rights
from pipelines.ingestion.source_requests import counting_requests
from pipelines.ingestion.unit_listing import sync_units
from pipelines.services import Services
from pipelines.tracing import continued_span

logger = logging.getLogger(__name__)

EVENTS_AT_ONCE = 1_000
LATE_EVENTS = 100
"""An event is looked for among so many before the last: on PostgreSQL the one with the lower id may be stored later."""
SECONDS_BETWEEN_POLLS = 0.1
SECONDS_BETWEEN_LOOKS = 3.0
"""While nothing comes."""


class RightsLane:
    """Has connectors of its own: one is used by one thread at a time, that of its connection."""

    def __init__(self, services: Services, connectors: ConnectorPool) -> None:
        self._catalog = services.catalog
        self._services = services
        self._connectors = connectors
        self._seen: set[int] = set()
        # By connection: units in which something has changed, as an event tells; the empty id is all of them.
        self._changed: dict[str, set[str]] = defaultdict(set)
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._busy: dict[str, Future[None]] = {}

    def run(self, stop: Stop, arrived: Signal) -> None:
        """Look at events as they come: when one has `arrived`."""
        with ExitStack() as threads:
            for connection in self._services.settings.connections:
                thread = self._threads[connection.id] = ThreadPoolExecutor(1, f"rights {connection.id}")
                threads.callback(thread.shutdown, cancel_futures=True)
                # What is imported for it is imported before the first event.
                self._submit(connection, self._open_connector)
            while not stop.is_set():
                self._take_turn(stop, arrived)

    def _take_turn(self, stop: Stop, arrived: Signal) -> None:
        worked = 0
        try:
            new = self._new_events()
            worked = len(new)
            for connection in self._services.settings.connections:
                mine = [event for event in new if event.connection == connection.id]
                is_idle = not mine and self._busy[connection.id].done()
                if mine or (is_idle and self._changed[connection.id]):
                    self._submit(connection, partial(self._work, events=mine))
        except CatalogUnavailable:  # the worker says so
            stop.wait(SECONDS_BETWEEN_POLLS * 10)
        except Exception:
            logger.exception("the lane of rights failed, and goes on")
        if not worked:
            self._wait(stop, arrived)

    def _wait(self, stop: Stop, arrived: Signal) -> None:
        """A moment, where units wait for another process; else until something has come, or may have come unheard."""
        until = time.monotonic() + (0 if any(self._changed.values()) else SECONDS_BETWEEN_LOOKS)
        while not (stop.is_set() or arrived.wait(SECONDS_BETWEEN_POLLS) or time.monotonic() >= until):
            pass
        arrived.clear()

    def run_pass(self) -> int:
        """Look at the events that are new, connection by connection; returns how many there were."""
        new = self._new_events()
        for connection in self._services.settings.connections:
            self._work(connection, [event for event in new if event.connection == connection.id])
        return len(new)

    def _new_events(self) -> list[PendingEvent]:
        connections = [one.id for one in self._services.settings.connections]
        last = max(self._seen, default=0)
        events = self._catalog.events.pending(connections, EVENTS_AT_ONCE, after=last - LATE_EVENTS)
        new = [event for event in events if event.id not in self._seen]
        self._seen = {one for one in self._seen | {event.id for event in new} if one > last - LATE_EVENTS}
        return new

    def _submit(self, connection: Connection, work: Callable[[Connection], None]) -> None:
        """Let the connection's thread do this after what it has to do already."""

        def run() -> None:
            try:
                work(connection)
            except CatalogUnavailable:  # the worker says so
                logger.info("%s: rights wait for the catalog", connection.id)
            except Exception:
                logger.exception("the lane of rights failed, and goes on")

        self._busy[connection.id] = self._threads[connection.id].submit(run)

    def _work(self, connection: Connection, events: Sequence[PendingEvent]) -> None:
        if events:
            with continued_span("rights", [event.traceparent for event in events], connection=connection.id):
                self._look(connection, events)
        self._follow(connection)

    def _open_connector(self, connection: Connection) -> None:
        with _log_trouble(connection):
            self._connectors.get(connection)

    @contextmanager
    def _counted(self, connection: Connection) -> Iterator[Connector]:
        """The connection's connector; what it sends in the context is counted."""
        connector = self._connectors.get(connection)
        with counting_requests(self._catalog, connection.id, connector):
            yield connector

    def _look(self, connection: Connection, events: Iterable[PendingEvent]) -> None:
        """At documents first, which take a request or two each; at memberships last, which may take many."""
        paused = self._catalog.connections.get(connection.id).paused
        found = [one for event in events for one in event.invalidations]
        scopes = {one.scope for one in found}
        if scopes & {"units", "memberships"}:
            self._connectors.discard(connection.id)  # it remembers channels that are no longer so
        for unit, documents in self._documents(connection, found, every=paused).items():
            with _log_trouble(connection):
                if state := self._catalog.units.get(connection.id, unit):
                    ids, deletions = [own for own, _ in documents], [own for own, gone in documents if gone]
                    with self._counted(connection) as connector:
                        read_rights(self._services, connection, connector, state.unit, ids, deletions)
        if "units" in scopes:
            with _log_trouble(connection), self._counted(connection) as connector:
                sync_units(self._services, connection, connector)
        self._changed[connection.id].update(one.unit for one in found if one.scope == "unit")
        if "memberships" in scopes:
            with _log_trouble(connection), self._counted(connection) as connector:
                refresh_memberships(self._services, connection, connector)

    def _follow(self, connection: Connection) -> None:
        """Read what has changed of rights in units that are paused; where another process works, by the next pass."""
        changed = self._changed.pop(connection.id, set())
        units = [unit for unit in paused_units(self._catalog, connection) if changed & {unit.id, ""}] if changed else []
        if units:
            self._connectors.discard(connection.id)  # it remembers who belongs to what
        for unit in units:
            with _log_trouble(connection):
                try:
                    with self._counted(connection) as connector:
                        follow_rights(self._catalog, connection, connector, unit)
                except UnitBusy:
                    self._changed[connection.id].add(unit.id)

    def _documents(
        self, connection: Connection, found: Iterable[Invalidation], *, every: bool
    ) -> Mapping[str, list[tuple[str, bool]]]:
        """Ids of those that an event says to be gone, by unit; of a paused connection every one, whose content waits.
        Each with whether something of it is gone."""
        by_unit: dict[str, list[tuple[str, bool]]] = {}
        chosen = [one for one in found if one.scope == "document" and (every or one.withdraws)]
        # Of two that are equal, an edit and a deletion, the first one says what it withdraws.
        for one in dict.fromkeys(sorted(chosen, key=lambda one: not one.withdraws)):
            for unit in [one.unit] if one.unit else known_units(self._catalog, connection.id, one.document_id):
                by_unit.setdefault(unit, []).append((in_unit(one.document_id, unit), one.withdraws))
        return by_unit


@contextmanager
def _log_trouble(connection: Connection) -> Iterator[None]:
    """Trouble is left to the events themselves, which are tried again."""
    try:
        yield
    except CatalogUnavailable:
        raise
    except (SourceError, HeadraceError) as error:
        logger.warning("%s: rights could not be read: %s", connection.id, error)
    except Exception:
        logger.exception("%s: rights could not be read: unexpected error", connection.id)
