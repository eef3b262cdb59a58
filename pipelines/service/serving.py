"""Running the application on the published index."""

from __future__ import annotations

import logging

import uvicorn

from pipelines.logs import to_standard_error
from pipelines.service.app import create_app
from pipelines.settings import Settings
from pipelines.workspace import Workspace


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer until SIGINT or SIGTERM; requests under way are finished first."""
    to_standard_error(logging.INFO)
    with Workspace(settings) as workspace:
        app = create_app(settings, index=workspace.reader, embedder=workspace.embedder, memberships=workspace.catalog)
        _warm(workspace)
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=10)


def _warm(workspace: Workspace) -> None:
    """Load a local model before the first question; a provider's API is not asked for nothing."""
    if workspace.settings.embedding.provider == "local":
        for _ in workspace.embedder.embed(["warm"], purpose="query"):
            pass
