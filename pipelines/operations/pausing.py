"""Pauses: a connection or a unit that is left alone until it is resumed."""

from __future__ import annotations

from pipelines.errors import UsageError
from pipelines.services import Services
from pipelines.settings import Settings


def set_paused(settings: Settings, target: str, paused: bool) -> str:
    """Pause or resume `CONNECTION[/UNIT]`, the unit by its id or name, one that is listed first; returns its name.

    Raises UsageError if there is no such connection or unit.
    """
    name, separator, unit_name = target.partition("/")
    connection = settings.connection(name)
    with Services(settings) as services:
        if not separator:
            services.catalog.connections.pause(connection.id, paused)
            return connection.id
        for state in sorted(services.catalog.units.all(connection.id), key=lambda state: state.gone):
            if unit_name in (state.unit.id, state.unit.name):
                services.catalog.units.pause(connection.id, state.unit.id, paused)
                return f"{connection.id}/{state.unit.name}"
    raise UsageError(f"{connection.id}: no unit {unit_name!r}; see `headrace units {connection.id}`")
