"""What Prometheus may know: how much is asked, by whom, how long answers take, and how old the memberships are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipelines.catalog.memberships import MembershipsAge

_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10)

ReadAges = Callable[[], Mapping[str, MembershipsAge]]


class Metrics:
    """Figures of one application."""

    def __init__(self, memberships: ReadAges = dict) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_MembershipFigures(memberships))
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


class _MembershipFigures(Collector):
    """Asked for at each scrape. Names of groups stay out: whoever reaches the service reads its figures."""

    def __init__(self, read_ages: ReadAges) -> None:
        self._read_ages = read_ages

    def collect(self) -> Iterable[Metric]:
        age = GaugeMetricFamily(
            "headrace_memberships_age_seconds",
            "Time since the members of that group were read that was read longest ago",
            labels=["connection"],
        )
        unreadable = GaugeMetricFamily(
            "headrace_unreadable_groups", "Groups whose members could not be read the last time", labels=["connection"]
        )
        now = datetime.now(UTC)
        for connection, one in self._read_ages().items():
            unreadable.add_metric([connection], one.unreadable)
            if one.oldest_read:
                age.add_metric([connection], (now - one.oldest_read).total_seconds())
        return (age, unreadable)


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
