"""Asset checks on the sources: read in time, and every document accounted for.

Each is a function of its own, so that syncs and the worker report what they find without a run for it.
"""

from collections.abc import Iterator

import dagster as dg

from assets.ingestion import asset_key
from assets.resources import Runtime
from pipelines.catalog.freshness import freshness
from pipelines.operations.health import read_health
from pipelines.operations.status import count_unaccounted
from pipelines.services import Services


def build_accounting_check(source: str) -> dg.AssetChecksDefinition:
    """Every object that was read is indexed, skipped, failed or deleted."""

    @dg.asset_check(
        asset=asset_key(source, "vectors"),
        name="every_document_accounted_for",
        description="Every object that was read is indexed, skipped, failed or deleted; none is left in between.",
    )
    def check(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        with runtime.services() as services:
            return _as_result(check_accounting(services, source))

    return check


def build_freshness_check(source: str) -> dg.AssetChecksDefinition:
    """No connection of a source was read too long ago for its schedule, and none is in trouble."""

    @dg.asset_check(
        asset=asset_key(source, "documents"),
        name="connections_in_time",
        description="Every connection was read as lately as its schedule promises, and its last sync went well.",
    )
    def check(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        with runtime.services() as services:
            return _as_result(check_freshness(services, source))

    return check


def check_source(services: Services, source: str) -> Iterator[dg.AssetCheckEvaluation]:
    """What is known of a source at this moment."""
    yield from check_trouble(services, source)
    yield check_accounting(services, source)


def check_trouble(services: Services, source: str) -> Iterator[dg.AssetCheckEvaluation]:
    """What can change while nothing is done, and is known without counting all documents."""
    yield check_freshness(services, source)


def check_accounting(services: Services, source: str) -> dg.AssetCheckEvaluation:
    counts = count_unaccounted(services, source)
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(source, "vectors"),
        check_name="every_document_accounted_for",
        passed=counts.pending == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"pending": counts.pending, "failed": counts.failed, "skipped": counts.skipped},
    )


def check_freshness(services: Services, source: str) -> dg.AssetCheckEvaluation:
    """A connection that is in trouble is out of time from that moment on, and not only once its schedule is missed."""
    mine = [connection for connection in services.settings.connections if connection.source == source]
    found = [freshness(services.catalog, connection) for connection in mine]
    health = read_health(services.catalog, services.settings).of(connection.id for connection in mine)
    incidents = [one for one in health if one.kind not in ("dead_letters", "gate")]
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(source, "documents"),
        check_name="connections_in_time",
        passed=not incidents and not any(one.late for one in found),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={one.connection: dg.MetadataValue.json(one.as_json()) for one in found}
        | {"trouble": dg.MetadataValue.text("\n".join(one.line for one in incidents) or "none")},
    )


def _as_result(found: dg.AssetCheckEvaluation) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=found.passed, severity=found.severity, metadata=found.metadata)
