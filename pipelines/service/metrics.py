"""What Prometheus may know: how much is asked, by whom, and how long answers take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Figures of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.search_seconds = Histogram(
            "headrace_search_seconds",
            "Time to answer a search",
            ["assistant", "interface"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.documents = Counter(
            "headrace_documents_read", "Whole documents asked for", ["assistant", "found"], registry=self._registry
        )
        self.deliveries = Counter(
            "headrace_deliveries",
            "Deliveries of webhooks, by what became of them",
            ["connection", "result"],
            registry=self._registry,
        )

    def watch_revocations(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Tell at each scrape how many revocations are in force, by connection."""
        self._registry.register(_RevocationsInForce(count))

    def as_text(self) -> bytes:
        return generate_latest(self._registry)


class _RevocationsInForce(Collector):
    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def describe(self) -> Iterable[Metric]:
        """Without this, registering would ask the catalog."""
        return [self._gauge()]

    def collect(self) -> Iterable[Metric]:
        gauge = self._gauge()
        for connection, count in self._count().items():
            gauge.add_metric([connection], count)
        return [gauge]

    @staticmethod
    def _gauge() -> GaugeMetricFamily:
        what = "Rights that were taken away and that what is published does not carry yet"
        return GaugeMetricFamily("headrace_revocations_in_force", what, labels=["connection"])
