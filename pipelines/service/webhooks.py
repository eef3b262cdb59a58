"""The sources' webhooks: verified over the raw body, kept in the inbox, and only then answered."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from starlette.datastructures import Headers

from connectors.registry import UnknownSource, source
from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable
from pipelines.catalog import Catalog
from pipelines.events.inbox import accept
from pipelines.events.spool import Spool
from pipelines.service.description import OPEN
from pipelines.service.errors import WEBHOOKS_PATH, Problem, problem_responses
from pipelines.service.metrics import Metrics
from pipelines.service.request_guard import has_length
from pipelines.settings import Settings
from pipelines.tracing import server_span

MOST_BYTES = 5 * 1024 * 1024
"""Of a delivery. Some sources send up to 25 MB; what they say about one object fits into far less."""
_MOST_UNSIGNED_BYTES = 4 * 1024
"""Of a delivery without a signature: the first one of a source may have none."""
_DELIVERIES_AT_ONCE = 16
_NOBODY = "unknown"
"""Stands for all connections that the settings do not have: their names are whatever somebody tries."""

logger = logging.getLogger(__name__)


def install(app: FastAPI, settings: Settings, catalog: Catalog, spool: Spool, metrics: Metrics) -> None:
    """Take deliveries at `POST /webhooks/{connection}`."""
    connections = {one.id: one for one in settings.connections}
    signature_headers = _signature_headers(settings.connections)
    own_threads = CapacityLimiter(_DELIVERIES_AT_ONCE)  # searches that wait for a catalog hold up no delivery

    @app.post(
        f"{WEBHOOKS_PATH}{{connection}}",
        tags=["webhooks"],
        openapi_extra=OPEN,
        responses=problem_responses(400, 401, 413, 503),
    )
    async def receive_webhook(connection: str, request: Request) -> dict[str, Any]:
        """Keep a source's event. Deliveries that are not signed as the connection's settings say are refused."""
        known = connections.get(connection)
        result, answer = "refused", None
        if _may_be_signed(request.headers, signature_headers):
            with server_span("receive", connection=known.id if known else _NOBODY):
                body = await _body(request)
                headers = dict(request.headers)
                result, answer = await to_thread.run_sync(
                    _accept, catalog, spool, known, headers, body, limiter=own_threads
                )
        metrics.deliveries.labels(known.id if known else _NOBODY, result).inc()
        return _answer_or_raise(answer)


def _signature_headers(connections: Iterable[Connection]) -> frozenset[str] | None:
    """Names of headers by which the sources of these connections sign; None where one does not say."""
    names: set[str] = set()
    for connection in connections:
        try:
            one = source(connection.source)
        except UnknownSource:
            continue
        if one.takes_documents:  # which come another way
            continue
        signed_by = one.signature_headers
        if not signed_by:
            return None
        names.update(signed_by)
    return frozenset(names)


def _may_be_signed(headers: Headers, signature_headers: frozenset[str] | None) -> bool:
    """Whether a delivery is worth reading. Equal for all connections, so that it does not tell which there are."""
    return (
        signature_headers is None
        or not signature_headers.isdisjoint(headers.keys())
        or has_length(headers, _MOST_UNSIGNED_BYTES)
    )


async def _body(request: Request) -> bytes:
    """The body as it was sent, which is what the signature is over. Raises a 413 problem."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise Problem(413, "Content too large", f"A delivery may have at most {MOST_BYTES} bytes.")
        parts.append(part)
    return b"".join(parts)


def _accept(
    catalog: Catalog, spool: Spool, connection: Connection | None, headers: dict[str, str], body: bytes
) -> tuple[str, dict[str, Any] | Problem | None]:
    """What became of a delivery, and its answer; none for what is refused."""
    if connection is None:
        hmac.digest(b"nobody's", body, "sha256")  # as long as it takes to find a signature wrong
        return "refused", None
    try:
        event = accept(catalog, spool, connection, headers, body)
    except DeliveryRefused:
        return "refused", None  # whoever guesses learns nothing
    except DeliveryUnreadable as error:
        logger.warning("%s: a signed delivery cannot be read: %s", connection.id, error)
        return "unreadable", Problem(400, "Bad request", f"The delivery cannot be read: {error}")
    return ("taken" if event.invalidations else "ignored"), event.answer


def _answer_or_raise(answer: dict[str, Any] | Problem | None) -> dict[str, Any]:
    if answer is None:
        detail = "The delivery is not signed as it should be, or nobody takes it here."
        raise Problem(401, "Unauthorized", detail)
    if isinstance(answer, Problem):
        raise answer
    return answer
