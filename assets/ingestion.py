"""One factory for the three assets of every source: documents, chunks, vectors."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import dagster as dg

from assets.metadata import stage_metadata
from assets.partitions import PARTITIONS, parse_partition_key
from assets.resources import Runtime
from connectors.contract import Connector, Window
from connectors.model import Unit
from connectors.registry import connect
from connectors.settings import Connection
from pipelines.ingestion.options import STAGES, Stage, SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_unit
from pipelines.ingestion.unit_listing import sync_units
from pipelines.services import Services

DESCRIPTIONS: dict[Stage, str] = {
    "documents": "Read from the source what is new or changed in a unit, and land it as Parquet.",
    "chunks": "Cut landed documents into passages along their structure.",
    "vectors": "Embed passages that were never embedded, and swap them into the index document by document.",
}
KINDS: dict[Stage, set[str]] = {
    "documents": {"dlt", "parquet"},
    "chunks": {"unstructured", "parquet"},
    "vectors": {"qdrant"},
}


class ReadConfig(dg.Config):
    """Which part of a unit is read: by default what has changed since the last read."""

    full: bool = False
    since: str | None = None
    until: str | None = None

    def window(self) -> Window | None:
        if self.since is None and self.until is None:
            return None
        return Window(*(datetime.fromisoformat(day) if day else None for day in (self.since, self.until)))


def build_assets(source: str, allowed_lag: timedelta | None) -> list[dg.AssetsDefinition]:
    """`<source>/documents`, `<source>/chunks` and `<source>/vectors`.

    `allowed_lag` is how long ago the source may have been read last; None where nothing reads it.
    """
    policy = dg.FreshnessPolicy.time_window(fail_window=allowed_lag) if allowed_lag else None
    return [_build_stage_asset(source, stage, policy if stage == "documents" else None) for stage in STAGES]


def asset_key(source: str, stage: Stage) -> dg.AssetKey:
    return dg.AssetKey([source, stage])


def _build_stage_asset(source: str, stage: Stage, freshness: dg.FreshnessPolicy | None) -> dg.AssetsDefinition:
    before = STAGES[: STAGES.index(stage)]

    @dg.asset(
        key=asset_key(source, stage),
        deps=[asset_key(source, before[-1])] if before else [],
        partitions_def=PARTITIONS[source],
        group_name=source,
        description=DESCRIPTIONS[stage],
        kinds=KINDS[stage],
        freshness_policy=freshness,
        output_required=False,
    )
    def stage_of_a_unit(
        context: dg.AssetExecutionContext, config: ReadConfig, runtime: dg.ResourceParam[Runtime]
    ) -> Iterator[dg.MaterializeResult[None]]:
        report = _run_stage(stage, context.partition_key, config, runtime)
        if report.busy:  # observed, not materialised: Dagster skips the stages behind it
            skipped = {"skipped": "; ".join(f"{unit} {said}" for unit, said in report.busy.items())}
            context.log_event(dg.AssetObservation(context.asset_key, partition=context.partition_key, metadata=skipped))
            return
        if report.errors:
            raise dg.Failure("; ".join(report.errors.values()), metadata=stage_metadata(stage, report))
        yield dg.MaterializeResult(metadata=stage_metadata(stage, report))

    return stage_of_a_unit


def _run_stage(stage: Stage, partition: str, config: ReadConfig, runtime: Runtime) -> SyncReport:
    connection, unit_id = parse_partition_key(runtime.settings, partition)
    options = SyncOptions(stages=(stage,), mode="full" if config.full else "changes", window=config.window())
    with runtime.services() as services, closing(connect(connection)) as connector:
        unit = _unit(services, connection, connector, unit_id)
        report = sync_unit(services, connection, connector, unit, options, runtime.observer)
    runtime.report.add(report)
    return report


def _unit(services: Services, connection: Connection, connector: Connector, unit_id: str) -> Unit:
    """The unit as the catalog knows it; one that it does not know yet is looked for at the source."""
    state = services.catalog.units.get(connection.id, unit_id)
    return state.unit if state else sync_units(services, connection, connector, only=[unit_id]).chosen[0]
