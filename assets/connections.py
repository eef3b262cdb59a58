"""One job and one schedule per connection."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import index_metadata, stage_metadata
from assets.partitions import partition_key, register
from assets.retrieval import RETRIEVAL
from assets.runtime import Runtime
from assets.stages import asset_key
from connectors.connection import Connection
from pipelines.options import SyncOptions
from pipelines.report import SyncReport
from pipelines.stages.publish import publish
from pipelines.sync import Observer, StageDone, sync_connection


class SyncConfig(dg.Config):
    """Which units to sync (none named: all), and whether to read them in full."""

    units: list[str] = Field(default_factory=list)
    full: bool = False
    allow_mass_delete: bool = False


def job_name(connection: str) -> str:
    return f"sync_{connection.replace('-', '_')}"


def connection_job(connection: Connection) -> dg.JobDefinition:
    """Sync all units of a connection in one run, and publish.

    One run for many units spares a process start per unit. Each unit that succeeds counts as materialised
    at once; units that fail are named in the failure at the end, after all others were done.
    """

    @dg.op(name=f"read_{connection.id.replace('-', '_')}", description=f"Sync and publish {connection.id}.")
    def sync(context: dg.OpExecutionContext, config: SyncConfig, runtime: dg.ResourceParam[Runtime]) -> None:
        def stage_done(done: StageDone) -> None:
            register(context.instance, connection, [done.unit])
            context.log_event(_materialization(done))
            runtime.observer.stage_done(done)

        observer = Observer(stage_done, runtime.observer.progress)
        options = SyncOptions(full=config.full, allow_mass_delete=config.allow_mass_delete)
        with runtime.workspace() as workspace:
            report = sync_connection(workspace, connection, config.units, options, observer)
            runtime.report.add(report)
            context.log_event(dg.AssetMaterialization(RETRIEVAL, metadata=index_metadata(publish(workspace))))
        context.log.info(f"{connection.id}: {_summary(report)}")
        if report.errors:
            raise dg.Failure("; ".join(f"{unit}: {error}" for unit, error in report.errors.items()))

    @dg.job(name=job_name(connection.id), description=f"Bring all units of {connection.id} up to date and publish.")
    def job() -> None:
        sync()

    return job


def connection_schedule(connection: Connection, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=job.name,
        job=job,
        cron_schedule=connection.schedule,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Syncs {connection.id} at {connection.schedule}.",
    )


def _materialization(done: StageDone) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key(done.connection.source, done.stage),
        partition=partition_key(done.connection.id, done.unit.id),
        metadata=stage_metadata(done.stage, done.report),
    )


def _summary(report: SyncReport) -> dict[str, Any]:
    return {name: value for name, value in report.as_json().items() if name != "errors"}
