"""A webhook's delivery: verified, kept, and only then answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import TimeoutError as PoolExhausted

from connectors.registry import receive
from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, Event
from pipelines.catalog import Catalog
from pipelines.errors import CatalogUnavailable
from pipelines.events.spool import Spool

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

NOT_AWAITED = "verification refused"
"""Kind of the event that tells operators of a secret that was offered, and that nobody waited for."""

_SECONDS_FOR_CATALOG = 2.5
"""For a lock that is held, a pool without a free connection and a database that hangs, all together. Slack waits for
three seconds, GitHub for ten (https://docs.slack.dev/apis/events-api, "responding to events")."""
_asking = ThreadPoolExecutor(16, thread_name_prefix="inbox")


def accept(catalog: Catalog, spool: Spool, connection: Connection, headers: Mapping[str, str], body: bytes) -> Event:
    """Verify a delivery and keep it in the inbox, or in the spool while the catalog is away; one that is there already
    changes nothing.

    `headers` by lower-case name. Raises DeliveryRefused, and DeliveryUnreadable; CatalogUnavailable where it can be
    kept in neither.
    """
    event = receive(connection, headers, body, time.time())
    if event.offered_secret:
        return _in_time(_take_secret, catalog, connection, event)
    _keep(catalog, spool, connection.id, event, _without_secret(connection, body))
    return event


def _keep(catalog: Catalog, spool: Spool, connection: str, event: Event, body: bytes) -> None:
    if not spool.is_waiting:
        try:
            _in_time(catalog.events.store, connection, event, body)
        except (CatalogUnavailable, PoolExhausted) as error:
            logger.error("deliveries are kept in the spool: %s", error)
        else:
            return
    spool.add(connection, event, body)


def _in_time(ask: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Ask the catalog, and raise CatalogUnavailable where it has not answered in time for who has sent the delivery.

    An answer that comes later does no harm: the inbox knows by its id what comes twice.
    """
    asked = _asking.submit(copy_context().run, partial(ask, *args, **kwargs))
    try:
        return asked.result(_SECONDS_FOR_CATALOG)
    except FutureTimeout:
        asked.cancel()
        raise CatalogUnavailable(f"no answer within {_SECONDS_FOR_CATALOG:g} seconds") from None


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
