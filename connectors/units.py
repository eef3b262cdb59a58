"""Listing the units of a connection, for callers that go on without the few that could not be looked at."""

from __future__ import annotations

from connectors.contract import Connector
from connectors.errors import UnreadableUnit, UnreadableUnits
from connectors.model import Unit


def list_units(connector: Connector) -> tuple[list[Unit], tuple[UnreadableUnit, ...]]:
    """All units that the source lists, and those that could not be looked at. Raises SourceError."""
    found: list[Unit] = []
    try:
        for unit in connector.units():
            found.append(unit)
    except UnreadableUnits as error:
        return found, error.units
    return found, ()
