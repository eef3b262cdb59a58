"""Running the application on the published index."""

from __future__ import annotations

import logging

import uvicorn

from pipelines.logs import to_standard_error
from pipelines.service.app import create_app
from pipelines.service.key_rules import require_own_keys
from pipelines.services import Services
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer until SIGINT or SIGTERM; requests under way are finished first."""
    require_own_keys(settings, host)
    to_standard_error(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # says at which address it listens, and that it ends
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
        index = services.reader.info()
        logger.info(
            "index %s: %d documents, %d points, model %s", index.collection, index.documents, index.points, index.model
        )
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10)
