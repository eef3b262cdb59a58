"""What Prometheus may know of the state that all processes share, and the port at which it asks."""

from pipelines.metrics.catalog_collector import watch_catalog
from pipelines.metrics.port import serve_metrics
from pipelines.metrics.process import watch_process

__all__ = ["serve_metrics", "watch_catalog", "watch_process"]
