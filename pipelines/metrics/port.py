"""A port of its own for figures, which nobody but Prometheus need reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from pipelines.errors import SettingsError
from pipelines.service_settings import MetricsSettings


@contextmanager
def serve_metrics(settings: MetricsSettings, setting: str, registry: CollectorRegistry) -> Iterator[None]:
    """Show the figures at the port that `setting` (`port` or `worker_port`) names, if it does, as long as the context
    lasts. Raises SettingsError if it is not to be had."""
    port: int | None = getattr(settings, setting)
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, settings.host, registry)
    except OSError as error:
        raise SettingsError(f"metrics.{setting}", f"nothing can listen there: {error}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
