"""The jobs: of each connection its sync and its memberships; of all together the events and the freshness check."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.checks import in_time_key
from assets.keys import asset_key, dagster_name, job_name, stage_keys
from assets.reporting import DagsterReporter
from assets.resources import Runtime
from connectors.settings import Connection

CONTENT = {"headrace/work": "content"}
"""Tag of runs that read content: `dagster.yaml` bounds how many of them work at a time, and others need not wait."""
AHEAD = {"dagster/priority": "1"}


def build_jobs(connection: Connection) -> list[UnresolvedAssetJobDefinition]:
    return [build_sync_job(connection), build_memberships_job(connection)]


def build_sync_job(connection: Connection) -> UnresolvedAssetJobDefinition:
    """Sync the units of a connection in one run, and publish."""
    return dg.define_asset_job(
        job_name(connection.id),
        dg.AssetSelection.assets(*stage_keys(connection.id)).without_checks(),
        description=f"Bring the units of {connection.id} up to date and publish.",
        tags=CONTENT,
    )


def build_memberships_job(connection: Connection) -> UnresolvedAssetJobDefinition:
    """Read who belongs to which group, so that a join or leave counts before the next sync."""
    return dg.define_asset_job(
        f"memberships_{dagster_name(connection.id)}",
        dg.AssetSelection.assets(asset_key(connection.id, "memberships")),
        description=f"Read who belongs to which group of {connection.id}.",
        tags=AHEAD,
    )


@dg.op(description="Take the events of the inbox to the index, as the worker does.")
def take_events(context: dg.OpExecutionContext, runtime: dg.ResourceParam[Runtime]) -> None:
    from pipelines.events.connector_pool import open_connector_pool
    from pipelines.events.worker import Worker

    with runtime.services() as services, open_connector_pool(services) as connectors:
        worker = Worker(services, connectors, DagsterReporter(context.instance))
        processed = 0
        while items := worker.run_pass():
            processed += items
        services.catalog.claims.leave()
    context.log.info(f"{processed} work items processed")


@dg.job(description="Take the events of the inbox to the index.")
def events() -> None:
    take_events()


def build_freshness_job(connections: Sequence[Connection]) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        "check_freshness",
        selection=dg.AssetSelection.checks(*(in_time_key(one.id) for one in connections)),
        description="Says which connections are late.",
        tags=AHEAD,
    )
