"""What Prometheus may know: how much is asked, by whom, how long answers take, and what the catalog knows of rights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipelines.catalog import Catalog
from pipelines.catalog.memberships import MembershipsAge
from pipelines.operations.health import Health

_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.search_seconds = Histogram(
            "headrace_search_seconds",
            "Time to answer a search",
            ["assistant", "interface"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.documents = Counter(
            "headrace_documents_read", "Whole documents asked for", ["assistant", "found"], registry=self.registry
        )
        self.deliveries = Counter(
            "headrace_deliveries",
            "Deliveries of webhooks, by what became of them",
            ["connection", "result"],
            registry=self.registry,
        )
        self.closed_connections = Counter(
            "headrace_closed_connections",
            "Connections that the server closed before a request was answered, by the reason",
            ["reason"],
            registry=self.registry,
        )

    def watch_rights(self, catalog: Catalog) -> None:
        """Tell at each scrape how old memberships are, and how many revocations are in force, by connection."""
        memberships, revocations = catalog.memberships, catalog.revocations
        self.registry.register(_AtScrape(lambda: _membership_figures(memberships.ages())))
        self.registry.register(_AtScrape(lambda: _revocation_figures(revocations.count())))

    def watch_health(self, health: Callable[[], Health]) -> None:
        """Tell at each scrape what is in trouble, and for how long."""
        self.registry.register(_AtScrape(lambda: _health_figures(health())))

    def as_text(self) -> bytes:
        return generate_latest(self.registry)


class _AtScrape(Collector):
    """Figures that are read when they are asked for."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Nothing: without this, registering would read the figures."""
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._read()


def _membership_figures(ages: Mapping[str, MembershipsAge]) -> Iterable[Metric]:
    """Names of groups stay out: whoever reaches the service reads its figures."""
    age = GaugeMetricFamily(
        "headrace_memberships_age_seconds",
        "Time since the members of that group were read that was read longest ago",
        labels=["connection"],
    )
    unreadable = GaugeMetricFamily(
        "headrace_unreadable_groups", "Groups whose members could not be read the last time", labels=["connection"]
    )
    now = datetime.now(UTC)
    for connection, one in ages.items():
        unreadable.add_metric([connection], one.unreadable)
        if one.oldest_read:
            age.add_metric([connection], (now - one.oldest_read).total_seconds())
    return (age, unreadable)


def _revocation_figures(counts: Mapping[str, int]) -> Iterable[Metric]:
    what = "Rights that were taken away and that what is published does not carry yet"
    gauge = GaugeMetricFamily("headrace_revocations_in_force", what, labels=["connection"])
    for connection, count in counts.items():
        gauge.add_metric([connection], count)
    return (gauge,)


def _health_figures(health: Health) -> Iterable[Metric]:
    """Errors stay out: they quote what whoever reaches the service need not know."""
    age = GaugeMetricFamily(
        "headrace_incident_age_seconds", "Time since something is in trouble", labels=["kind", "connection"]
    )
    dead = GaugeMetricFamily("headrace_dead_letters", "Events that were given up", labels=["connection"])
    gate = GaugeMetricFamily("headrace_gate_open", "Whether what is indexed is published: 0 while a check fails")
    now, ages = datetime.now(UTC), dict[tuple[str, str], float]()
    for one in health.incidents:
        known = (one.kind, one.connection)  # several activities of a connection may fail in the same way
        ages[known] = max(ages.get(known, 0.0), (now - one.since).total_seconds())
        if one.kind == "dead_letters":
            dead.add_metric([one.connection], one.events)
    for labels, seconds in ages.items():
        age.add_metric(labels, seconds)
    gate.add_metric([], float(all(one.kind != "gate" for one in health.incidents)))
    return (age, dead, gate)
