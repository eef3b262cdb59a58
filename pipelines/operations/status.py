"""What there is: units at the sources, documents in the catalog, points in the index."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.registry import connect
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.failures import Failure
from pipelines.catalog.freshness import freshness
from pipelines.catalog.memberships import GroupState, Memberships
from pipelines.catalog.spending import QUESTIONS
from pipelines.catalog.unit_parts import PartRecord
from pipelines.catalog.units import UnitState
from pipelines.errors import UsageError
from pipelines.index.contract import IndexInfo
from pipelines.ingestion.named_units import find_unit
from pipelines.ingestion.options import Target
from pipelines.ingestion.source_requests import counting_requests
from pipelines.ingestion.unit_listing import sync_units
from pipelines.operations.costs import read_costs
from pipelines.operations.health import failing_units, read_health
from pipelines.operations.incomplete_parts import incomplete_parts
from pipelines.operations.out_of_reach import describe_out_of_reach
from pipelines.operations.unit_patterns import idle_includes
from pipelines.operations.unknown_connections import count_unknown, describe_unknown
from pipelines.services import Holdings, Services
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

COUNTED = ("indexed", "skipped", "failed", "deleted")


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """Documents of a connection by what keeps them out of the index."""

    pending: int
    skipped: int
    failed: int


def count_unaccounted(services: Services, connection: str) -> Unaccounted:
    """Count the documents of a connection that are not in the index, by reason."""
    counts: Counter[str] = Counter()
    for (owner, _), statuses in services.catalog.documents.totals().items():
        if owner == connection:
            counts.update(statuses)
    return Unaccounted(counts["pending"], counts["skipped"], counts["failed"])


def list_units(settings: Settings, connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """Units as the sources list them now. Raises SourceError."""
    found: list[dict[str, Any]] = []
    with Services(settings) as services:
        for connection in connections:
            with (
                closing(connect(services.with_store(connection))) as connector,
                counting_requests(services.catalog, connection.id, connector),
            ):
                for one in sync_units(services, connection, connector).unreadable:
                    logger.warning("%s: %s could not be looked at: %s", connection.id, one.name, one.reason)
            found += [
                {
                    "connection": state.connection,
                    "id": state.unit.id,
                    "name": state.unit.name,
                    "url": state.unit.url,
                    "paused": state.paused,
                }
                for state in services.catalog.units.all(connection.id)
                if not state.gone
            ]
    return found


def read_status(settings: Settings, targets: Sequence[Target] | None = None) -> dict[str, Any]:
    """Counts by connection and unit, which documents failed or were skipped, and what the index holds; of these targets
    alone, where there are any. Raises UsageError for a unit that is not known."""
    with Services(settings) as services:
        return describe_status(services, targets)


def describe_status(services: Holdings, targets: Sequence[Target] | None = None) -> dict[str, Any]:
    """The same of what is open already."""
    settings, catalog = services.settings, services.catalog
    chosen = _choose(catalog, targets) if targets else None
    counts, costs = catalog.documents.totals(), read_costs(catalog, settings)
    health = read_health(catalog, settings)
    return {
        "health": health.as_json(),
        "connections": [
            _connection_status(catalog, connection, counts, (chosen or {}).get(connection.id))
            | {"out_of_reach": describe_out_of_reach(services, connection)}
            | {"idle_includes": idle_includes(catalog, settings, connection)}
            | {"costs": costs[connection.id].as_json()}
            for connection in settings.connections
            if chosen is None or connection.id in chosen
        ],
        "questions": {"costs": costs[QUESTIONS].as_json()},
        "index": _index_status(services.reader.info()),
        "unknown_connections": [
            {"id": connection, "documents": count, "detail": describe_unknown(connection, count)}
            for connection, count in count_unknown(services).items()
        ],
        "troubled": [
            _as_json(one) for one in catalog.documents.troubled() if chosen is None or _is_chosen(one, chosen)
        ],
    }


def _choose(catalog: Catalog, targets: Sequence[Target]) -> dict[str, Collection[str]]:
    """Ids of the units that targets name, by connection; none where all of its units are meant."""
    chosen: dict[str, Collection[str]] = {}
    for target in targets:
        states = catalog.units.all(target.connection)
        chosen[target.connection] = {_unit_id(target.connection, states, one) for one in target.units}
    return chosen


def _unit_id(connection: str, states: Sequence[UnitState], name: str) -> str:
    if found := find_unit(connection, states, name):
        return found.unit.id
    raise UsageError(f"{connection} has no unit {name!r}; `headrace units {connection}`")


def _connection_status(
    catalog: Catalog,
    connection: Connection,
    counts: Mapping[tuple[str, str], Mapping[str, int]],
    chosen: Collection[str] | None,
) -> dict[str, Any]:
    state, states = catalog.connections.get(connection.id), catalog.units.all(connection.id)
    failing, names = failing_units(catalog, connection.id), {one.unit.id: one.unit.name for one in states}
    units = [
        _unit_status(one, counts.get((connection.id, one.unit.id), {}), failing.get(one.unit.id))
        for one in states
        if not chosen or one.unit.id in chosen
    ]
    return {
        "id": connection.id,
        "source": connection.source,
        "paused": state.paused,
        **freshness(catalog, connection).as_json(),
        "memberships_at": _isoformat(state.memberships_at),
        "memberships_age_seconds": _age_seconds(state.memberships_at),
        "unreadable_groups": [
            _group_status(catalog.memberships, one) for one in catalog.memberships.unreadable(connection.id)
        ],
        "parts": [_part_status(one, names.get(one.unit, "")) for one in incomplete_parts(catalog, connection.id)],
        "units": units,
        "totals": {status: sum(unit[status] for unit in units) for status in COUNTED},
    }


def _is_chosen(troubled: Mapping[str, Any], chosen: Mapping[str, Collection[str]]) -> bool:
    connection, unit = troubled["connection"], troubled["unit"]
    return connection in chosen and (not chosen[connection] or unit in chosen[connection])


def _unit_status(state: UnitState, counts: Mapping[str, int], failure: Failure | None) -> dict[str, Any]:
    """A unit fails by itself, or with the listing of its connection."""
    last = state.last_sync
    return {
        "id": state.unit.id,
        "name": state.unit.name,
        "paused": state.paused,
        **{status: counts.get(status, 0) for status in COUNTED},
        "last_sync": _isoformat(last),
        "lag_seconds": _age_seconds(last),
        "error": failure.error if failure else state.error,
        "failing_since": _isoformat(failure.since) if failure else None,
    }


def _part_status(part: PartRecord, unit: str) -> dict[str, Any]:
    """A part of a unit, by the unit's name, or of the connection's list of units, that is refused or fails."""
    return {
        "unit": unit,
        "part": part.part,
        "status": part.status,
        "reason": part.reason,
        "since": part.since.isoformat(),
    }


def _group_status(memberships: Memberships, group: GroupState) -> dict[str, Any]:
    """`counts`: whether those who belonged to it when it was last read still do, or nobody any more."""
    return {
        "group": group.group,
        "name": group.name,
        "reason": group.reason,
        "read_at": _isoformat(group.read_at),
        "age_seconds": _age_seconds(group.read_at),
        "counts": not memberships.is_too_old(group.read_at),
    }


def _index_status(info: IndexInfo) -> dict[str, Any]:
    return {
        "collection": info.collection,
        "model": info.model,
        "documents": info.documents,
        "points": info.points,
        "bytes": info.bytes,
    }


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _age_seconds(moment: datetime | None) -> float | None:
    return max(round((datetime.now(UTC) - moment).total_seconds(), 1), 0.0) if moment else None


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
