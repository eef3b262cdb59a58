"""What is known around a document: its unit and connection, and the events that were about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from pipelines.catalog import Catalog
from pipelines.catalog.unit_parts import PartRecord
from pipelines.operations.incomplete_parts import incomplete_parts
from pipelines.settings import Settings

EVENTS_SHOWN = 5
EVENTS_SEARCHED = 1_000
"""Of the connection, the newest first."""


@dataclass(frozen=True, slots=True)
class UnitContext:
    """The unit that a document belongs to. `configured` is whether the settings name its connection.

    Without a `cursor` the next sync reads the whole unit. `error` is what stopped the last sync, and `parts` are those
    that the source refuses, or fails to give.
    """

    connection: str
    configured: bool
    connection_paused: bool
    unit: str
    name: str
    paused: bool
    gone: bool
    last_sync: datetime | None
    error: str | None
    cursor: bool
    parts: tuple[PartRecord, ...]


@dataclass(frozen=True, slots=True)
class RelatedEvent:
    """An event about the document (scope `document`), about its unit, or about all units."""

    id: int
    kind: str
    scope: str
    state: str
    reason: str | None
    received_at: datetime
    finished_at: datetime | None


def unit_context(catalog: Catalog, settings: Settings, connection: str, unit: str) -> UnitContext:
    """A unit that the catalog does not know counts as gone."""
    state = catalog.units.get(connection, unit)
    return UnitContext(
        connection=connection,
        configured=any(one.id == connection for one in settings.connections),
        connection_paused=catalog.connections.get(connection).paused,
        unit=unit,
        name=state.unit.name if state else "",
        paused=state.paused if state else False,
        gone=state.gone if state else True,
        last_sync=state.last_sync if state else None,
        error=state.error if state else None,
        cursor=state is not None and state.cursor is not None,
        parts=tuple(one for one in incomplete_parts(catalog, connection) if one.unit == unit),
    )


def related_events(catalog: Catalog, connection: str, unit: str, document_id: str) -> tuple[RelatedEvent, ...]:
    """The last events about a document, the newest first."""
    events = catalog.events.list_recent(connection, limit=EVENTS_SEARCHED)
    return tuple(islice(_related(events, unit, document_id), EVENTS_SHOWN))


def _related(events: list[dict[str, Any]], unit: str, document_id: str) -> Iterator[RelatedEvent]:
    for event in events:
        scopes = [change["scope"] for change in event["changes"] if _concerns(change, unit, document_id)]
        if scopes:
            yield RelatedEvent(
                event["id"],
                event["kind"],
                "document" if "document" in scopes else scopes[0],
                event["state"],
                event["reason"],
                event["received_at"],
                event["finished_at"],
            )


def _concerns(change: Mapping[str, str], unit: str, document_id: str) -> bool:
    match change["scope"]:
        case "document":
            return change["document_id"] == document_id
        case "unit":
            return change["unit"] in ("", unit)
    return False
