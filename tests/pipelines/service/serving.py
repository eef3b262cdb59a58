"""An application served over loopback HTTP, for clients that bring their own transport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from pipelines.service.app import create_app
from pipelines.services import Services
from pipelines.settings import Settings
from tests.loopback import serve


def app_of(services: Services, settings: Settings | None = None) -> FastAPI:
    """The application over what a services holds, with its settings or others."""
    return create_app(
        settings or services.settings,
        index=services.reader,
        embedder=services.embedder,
        reranker=services.reranker,
        memberships=services.catalog,
        assistants=services.catalog.assistants,
        inbox=services.catalog,
        intake=services.intake,
    )


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The application's base URL, while it is served by a thread."""
    with serve(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"), port) as url:
        yield url
