"""What there is: units at the sources, documents in the catalog, points in the index."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from connectors.registry import connect
from connectors.settings import Connection
from pipelines.catalog.connections import ConnectionState
from pipelines.catalog.freshness import Freshness, freshness
from pipelines.catalog.units import UnitState
from pipelines.services import Services
from pipelines.settings import Settings

COUNTED = ("indexed", "skipped", "failed", "deleted")


def list_units(settings: Settings, connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """Units as the sources list them now. Raises SourceError."""
    found: list[dict[str, Any]] = []
    with Services(settings) as services:
        for connection in connections:
            with closing(connect(connection)) as connector:
                services.catalog.units.replace_listing(connection.id, connection.source, connector.units())
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


def status_of(settings: Settings) -> dict[str, Any]:
    """Counts by connection and unit, what is in trouble, and what the index holds."""
    with Services(settings) as services:
        counts = services.catalog.documents.totals()
        connections = [
            _connection_status(
                connection,
                services.catalog.connections.get(connection.id),
                freshness(services.catalog, connection),
                services.catalog.units.all(connection.id),
                counts,
            )
            for connection in settings.connections
        ]
        info = services.reader.info()
        troubled = list(services.catalog.documents.failed_or_skipped())
    return {
        "connections": connections,
        "index": {
            "collection": info.collection,
            "model": info.model,
            "documents": info.documents,
            "points": info.points,
            "bytes": info.bytes,
        },
        "troubled": [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in one.items()}
            for one in troubled
        ],
    }


def _connection_status(
    connection: Connection,
    state: ConnectionState,
    fresh: Freshness,
    states: Sequence[UnitState],
    counts: dict[tuple[str, str], dict[str, int]],
) -> dict[str, Any]:
    units = [_unit_status(state, counts.get((connection.id, state.unit.id), {})) for state in states]
    return {
        "id": connection.id,
        "source": connection.source,
        "paused": state.paused,
        **fresh.as_json(),
        "memberships_at": _isoformat(state.memberships_at),
        "units": units,
        "totals": {status: sum(unit[status] for unit in units) for status in COUNTED},
    }


def _unit_status(state: UnitState, counts: dict[str, int]) -> dict[str, Any]:
    last = state.last_sync
    return {
        "id": state.unit.id,
        "name": state.unit.name,
        "paused": state.paused,
        **{status: counts.get(status, 0) for status in COUNTED},
        "last_sync": _isoformat(last),
        "lag_seconds": round((datetime.now(UTC) - last).total_seconds(), 1) if last else None,
        "error": state.error,
    }


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
