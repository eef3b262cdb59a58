"""The sources' webhooks: verified over the raw body, kept in the inbox, and only then answered."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable
from pipelines.catalog import Catalog
from pipelines.errors import UsageError
from pipelines.events.inbox import accept
from pipelines.service.errors import WEBHOOKS_PATH, Problem, problem_responses
from pipelines.service.metrics import Metrics
from pipelines.settings import Settings

MOST_BYTES = 5 * 1024 * 1024
"""Of a delivery. Some sources send up to 25 MB; what they say about one object fits into far less."""

logger = logging.getLogger(__name__)


def install(app: FastAPI, settings: Settings, catalog: Catalog, metrics: Metrics) -> None:
    """Take deliveries at `POST /webhooks/{connection}`."""

    @app.post(f"{WEBHOOKS_PATH}{{connection}}", responses=problem_responses(400, 401, 404, 413))
    async def webhook(connection: str, request: Request) -> dict[str, Any]:
        """Keep a source's event. Deliveries that are not signed as the connection's settings say are refused."""
        try:
            known = settings.connection(connection)
        except UsageError:
            raise Problem(404, "Not found", "There is no such connection.") from None
        body = await _body(request)
        result, answer = await run_in_threadpool(_accept, catalog, known, dict(request.headers), body)
        metrics.deliveries.labels(known.id, result).inc()
        if isinstance(answer, Problem):
            raise answer
        return answer


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
    catalog: Catalog, connection: Connection, headers: dict[str, str], body: bytes
) -> tuple[str, dict[str, Any] | Problem]:
    try:
        event = accept(catalog, connection, headers, body)
    except DeliveryRefused:
        # Whoever guesses learns nothing, and leaves nothing but a count.
        return "refused", Problem(
            401, "Unauthorized", "The delivery is not signed as it should be, or this connection takes none."
        )
    except DeliveryUnreadable as error:
        logger.warning("%s: a signed delivery cannot be read: %s", connection.id, error)
        return "unreadable", Problem(400, "Bad request", f"The delivery cannot be read: {error}")
    return ("taken" if event.invalidations else "ignored"), event.answer
