"""What Prometheus may know of a worker itself: how long events take."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram

from pipelines.metrics import watch_process

_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400)


class WorkerMetrics:
    """Figures of one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        watch_process(self.registry)
        self.event_seconds = Histogram(
            "headrace_event_seconds",
            "Time from the arrival of an event to the publication of what it led to",
            ["connection"],
            buckets=_SECONDS,
            registry=self.registry,
        )
