"""Running the application on the published index."""

from __future__ import annotations

import logging

import uvicorn

from pipelines.logs import to_standard_error
from pipelines.service.app import create_app
from pipelines.services import Services
from pipelines.settings import Settings


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer until SIGINT or SIGTERM; requests under way are finished first."""
    to_standard_error(logging.INFO)
    logging.getLogger("mcp").setLevel(logging.WARNING)  # it would tell of every request
    with Services(settings) as services:
        catalog = services.catalog
        app = create_app(
            settings,
            index=services.reader,
            embedder=services.embedder,
            reranker=services.reranker,
            memberships=catalog,
            assistants=catalog.assistants,
            inbox=catalog,
        )
        services.warm()
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10)
