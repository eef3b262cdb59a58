"""Counts what is sent to sources, in the catalog, by connection and day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.contract import Connector
from pipelines.catalog import Catalog
from pipelines.catalog.spending import Spent

SECONDS_BETWEEN_WRITES = 5.0


class RequestCounter:
    """Counts the requests that a connector sends from now on. `counted` are those that another one has counted."""

    def __init__(
        self, catalog: Catalog, connection: str, connector: Connector, counted: Callable[[], int] = lambda: 0
    ) -> None:
        self._catalog = catalog
        self._connection = connection
        self._connector = connector
        self._counted = counted
        self._written = self._requests()
        self._written_at = time.monotonic()

    def _requests(self) -> int:
        return self._connector.requests - self._counted()

    def write(self) -> None:
        """Write down what has been sent since the last time."""
        until = self._requests()
        self._catalog.spending.add(self._connection, Spent(source_requests=until - self._written))
        self._written, self._written_at = until, time.monotonic()

    def write_now_and_then(self) -> None:
        """The same, if that is some seconds ago."""
        if time.monotonic() - self._written_at >= SECONDS_BETWEEN_WRITES:
            self.write()


@contextmanager
def counting_requests(
    catalog: Catalog, connection: str, connector: Connector, counted: Callable[[], int] = lambda: 0
) -> Iterator[RequestCounter]:
    """Counts what a connector sends in the context, whether or not that ends well."""
    counter = RequestCounter(catalog, connection, connector, counted)
    try:
        yield counter
    finally:
        counter.write()
