"""What `tests/installed.py` forks: all that commands import as they go on, and what each would read from the disk."""

from __future__ import annotations

import gc
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path

import typer

from assets.instance import dagster_instance
from connectors.http import trusted
from connectors.registry import sources
from pipelines.cli.app import app
from pipelines.services import Services
from pipelines.settings import Settings
from tests.catalog_tables import keep_catalog_tables
from tests.compiled_statements import keep_compiled_statements
from tests.migration_scripts import keep_migration_scripts
from tests.run_histories import keep_run_histories

MODULES = (
    "assets.orchestrator",
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.runs.run_domain",
    "dagster._core.storage.local_compute_log_manager",
    "dlt.common.libs.pyarrow",
    "dlt.sources.helpers.requests",
    "encodings.idna",
    "encodings.utf_8_sig",
    "h2.connection",
    "httpcore",
    "numpy",
    "openai",
    "pendulum.locales.en.locale",
    "pipelines.bulk_chunking",
    "pipelines.catalog.bounded_connection",
    "pipelines.cli.commands.explain",
    "pipelines.cli.commands.search",
    "pipelines.cli.status_output",
    "pipelines.cli.targets",
    "pipelines.cli.wrong_use",
    "pipelines.embedding.metering",
    "pipelines.embedding.openai.client",
    "pipelines.evaluation.embedding",
    "pipelines.events.admin",
    "pipelines.events.run",
    "pipelines.index.embedded.reader",
    "pipelines.index.embedded.store",
    "pipelines.index.references",
    "pipelines.ingestion.orchestrator",
    "pipelines.ingestion.documents",
    "pipelines.ingestion.reindex",
    "pipelines.ingestion.told_parts",
    "pipelines.ingestion.unit_task",
    "pipelines.landing.destination",
    "pipelines.operations.connection_checks",
    "pipelines.operations.estimate",
    "pipelines.operations.explain",
    "pipelines.operations.prune",
    "pipelines.retrieval.permitted_index",
    "pipelines.service.app",
    "pipelines.service.run",
    "pyarrow.compute",
    "pyarrow.parquet",
    "qdrant_edge",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    *(f"connectors.{source}.source" for source in ("drive", "github", "notion", "push", "slack")),
)


def preload() -> None:
    for module in MODULES:
        import_module(module)
    trusted()  # reads the trusted certificates
    sources()  # looks through all packages that are installed
    keep_command()
    keep_migration_scripts()
    keep_compiled_statements()
    keep_catalog_tables()
    keep_run_histories()
    with tempfile.TemporaryDirectory() as folder:
        _make_databases(Settings(directory=Path(folder)))
    gc.collect()
    gc.freeze()  # what is not looked at is not copied either


def keep_command() -> None:
    """Typer makes the command of the signatures of all that are below it, whichever runs."""
    setattr(typer.main, "get_command", cache(typer.main.get_command))  # noqa: B010 - a function is not assigned to
    typer.main.get_command(app)


def _make_databases(settings: Settings) -> None:
    """Once: commands copy them, or repeat the statements that made them."""
    with dagster_instance(settings), Services(settings) as services:
        services.catalog.connections.paused()


preload()
