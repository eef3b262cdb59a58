"""Running the application on the published index."""

from __future__ import annotations

import logging
import signal
from functools import partial
from typing import Any, cast

import uvicorn

from connectors.registry import takes_documents
from pipelines.errors import IndexUnavailable
from pipelines.events.spool import draining
from pipelines.index.contract import IndexReader
from pipelines.logs import to_standard_error
from pipelines.metrics import serve_metrics
from pipelines.ports import require_free
from pipelines.service.app import create_app
from pipelines.service.connections import MOST_HEAD_BYTES, ClientConnection, ConnectionTable
from pipelines.service.key_rules import require_own_keys
from pipelines.service.metrics import Metrics
from pipelines.service.request_guard import BrowserHosts
from pipelines.service_settings import LimitsSettings
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.tracing import trace_process

SECONDS_FOR_ANSWERS = 4
"""How long requests under way may take once the server is told to end, which is to be gone within ten seconds."""
_STATEMENT_SECONDS = 5.0
"""Nobody who asks over HTTP waits for longer than this for each statement of an answer."""

logger = logging.getLogger(__name__)


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer until SIGINT or SIGTERM; requests under way are finished first. While the catalog is away, deliveries are
    taken, and all else is answered 503. From SIGUSR1 on, each answer ends its connection: for whoever is going to end
    this server, and wants its clients gone before.

    Raises UsageError where it cannot listen there, and IndexMismatch.
    """
    require_own_keys(settings, host)
    require_free(host, port)
    to_standard_error(logging.INFO, settings.logs.format)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # says at which address it listens, and that it ends
    metrics = Metrics()
    with (
        trace_process("serve"),
        Services(settings, reads_beside=True, statement_seconds=_STATEMENT_SECONDS, may_be_away=True) as services,
        serve_metrics(settings.metrics, "port", metrics.registry),
    ):
        catalog = services.catalog
        app = create_app(
            settings,
            index=services.reader,
            embedder=services.embedder,
            reranker=services.reranker,
            memberships=catalog,
            assistants=catalog.assistants,
            inbox=catalog,
            intake=services.intake if any(map(takes_documents, settings.connections)) else None,
            metrics=metrics,
            hosts=BrowserHosts.of(settings.public_url, host),
        )
        services.warm()
        _tell_index(services.reader)
        with draining(app.state.spool, catalog.events):
            config = server_config(app, settings.limits, metrics, host=host, port=port)
            signal.signal(signal.SIGUSR1, lambda *_: end_connections(config))
            uvicorn.Server(config).run()


def end_connections(config: uvicorn.Config) -> None:
    """From now on (within a second) each answer says that its connection ends, and ends it.

    A request that comes on an idle connection at the moment when the server closes that is lost, and few clients send a
    question again.
    """
    if config.loaded:
        config.encoded_headers.append((b"connection", b"close"))
    else:
        config.headers.append(("connection", "close"))


def _tell_index(reader: IndexReader) -> None:
    """Say what is published. Raises IndexMismatch; an index that is away is asked again by each question."""
    try:
        index = reader.info()
    except IndexUnavailable as error:
        logger.warning("nothing is found for now: %s", error)
    else:
        logger.info(
            "index %s: %d documents, %d points, model %s", index.collection, index.documents, index.points, index.model
        )


def server_config(app: Any, limits: LimitsSettings, metrics: Metrics, **address: Any) -> uvicorn.Config:
    """How the application is served: guarded connections, no WebSockets, and the same whatever else is installed."""
    table = ConnectionTable(limits.connections, lambda why: metrics.closed_connections.labels(why).inc())
    return uvicorn.Config(
        app,
        http=cast(Any, partial(ClientConnection, table)),
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        ws="none",
        log_config=None,
        access_log=False,
        forwarded_allow_ips=list(limits.trusted_proxies),
        timeout_graceful_shutdown=SECONDS_FOR_ANSWERS,
        **address,
    )
