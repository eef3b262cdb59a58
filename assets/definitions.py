"""All definitions, for `dagster dev` and every other Dagster command."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.checks import build_accounting_check, build_freshness_check
from assets.ingestion import build_assets
from assets.jobs import build_jobs, events, freshness_job
from assets.logs import write_json_lines
from assets.notifications import health_notifications
from assets.resources import Runtime, runtime_resource
from assets.retrieval import retrieval
from assets.schedules import build_schedules, freshness_schedule
from assets.sensors import dead_runs, publish_sensor, units_sensor, waiting_events
from connectors.registry import sources
from pipelines.catalog.freshness import allowed_lag
from pipelines.logs import log_retries
from pipelines.settings import Settings, load_settings


def build_definitions(settings: Settings, runtime: Runtime | None = None) -> dg.Definitions:
    """Definitions for these settings. The graph is the same for all; jobs and schedules follow the connections."""
    return dg.Definitions(
        assets=[
            *(asset for source in sources() for asset in build_assets(source, _allowed_lag(settings, source))),
            retrieval,
        ],
        asset_checks=[*map(build_freshness_check, sources()), *map(build_accounting_check, sources())],
        jobs=[
            events,
            freshness_job,
            *(job for connection in settings.connections for job in build_jobs(connection)),
        ],
        schedules=[
            freshness_schedule,
            *(one for connection in settings.connections for one in build_schedules(connection)),
        ],
        sensors=[dead_runs, health_notifications, publish_sensor, units_sensor, waiting_events],
        resources={"runtime": runtime_resource(runtime or Runtime(settings))},
        executor=dg.in_process_executor,
    )


def _allowed_lag(settings: Settings, source: str) -> timedelta | None:
    """How long ago the most frequently read connection of a source may have been read."""
    return min((allowed_lag(one) for one in settings.connections if one.source == source), default=None)


@dg.definitions
def definitions() -> dg.Definitions:
    log_retries()
    settings = load_settings()
    if settings.logs.format == "json":
        write_json_lines()
    return build_definitions(settings)
