"""Asset checks on the connections: read in time, and every document accounted for.

Each is a function of its own, so that syncs and the worker report what they find without a run for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from assets.keys import asset_key
from assets.resources import Runtime
from connectors.settings import Connection
from pipelines.catalog.freshness import freshness
from pipelines.operations.health import read_health
from pipelines.operations.status import count_unaccounted
from pipelines.services import Services

IN_TIME, ACCOUNTED_FOR = "connection_in_time", "every_document_accounted_for"
_DESCRIPTIONS = {
    IN_TIME: "The connection was read as lately as its schedule promises, and its last sync went well.",
    ACCOUNTED_FOR: "Every object that was read is indexed, skipped, failed or deleted, or waits for a budget.",
}


def in_time_key(connection: str) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(asset_key(connection, "units"), IN_TIME)


def build_freshness_checks(connections: Sequence[Connection]) -> dg.AssetChecksDefinition:
    """No connection was read too long ago for its schedule, and none is in trouble: one step for all."""

    @dg.multi_asset_check(name="connections_in_time", specs=[_spec(in_time_key(one.id)) for one in connections])
    def check(runtime: dg.ResourceParam[Runtime]) -> Iterator[dg.AssetCheckResult]:
        with runtime.services() as services:
            for connection in connections:
                yield _as_result(check_freshness(services, connection))

    return check


def build_accounting_check(connection: Connection) -> dg.AssetChecksDefinition:
    """Every object that was read is indexed, skipped, failed or deleted."""

    @dg.asset_check(
        asset=asset_key(connection.id, "vectors"), name=ACCOUNTED_FOR, description=_DESCRIPTIONS[ACCOUNTED_FOR]
    )
    def check(runtime: dg.ResourceParam[Runtime]) -> dg.AssetCheckResult:
        with runtime.services() as services:
            return _as_result(check_accounting(services, connection))

    return check


def check_connection(services: Services, connection: Connection) -> Iterator[dg.AssetCheckEvaluation]:
    """What is known of a connection at this moment."""
    yield from check_trouble(services, connection)
    yield check_accounting(services, connection)


def check_trouble(services: Services, connection: Connection) -> Iterator[dg.AssetCheckEvaluation]:
    """What can change while nothing is done, and is known without counting all documents."""
    yield check_freshness(services, connection)


def check_accounting(services: Services, connection: Connection) -> dg.AssetCheckEvaluation:
    counts = count_unaccounted(services, connection.id)
    held = services.catalog.loads.held_documents().get(connection.id)
    waiting = held.count if held else 0
    figures = {"pending": counts.pending, "failed": counts.failed, "skipped": counts.skipped}
    key = dg.AssetCheckKey(asset_key(connection.id, "vectors"), ACCOUNTED_FOR)
    return _evaluation(key, counts.pending <= waiting, figures | {"waiting for the budget": waiting})


def check_freshness(services: Services, connection: Connection) -> dg.AssetCheckEvaluation:
    """A connection that is in trouble is out of time from that moment on, and not only once its schedule is missed."""
    found = freshness(services.catalog, connection)
    health = read_health(services.catalog, services.settings).of([connection.id])
    incidents = [one for one in health if one.kind not in ("dead_letters", "gate")]
    trouble = dg.MetadataValue.text("\n".join(one.line for one in incidents) or "none")
    metadata = {connection.id: dg.MetadataValue.json(found.as_json()), "trouble": trouble}
    return _evaluation(in_time_key(connection.id), not incidents and not found.late, metadata)


def _spec(key: dg.AssetCheckKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(key.name, asset=key.asset_key, description=_DESCRIPTIONS[key.name])


def _evaluation(key: dg.AssetCheckKey, passed: bool, metadata: Mapping[str, Any]) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _as_result(found: dg.AssetCheckEvaluation) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=found.asset_key,
        check_name=found.check_name,
        passed=found.passed,
        severity=found.severity,
        metadata=found.metadata,
    )
