"""All definitions, for `dagster dev` and every other Dagster command."""

from __future__ import annotations

import dagster as dg

from assets.checks import build_accounting_check, build_freshness_checks
from assets.executors import build_executor
from assets.history import history_sensor
from assets.ingestion import build_assets
from assets.jobs import build_freshness_job, build_jobs, events
from assets.logs import write_json_lines
from assets.notifications import health_notifications
from assets.resources import Runtime, runtime_resource
from assets.retrieval import build_retrieval
from assets.schedules import build_freshness_schedule, build_schedules
from assets.sensors import dead_runs, publish_sensor, waiting_events
from assets.step_outputs import build_io_manager
from pipelines.logs import log_retries
from pipelines.settings import Settings, load_settings


def build_definitions(settings: Settings, runtime: Runtime | None = None) -> dg.Definitions:
    """Definitions for these settings: all but the publication and the events are the connections'."""
    connections = settings.connections
    freshness_job = build_freshness_job(connections)
    return dg.Definitions(
        assets=[
            *(asset for one in connections for asset in build_assets(one, settings.runs)),
            build_retrieval(connections),
        ],
        asset_checks=[build_freshness_checks(connections), *map(build_accounting_check, connections)],
        jobs=[events, freshness_job, *(job for one in connections for job in build_jobs(one))],
        schedules=[
            build_freshness_schedule(freshness_job),
            *(schedule for one in connections for schedule in build_schedules(one)),
        ],
        sensors=[dead_runs, health_notifications, history_sensor, publish_sensor, waiting_events],
        resources={
            "runtime": runtime_resource(runtime or Runtime(settings)),
            "io_manager": build_io_manager(settings),
        },
        executor=build_executor(settings),
    )


@dg.definitions
def definitions() -> dg.Definitions:
    log_retries()
    settings = load_settings()
    if settings.logs.format == "json":
        write_json_lines()
    return build_definitions(settings)
