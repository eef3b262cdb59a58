"""Pauses: a connection or a unit that is left alone until it is resumed."""

from __future__ import annotations

from pipelines.errors import UsageError
from pipelines.ingestion.named_units import find_unit
from pipelines.services import Services
from pipelines.settings import Settings


def set_paused(settings: Settings, target: str, paused: bool) -> str:
    """Pause or resume `CONNECTION[/UNIT]`, the unit by its id or name, one that is listed first; returns its name.

    Raises UsageError if there is no such connection or unit, or several of that name.
    """
    name, separator, unit_name = target.partition("/")
    connection = settings.connection(name)
    with Services(settings) as services:
        if not separator:
            services.catalog.connections.pause(connection.id, paused)
            return connection.id
        if found := find_unit(connection.id, services.catalog.units.all(connection.id), unit_name):
            services.catalog.units.pause(connection.id, found.unit.id, paused)
            return f"{connection.id}/{found.unit.name}"
    raise UsageError(f"{connection.id}: no unit {unit_name!r}; see `headrace units {connection.id}`")
