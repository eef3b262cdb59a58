"""When the jobs run."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import SCHEDULE_NAME_TAG

from assets.keys import dagster_name, job_name
from assets.resources import Runtime
from assets.sync_steps import sync_run_config
from assets.unfinished_runs import is_under_way
from connectors.settings import Connection


def build_freshness_schedule(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=job.name,
        job=job,
        cron_schedule="*/30 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Checks every half hour that no connection is late.",
    )


def build_schedules(connection: Connection) -> list[dg.ScheduleDefinition]:
    """When the connection's jobs run. Of a paused one, syncs and memberships still do: they read rights, no content."""
    sync = job_name(connection.id)
    return [
        _schedule(connection, sync, sync, connection.schedule, "changes"),
        _schedule(
            connection, f"reconcile_{dagster_name(connection.id)}", sync, connection.reconcile_schedule, "reconcile"
        ),
        _schedule(
            connection,
            f"memberships_{dagster_name(connection.id)}",
            f"memberships_{dagster_name(connection.id)}",
            connection.memberships_schedule,
        ),
    ]


def _schedule(connection: Connection, name: str, job: str, cron: str, mode: str | None = None) -> dg.ScheduleDefinition:
    asked = {"mode": mode, "scheduled": True}
    config = sync_run_config(connection.id, asked) if mode else {}

    @dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Runs {job}{f' to {mode}' if mode else ''} at {cron}.",
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, runtime: dg.ResourceParam[Runtime]
    ) -> dg.RunRequest | dg.SkipReason:
        if is_under_way(context.instance, job, {SCHEDULE_NAME_TAG: name}):
            return dg.SkipReason(f"the run of {name} before is still under way")
        with runtime.services() as services:
            if mode == "reconcile" and services.catalog.connections.get(connection.id).paused:
                return dg.SkipReason(f"{connection.id} is paused")
        return dg.RunRequest(run_config=config)

    return schedule
