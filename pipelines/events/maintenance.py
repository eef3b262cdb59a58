"""What no event tells a worker of: documents whose next attempt is due, texts that wait for a budget, push channels
that expire, sources that are polled."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from connectors.contract import PushChannels
from connectors.errors import SourceError
from connectors.settings import Connection
from connectors.webhooks import Invalidation
from pipelines.catalog.budgets import has_room
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.processor import EventProcessor
from pipelines.ingestion.observer import Observer
from pipelines.ingestion.orchestrator import Reporter
from pipelines.ingestion.source_requests import counting_requests
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services

logger = logging.getLogger(__name__)


class Maintenance:
    """Of one connection at a time, in its thread."""

    def __init__(self, services: Services, connectors: ConnectorPool, reporter: Reporter) -> None:
        self._services = services
        self._connectors = connectors
        self._reporter = reporter
        self._polled: dict[str, float] = {}

    def retry_failed(self, connection: Connection, processor: Callable[[Connection], EventProcessor]) -> bool:
        """Whether there was anything to try again."""
        due = self._services.catalog.retries.due_by_unit(connection.id)
        invalidations = [
            Invalidation("document", unit, document_id) for unit, ids in due.items() for document_id in ids
        ]
        if invalidations:
            processor(connection).process(invalidations)
        return bool(invalidations)

    def index_held(self, connection: Connection, processor: Callable[[Connection], EventProcessor]) -> bool:
        """Whether anything waited until the connection's budget has room, and has been indexed."""
        catalog = self._services.catalog
        held = catalog.loads.held_units(connection.id)
        if not held or not has_room(catalog, self._services.settings, connection.id):
            return False
        states = catalog.units.all(connection.id)
        units = [one.unit for one in states if one.unit.id in held and not (one.gone or one.paused)]
        return processor(connection).index_held(units).has_changed

    def renew_channels(self, connection: Connection) -> None:
        """Keep channels of sources whose pushes expire open."""
        connector = self._connectors.get(connection)
        if not isinstance(connector, PushChannels):
            return
        catalog = self._services.catalog
        state = catalog.connections.channels(connection.id)
        try:
            with counting_requests(catalog, connection.id, connector):
                channels = connector.renew_channels(state, datetime.now(UTC))
        except SourceError as error:
            logger.warning("%s: its push channels are not renewed: %s", connection.id, error)
        else:
            if channels != state:
                catalog.connections.save_channels(connection.id, channels)

    def poll(self, connection: Connection) -> bool:
        """Sync a connection whose `poll_seconds` are over; the first time is that long after the worker's start.
        Returns whether it was."""
        last = self._polled.setdefault(connection.id, time.monotonic())
        if not connection.poll_seconds or time.monotonic() - last < connection.poll_seconds:
            return False
        self._polled[connection.id] = time.monotonic()
        sync_connection(self._services, connection, observer=Observer(self._reporter.stage_done))
        return True
