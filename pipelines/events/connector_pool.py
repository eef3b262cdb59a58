"""Connectors that stay open between events, so that names and connections are not asked for each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.contract import Connector
from connectors.registry import connect
from connectors.settings import Connection

LONGEST_LIFE = 300.0
"""Seconds. A connector remembers names of people and channels; those it has not heard changed get old."""


class OpenConnectors:
    """One connector per connection. Close it after use."""

    def __init__(self, open_one: Callable[[Connection], Connector] = connect) -> None:
        self._open_one = open_one
        self._open: dict[str, tuple[Connector, float]] = {}

    def get(self, connection: Connection) -> Connector:
        known = self._open.get(connection.id)
        if known and time.monotonic() - known[1] < LONGEST_LIFE:
            return known[0]
        self.forget(connection.id)
        connector = self._open_one(connection)
        self._open[connection.id] = (connector, time.monotonic())
        return connector

    def forget(self, connection: str) -> None:
        """Close a connector: the next one asks for everything anew."""
        if known := self._open.pop(connection, None):
            known[0].close()

    def close(self) -> None:
        for connection in list(self._open):
            self.forget(connection)


@contextmanager
def open_connectors() -> Iterator[OpenConnectors]:
    connectors = OpenConnectors()
    try:
        yield connectors
    finally:
        connectors.close()
