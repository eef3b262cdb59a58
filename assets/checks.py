"""Asset checks on the sources: read in time, and every document accounted for."""

import dagster as dg

from assets.ingestion import asset_key
from assets.resources import Runtime
from pipelines.catalog.freshness import freshness
from pipelines.operations.status import count_unaccounted


def build_accounting_check(source: str) -> dg.AssetChecksDefinition:
    """Every object that was read is indexed, skipped, failed or deleted."""

    @dg.asset_check(
        asset=asset_key(source, "vectors"),
        name="every_document_accounted_for",
        description="Every object that was read is indexed, skipped, failed or deleted; none is left in between.",
    )
    def check(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        with runtime.services() as services:
            counts = count_unaccounted(services, source)
        return dg.AssetCheckResult(
            passed=counts.pending == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"pending": counts.pending, "failed": counts.failed, "skipped": counts.skipped},
        )

    return check


def build_freshness_check(source: str) -> dg.AssetChecksDefinition:
    """No connection of a source was read too long ago for its schedule."""

    @dg.asset_check(
        asset=asset_key(source, "documents"),
        name="connections_in_time",
        description="Every connection was read as lately as its schedule promises; says when, and what waits.",
    )
    def check(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        mine = [connection for connection in runtime.settings.connections if connection.source == source]
        with runtime.services() as services:
            found = [freshness(services.catalog, connection) for connection in mine]
        return dg.AssetCheckResult(
            passed=not any(one.late for one in found),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={one.connection: dg.MetadataValue.json(one.as_json()) for one in found},
        )

    return check
