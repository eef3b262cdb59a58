"""What the catalog knows, read when Prometheus asks. All processes tell the same: they share the catalog."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from pipelines.catalog import Catalog
from pipelines.catalog.freshness import freshness
from pipelines.errors import CatalogUnavailable
from pipelines.metrics import families
from pipelines.metrics.unit_ages import unit_ages
from pipelines.operations.costs import read_costs
from pipelines.operations.health import read_health
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_COUNTS = 60.0


def watch_catalog(registry: CollectorRegistry, catalog: Catalog, settings: Settings) -> None:
    """Tell at each scrape what the catalog knows of these settings' connections."""
    registry.register(_CatalogCollector(catalog, settings))


class _CatalogCollector(Collector):
    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._documents: dict[tuple[str, str], dict[str, int]] = {}
        self._count_again_at = 0.0

    def describe(self) -> Iterable[Metric]:
        """Nothing: without this, registering would read the figures."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The catalog's figures, or that it does not answer: those of the process itself are shown all the same."""
        up = GaugeMetricFamily("headrace_catalog_up", "Whether the catalog's database answers")
        took = GaugeMetricFamily("headrace_catalog_scrape_seconds", "Time to read all figures of the catalog")
        found: list[Metric] = []
        started = time.perf_counter()
        try:
            found += self._read()
        except (CatalogUnavailable, SQLAlchemyError) as error:
            logger.error("the catalog's figures cannot be read: %s", error)
        up.add_metric([], float(bool(found)))
        took.add_metric([], time.perf_counter() - started)
        return [up, took, *found]

    def _read(self) -> Iterator[Metric]:
        catalog, settings = self._catalog, self._settings
        collection, connections = settings.index.collection, settings.connections
        named = [connection.id for connection in connections]
        yield from families.health(read_health(catalog, settings))
        yield from families.memberships(catalog.memberships.ages())
        yield from families.revocations(catalog.revocations.count())
        yield from families.inbox(named, catalog.events.backlog(), catalog.workload.deferred_events())
        yield from families.connections([freshness(catalog, connection) for connection in connections])
        yield from families.units({one.id: unit_ages(catalog, one) for one in connections})
        yield from families.documents(named, self._count_documents())
        yield from families.index(catalog.publications.get(collection), catalog.publications.checks(collection))
        yield from families.leases(catalog.workload.leases())
        costs = read_costs(catalog, settings)
        yield from families.costs(costs)
        yield from families.budgets(costs)
        yield from families.totals(catalog.totals.all())

    def _count_documents(self) -> dict[tuple[str, str], dict[str, int]]:
        """To count a million documents takes a database 0.1 s, of each process that is scraped."""
        if time.monotonic() >= self._count_again_at:
            self._documents = self._catalog.documents.totals()
            self._count_again_at = time.monotonic() + _SECONDS_BETWEEN_COUNTS
        return self._documents
