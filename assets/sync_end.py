"""The last step of a sync: publish what was indexed, evaluate the checks, and say what has failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from assets.checks import check_connection
from assets.failed_partitions import mark_failed
from assets.keys import RETRIEVAL, asset_key
from assets.metadata import connection_costs, publication_metadata, total_costs
from assets.partitions import register_all
from assets.resources import Runtime
from assets.retrieval import check_publication, refusal
from assets.run_reports import report_metadata
from assets.step_outputs import remove_outputs
from connectors.settings import Connection
from pipelines.ingestion.causes import record_errors
from pipelines.ingestion.publish import Publication, check_and_publish
from pipelines.ingestion.report import SAID_BY_UNIT, SyncReport
from pipelines.ingestion.sync import DueUnits, end_sync
from pipelines.operations.health import PUBLICATION, failing_units, known_failures
from pipelines.operations.reported_names import reported_names
from pipelines.services import Services

TOLD_TAG = "headrace/told"
"""On a run that has failed by what `pipelines.operations.health` tells: nothing else need tell of it."""


def end(
    context: dg.OpExecutionContext,
    connection: Connection,
    due: DueUnits,
    reports: Sequence[SyncReport],
    runtime: Runtime,
) -> Iterator[dg.AssetObservation]:
    """Raises Failure if something has stopped a unit, or the index was not published: after all else was done."""
    report = due.report
    for one in reports:
        report.add(one)
    with runtime.services() as services:
        with record_errors(report, connection.id):
            end_sync(services, connection, runtime.connector(connection), due, report, runtime.observer)
        with record_errors(report, PUBLICATION):
            _publish(context, services, report, whole=due.options.mode in ("full", "reconcile"))
        runtime.report.add(report)
        if report.errors:
            _show_failures(context, services, connection)
            if report.errors.keys() <= known_failures(services.catalog):
                context.instance.add_run_tags(context.run_id, {TOLD_TAG: "yes"})
        _log_checks(context, check_connection(services, connection))
        names = reported_names(services.catalog, connection.id) if report.names_units else {}
        costs = connection_costs(services, connection) if report.embedding.requests or report.waiting else {}
    _say(context, connection, report, names)
    failed = {"failed": len(report.errors)} if report.errors else {}
    told = {**report_metadata(context.run, report), **failed, **costs}
    if told:
        # What a step has logged is told when it yields or ends well, and would be lost with its failure.
        yield dg.AssetObservation(asset_key(connection.id, "units"), metadata=told)
    if report.errors:
        raise dg.Failure("; ".join(f"{names.get(unit, unit)}: {error}" for unit, error in report.errors.items()))
    if runtime.settings.runs.spreads:
        with runtime.services() as services:
            remove_outputs(services, context.instance, context.run)


def _say(context: dg.OpExecutionContext, connection: Connection, report: SyncReport, names: Mapping[str, str]) -> None:
    context.log.info(f"{connection.id}: {_summary(report)}")
    for unit, busy in report.busy.items():
        skipped = dg.AssetObservation(
            asset_key(connection.id, "documents"), metadata={"skipped": f"{names.get(unit, unit)} {busy}"}
        )
        context.log_event(skipped)
    for unit, waiting in report.out_of_reach.items():
        context.log.warning(f"{names.get(unit, unit)}: {waiting}")
    for name, waiting in report.waiting.items():
        context.log.warning(f"{name}: {waiting}")
    for unit, parts in report.refused.items():
        for part, reason in parts.items():
            context.log.warning(f"{names.get(unit, unit)}: {part} refused: {reason}")


def _publish(context: dg.OpExecutionContext, services: Services, report: SyncReport, *, whole: bool) -> None:
    publication = check_and_publish(services, whole=whole)
    _log_checks(context, check_publication(publication))
    if not publication.published:
        report.record_error(PUBLICATION, refusal(publication), "other")
    elif report.has_changed or not _is_told(context.instance, publication):
        told = publication_metadata(publication, total_costs(services))
        context.log_event(dg.AssetMaterialization(RETRIEVAL, metadata=told))


def _is_told(instance: dg.DagsterInstance, publication: Publication) -> bool:
    """Whether what Dagster shows of the published index is as much as there is."""
    event = instance.get_latest_materialization_event(RETRIEVAL)
    made = event.asset_materialization if event else None
    info = publication.info
    told = {name: value.value for name, value in made.metadata.items()} if made else {}
    return (told.get("collection"), told.get("documents"), told.get("points")) == (
        info.collection,
        info.documents,
        info.points,
    )


def _show_failures(context: dg.OpExecutionContext, services: Services, connection: Connection) -> None:
    failing = failing_units(services.catalog, connection.id)
    keys = register_all(context.instance, services.catalog, connection.id)
    mark_failed(context, connection, {keys[unit]: one for unit, one in failing.items() if unit in keys})


def _log_checks(context: dg.OpExecutionContext, checks: Iterable[dg.AssetCheckEvaluation]) -> None:
    """Tell what has failed, and what was not told to have passed: each evaluation is a row that is kept."""
    found = list(checks)
    storage = context.instance.event_log_storage
    before = storage.get_latest_asset_check_execution_by_key([one.asset_check_key for one in found])
    for check in found:
        last = before.get(check.asset_check_key)
        if not check.passed or last is None or last.status != AssetCheckExecutionRecordStatus.SUCCEEDED:
            context.log_event(cast(Any, check))  # which it takes, although its annotation does not say so


def _summary(report: SyncReport) -> dict[str, Any]:
    return {name: value for name, value in report.as_json().items() if name not in SAID_BY_UNIT}
