"""`CONNECTION[/UNIT]` arguments as targets."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import UsageError
from pipelines.ingestion.options import Target
from pipelines.settings import Settings


def parse_targets(settings: Settings, arguments: Sequence[str]) -> list[Target]:
    """One target per connection named, in order; all connections if none is. Raises UsageError."""
    if not settings.connections:
        raise UsageError("the settings have no connections; add one under `connections`")
    if not arguments:
        return [Target(connection.id) for connection in settings.connections]
    units: dict[str, list[str]] = {}
    whole: set[str] = set()
    for argument in arguments:
        name, separator, unit = argument.partition("/")
        connection = settings.connection(name)
        units.setdefault(connection.id, [])
        if separator:
            units[connection.id].append(unit)
        else:
            whole.add(connection.id)
    return [Target(name, () if name in whole else tuple(named)) for name, named in units.items()]
