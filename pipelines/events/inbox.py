"""A webhook's delivery: verified, kept, and only then answered."""

from __future__ import annotations

import time
from collections.abc import Mapping

from connectors.registry import receive
from connectors.settings import Connection
from connectors.webhooks import Event
from pipelines.catalog import Catalog


def accept(catalog: Catalog, connection: Connection, headers: Mapping[str, str], body: bytes) -> Event:
    """Verify a delivery and keep it in the inbox; one that is there already changes nothing.

    `headers` by lower-case name. Raises DeliveryRefused, and DeliveryUnreadable.
    """
    event = receive(connection, headers, body, time.time())
    catalog.events.store(connection.id, event, body)
    return event
