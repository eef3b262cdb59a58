"""A webhook's delivery: verified, kept, and only then answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace

from connectors.registry import receive
from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, Event
from pipelines.catalog import Catalog
from pipelines.errors import CatalogUnavailable
from pipelines.events.spool import Spool

logger = logging.getLogger(__name__)

NOT_AWAITED = "verification refused"
"""Kind of the event that tells operators of a secret that was offered, and that nobody waited for."""


def accept(catalog: Catalog, spool: Spool, connection: Connection, headers: Mapping[str, str], body: bytes) -> Event:
    """Verify a delivery and keep it in the inbox, or in the spool while the catalog is away; one that is there already
    changes nothing.

    `headers` by lower-case name. Raises DeliveryRefused, and DeliveryUnreadable; CatalogUnavailable where it can be
    kept in neither.
    """
    event = receive(connection, headers, body, time.time())
    if event.offered_secret:
        return _take_secret(catalog, connection, event)
    _keep(catalog, spool, connection.id, event, _without_secret(connection, body))
    return event


def _keep(catalog: Catalog, spool: Spool, connection: str, event: Event, body: bytes) -> None:
    if not spool.is_waiting:
        try:
            catalog.events.store(connection, event, body)
        except CatalogUnavailable as error:
            logger.error("deliveries are kept in the spool: %s", error)
        else:
            return
    spool.add(connection, event, body)


def _without_secret(connection: Connection, body: bytes) -> bytes:
    """A delivery as it is kept: the one by which an address is verified carries the secret itself."""
    secret = connection.webhook_secret.get_secret_value().encode() if connection.webhook_secret else b""
    return body.replace(secret, b"[webhook_secret]") if secret else body


def _take_secret(catalog: Catalog, connection: Connection, event: Event) -> Event:
    """Raises DeliveryRefused where no operator waits for a secret, or another one came first.

    Anybody may offer one.
    """
    if not catalog.verification_windows.offer(connection.id, event.offered_secret):
        advice = f"nobody waits for it: run `headrace events verify {connection.id}`, then let the source send it again"
        catalog.events.note_refusal(connection.id, NOT_AWAITED, advice)
        raise DeliveryRefused("the secret that it offers is not awaited")
    taken = replace(event, ignored=f"{event.ignored}; `headrace events verify` has printed what to do next")
    catalog.events.store(connection.id, taken, b"")
    return taken
