"""The jobs: of each connection its sync and its memberships; of all together the events and the freshness check."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import dagster as dg
from pydantic import Field

from assets.checks import check_source
from assets.failed_partitions import mark_failed
from assets.ingestion import asset_key
from assets.metadata import publication_metadata
from assets.partitions import register
from assets.reporting import DagsterReporter, materialization
from assets.resources import Runtime
from assets.retrieval import RETRIEVAL, check_publication, refusal
from connectors.errors import SourceError
from connectors.registry import connect, sources
from connectors.settings import Connection
from pipelines.errors import UsageError
from pipelines.ingestion.options import Mode, SyncOptions
from pipelines.ingestion.publish import check_and_publish
from pipelines.ingestion.report import SAID_BY_UNIT, SyncReport
from pipelines.ingestion.sync import Observer, StageDone, record_errors, refresh_memberships, sync_connection
from pipelines.operations.health import PUBLICATION, failing_units, known_failures
from pipelines.services import Services

TOLD_TAG = "headrace/told"
"""On a run that has failed by what `pipelines.operations.health` tells: nothing else need tell of it."""


class SyncConfig(dg.Config):
    """Which units to read (none named: all), and how: `changes`, `full` or `reconcile`. Where it is `scheduled`, what
    can wait for another run is left out."""

    units: list[str] = Field(default_factory=list)
    mode: str = "changes"
    allow_mass_delete: bool = False
    scheduled: bool = False

    def options(self) -> SyncOptions:
        if self.mode not in ("changes", "full", "reconcile"):
            raise UsageError(f"mode {self.mode!r}: must be changes, full or reconcile")
        return SyncOptions(
            mode=cast(Mode, self.mode), allow_mass_delete=self.allow_mass_delete, scheduled=self.scheduled
        )


def job_name(connection: str) -> str:
    return f"sync_{dagster_name(connection)}"


def build_jobs(connection: Connection) -> list[dg.JobDefinition]:
    return [build_sync_job(connection), build_memberships_job(connection)]


def build_sync_job(connection: Connection) -> dg.JobDefinition:
    """Sync all units of a connection in one run, and publish.

    One run for many units spares a process start per unit. Each unit that succeeds counts as materialised
    at once; units that fail are named in the failure at the end, after all others were done.
    """

    @dg.op(name=f"read_{dagster_name(connection.id)}", description=f"Sync and publish {connection.id}.")
    def sync(context: dg.OpExecutionContext, config: SyncConfig, runtime: dg.ResourceParam[Runtime]) -> None:
        report = _sync_and_publish(context, connection, config, runtime)
        context.log.info(f"{connection.id}: {_summary(report)}")
        for unit, busy in report.busy.items():
            context.log.info(f"skipped: {unit} {busy}")
        for unit, waiting in report.out_of_reach.items():
            context.log.warning(f"{unit}: {waiting}")
        for unit, parts in report.refused.items():
            for part, reason in parts.items():
                context.log.warning(f"{unit}: {part} refused: {reason}")
        if report.errors:
            raise dg.Failure("; ".join(f"{unit}: {error}" for unit, error in report.errors.items()))

    @dg.job(name=job_name(connection.id), description=f"Bring all units of {connection.id} up to date and publish.")
    def job() -> None:
        sync()

    return job


def _sync_and_publish(
    context: dg.OpExecutionContext, connection: Connection, config: SyncConfig, runtime: Runtime
) -> SyncReport:
    """The report of the sync; an index that was not published is one of its errors."""

    def stage_done(done: StageDone) -> None:
        register(context.instance, connection, [done.unit])
        context.log_event(materialization(done))
        runtime.observer.stage_done(done)

    observer = Observer(stage_done, runtime.observer.progress)
    with runtime.services() as services:
        report = sync_connection(services, connection, config.units, config.options(), observer)
        with record_errors(report, PUBLICATION):
            _publish(context, services, report)
        runtime.report.add(report)
        if report.errors:
            _show_failures(context, services, connection)
            if report.errors.keys() <= known_failures(services.catalog):
                context.instance.add_run_tags(context.run_id, {TOLD_TAG: "yes"})
        _log_checks(context, check_source(services, connection.source))
    return report


def _publish(context: dg.OpExecutionContext, services: Services, report: SyncReport) -> None:
    publication = check_and_publish(services)
    _log_checks(context, check_publication(publication))
    if publication.published:
        context.log_event(dg.AssetMaterialization(RETRIEVAL, metadata=publication_metadata(publication)))
    else:
        report.record_error(PUBLICATION, refusal(publication), "other")


def _show_failures(context: dg.OpExecutionContext, services: Services, connection: Connection) -> None:
    failing = failing_units(services.catalog, connection.id)
    units = {state.unit.id: state.unit for state in services.catalog.units.all(connection.id)}
    known = {unit: one for unit, one in failing.items() if unit in units}
    register(context.instance, connection, [units[unit] for unit in known])
    mark_failed(context, connection, known)


def _log_checks(context: dg.OpExecutionContext, checks: Iterable[dg.AssetCheckEvaluation]) -> None:
    for check in checks:
        context.log_event(cast(Any, check))  # which it takes, although its annotation does not say so


def build_memberships_job(connection: Connection) -> dg.JobDefinition:
    """Read who belongs to which group, so that a join or leave counts before the next sync."""

    @dg.op(name=f"people_{dagster_name(connection.id)}", description=f"Read the memberships of {connection.id}.")
    def memberships(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
        with runtime.services() as services, closing(connect(connection)) as connector, _tag_failure(context):
            found = refresh_memberships(services, connection, connector)
        context.log.info(f"{connection.id}: {found.count} memberships, {connector.requests} requests")
        for group, reason in found.unreadable.items():
            context.log.warning(f"{connection.id}: who belongs to the group {group} cannot be read: {reason}")
        context.add_output_metadata({"memberships": found.count, "unreadable groups": found.unreadable})

    @dg.job(
        name=f"memberships_{dagster_name(connection.id)}",
        description=f"Read who belongs to which group of {connection.id}.",
    )
    def job() -> None:
        memberships()

    return job


@contextmanager
def _tag_failure(context: dg.OpExecutionContext) -> Iterator[None]:
    try:
        yield
    except SourceError:
        context.instance.add_run_tags(context.run_id, {TOLD_TAG: "yes"})
        raise


def dagster_name(connection: str) -> str:
    """A connection's id as Dagster's names allow it."""
    return connection.replace("-", "_")


def _summary(report: SyncReport) -> dict[str, Any]:
    return {name: value for name, value in report.as_json().items() if name not in SAID_BY_UNIT}


@dg.op(description="Take the events of the inbox to the index, as the worker does.")
def take_events(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    from pipelines.events.connector_pool import open_connector_pool
    from pipelines.events.worker import Worker

    with runtime.services() as services, open_connector_pool() as connectors:
        worker = Worker(services, connectors, DagsterReporter(context.instance))
        processed = 0
        while items := worker.run_pass():
            processed += items
    context.log.info(f"{processed} work items processed")


@dg.job(description="Take the events of the inbox to the index.")
def events() -> None:
    take_events()


freshness_job = dg.define_asset_job(
    "check_freshness",
    selection=dg.AssetSelection.checks(
        *(dg.AssetCheckKey(asset_key(source, "documents"), "connections_in_time") for source in sources())
    ),
    description="Says which connections are late.",
)
