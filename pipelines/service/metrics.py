"""What Prometheus may know of the server itself: how much is asked, by whom, and how long answers take."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipelines.metrics import watch_process

_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        watch_process(self.registry)
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
        self.query_tokens = Counter(
            "headrace_query_embedding_tokens", "Tokens of questions that were embedded", registry=self.registry
        )
        self.query_cost = Counter(
            "headrace_query_embedding_cost_usd", "Price of embedded questions in US dollars", registry=self.registry
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

    def watch_spool(self, count: Callable[[], float]) -> None:
        """Tell at each scrape how many deliveries wait on the disk of this server."""
        depth = Gauge("headrace_spool_deliveries", "Deliveries that wait for the catalog", registry=self.registry)
        depth.set_function(count)

    def as_text(self) -> bytes:
        return generate_latest(self.registry)
