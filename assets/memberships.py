"""Who belongs to which group, read by a schedule of its own: a join or leave counts before the next sync."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from assets.keys import asset_key, dagster_name
from assets.resources import Runtime
from assets.sync_end import TOLD_TAG
from connectors.errors import SourceError
from connectors.settings import Connection
from pipelines.ingestion.connection_rights import refresh_memberships
from pipelines.ingestion.source_requests import counting_requests


def build_memberships(connection: Connection) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(connection.id, "memberships"),
        group_name=dagster_name(connection.id),
        kinds={connection.source},
        description=f"Who belongs to which group of {connection.id}.",
    )
    def memberships(
        context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]
    ) -> dg.MaterializeResult[None]:
        with runtime.services() as services, _tag_failure(context):
            connector = runtime.connector(connection)
            with counting_requests(services.catalog, connection.id, connector):
                found = refresh_memberships(services, connection, connector)
        for group, reason in found.unreadable.items():
            context.log.warning(f"{connection.id}: who belongs to the group {group} cannot be read: {reason}")
        figures: dict[str, Any] = {
            "memberships": found.count,
            "requests": connector.requests,
            "unreadable groups": found.unreadable,
        }
        return dg.MaterializeResult(metadata=figures)

    return memberships


@contextmanager
def _tag_failure(context: dg.AssetExecutionContext) -> Iterator[None]:
    try:
        yield
    except SourceError:
        context.instance.add_run_tags(context.run_id, {TOLD_TAG: "yes"})
        raise
