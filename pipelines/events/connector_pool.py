"""Connectors that stay open between events, so that names and connections are not asked for each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.contract import Connector
from connectors.registry import connect
from connectors.settings import Connection
from pipelines.services import Services

LONGEST_LIFE = 300.0
"""Seconds. A connector remembers names of people and channels, and does not hear of every change to them."""


class ConnectorPool:
    """One open connector per connection. Close it after use."""

    def __init__(self, connect: Callable[[Connection], Connector] = connect) -> None:
        self._connect = connect
        self._open: dict[str, tuple[Connector, float]] = {}

    def get(self, connection: Connection) -> Connector:
        known = self._open.get(connection.id)
        if known and time.monotonic() - known[1] < LONGEST_LIFE:
            return known[0]
        self.discard(connection.id)
        connector = self._connect(connection)
        self._open[connection.id] = (connector, time.monotonic())
        return connector

    def discard(self, connection: str) -> None:
        """Close a connector: the next one reads names and channels from the source again."""
        if known := self._open.pop(connection, None):
            known[0].close()

    def close(self) -> None:
        for connection in list(self._open):
            self.discard(connection)


@contextmanager
def open_connector_pool(services: Services) -> Iterator[ConnectorPool]:
    connectors = ConnectorPool(lambda connection: connect(services.with_store(connection)))
    try:
        yield connectors
    finally:
        connectors.close()
