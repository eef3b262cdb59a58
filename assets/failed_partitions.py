"""Units that could not be brought up to date, shown as failed partitions.

A run of a connection's job materialises the units that have changed, one by one. Of those that failed nothing would be
told, and their partitions would go on showing the last success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from assets.keys import asset_key
from assets.partitions import partitions_of
from connectors.settings import Connection
from pipelines.catalog.failures import Failure
from pipelines.ingestion.options import STAGES, Stage


def mark_failed(context: dg.OpExecutionContext, connection: Connection, failing: Mapping[str, Failure]) -> None:
    """Plan what has failed, by partition key, in a run that fails: Dagster shows a partition as failed whose planned
    materialisation did not come. One that is shown so already is left alone, since each event is a row that is kept."""
    for stage in STAGES:
        keys = [key for key, one in failing.items() if _stage(one) == stage]
        for partition in _shown_otherwise(context.instance, connection, stage, keys):
            planned = AssetMaterializationPlannedData(asset_key(connection.id, stage), partition=partition)
            event = dg.DagsterEvent.build_asset_materialization_planned_event(
                context.job_name, context.get_step_execution_context().step.key, planned
            )
            context.instance.report_dagster_event(event, context.run_id)


def _stage(failure: Failure) -> Stage:
    """At which stage a unit stopped."""
    if failure.cause == "partition":
        return "chunks"
    return "vectors" if failure.cause in ("embedding", "index") else "documents"


def _shown_otherwise(
    instance: dg.DagsterInstance, connection: Connection, stage: Stage, keys: list[str]
) -> Iterator[str]:
    key, partitions = asset_key(connection.id, stage), partitions_of(connection.id)
    shown = instance.get_status_by_partition(key, keys, partitions) if keys else {}
    return (one for one in keys if not shown or shown.get(one) != AssetPartitionStatus.FAILED)
