"""What `tests/installed.py` forks: all that commands import as they go on, and what each would read from the disk."""

from __future__ import annotations

import gc
import tempfile
from importlib import import_module
from pathlib import Path

from assets.instance import dagster_instance
from connectors.http import trusted
from pipelines.services import Services
from pipelines.settings import Settings
from tests.catalog_tables import keep_catalog_tables
from tests.compiled_statements import keep_compiled_statements
from tests.migration_scripts import keep_migration_scripts
from tests.run_histories import keep_run_histories

MODULES = (
    "assets.orchestrator",
    "openai",
    "pipelines.catalog.bounded_connection",
    "pipelines.cli.app",
    "pipelines.cli.targets",
    "pipelines.embedding.openai.client",
    "pipelines.events.run",
    "pipelines.index.embedded.reader",
    "pipelines.index.embedded.store",
    "pipelines.ingestion.orchestrator",
    "pipelines.landing.destination",
    "pipelines.retrieval.permitted_index",
    "pipelines.service.app",
    "pipelines.service.run",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    *(f"connectors.{source}.source" for source in ("drive", "github", "notion", "push", "slack")),
)


def preload() -> None:
    for module in MODULES:
        import_module(module)
    trusted()  # reads the trusted certificates
    keep_migration_scripts()
    keep_compiled_statements()
    keep_catalog_tables()
    keep_run_histories()
    with tempfile.TemporaryDirectory() as folder:
        _make_databases(Settings(directory=Path(folder)))
    gc.collect()
    gc.freeze()  # what is not looked at is not copied either


def _make_databases(settings: Settings) -> None:
    """Once: commands copy them, or repeat the statements that made them."""
    with dagster_instance(settings), Services(settings) as services:
        services.catalog.connections.paused()


preload()
