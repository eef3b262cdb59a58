"""Listing the units of a connection, for callers that go on without those that could not be looked at."""

from __future__ import annotations

from typing import NamedTuple

from connectors.contract import Connector
from connectors.errors import ListingGap, UnreadableUnit, UnreadableUnits
from connectors.model import Unit


class ListedUnits(NamedTuple):
    """All units that the source lists, those that could not be looked at, and what it says that it has left out."""

    found: list[Unit]
    unreadable: tuple[UnreadableUnit, ...] = ()
    gaps: tuple[ListingGap, ...] = ()


def list_units(connector: Connector) -> ListedUnits:
    """Raises SourceError."""
    found: list[Unit] = []
    try:
        for unit in connector.units():
            found.append(unit)
    except UnreadableUnits as error:
        return ListedUnits(found, error.units, error.gaps)
    return ListedUnits(found)
