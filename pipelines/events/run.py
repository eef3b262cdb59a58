"""Runs the worker until it is stopped."""

from __future__ import annotations

import logging
import signal
import threading
from importlib import import_module

from pipelines.events.background_reporter import report_in_background
from pipelines.events.connector_pool import open_connector_pool
from pipelines.events.metrics import WorkerMetrics
from pipelines.events.rights_lane import RightsLane
from pipelines.events.worker import Worker
from pipelines.ingestion.orchestrator import find_orchestrator
from pipelines.logs import to_standard_error
from pipelines.metrics import serve_metrics, watch_catalog
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.tracing import trace_process

logger = logging.getLogger(__name__)


def run_worker(settings: Settings) -> None:
    """Take events to the index until SIGINT or SIGTERM; the pass under way is finished first."""
    to_standard_error(logging.INFO, settings.logs.format)
    stop, of_lane, of_worker = threading.Event(), threading.Event(), threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    metrics = WorkerMetrics()
    with (
        trace_process("worker"),
        Services(settings, keep_store=True) as services,
        serve_metrics(settings.metrics, "worker_port", metrics.registry),
        open_connector_pool(services) as connectors,
        open_connector_pool(services) as of_rights,
        find_orchestrator().reporter(settings) as orchestrator,
        report_in_background(orchestrator) as reporter,
        services.catalog.arrivals.listen(of_lane, of_worker),
    ):
        watch_catalog(metrics.registry, services.catalog, settings)
        services.warm()
        _import_stages()
        rights = RightsLane(services, of_rights)
        lane = threading.Thread(target=rights.run, args=(stop, of_lane), name="rights", daemon=True)
        lane.start()
        logger.info("working for %s", ", ".join(one.id for one in settings.connections) or "no connection")
        Worker(services, connectors, reporter, metrics).run(stop, of_worker)
        lane.join()
    logger.info("ended")


def _import_stages() -> None:
    """Import what the stages import when they run: seconds that the first event need not wait."""
    for module in ("dlt", "pipelines.ingestion.documents", "pipelines.ingestion.chunks", "pipelines.ingestion.vectors"):
        import_module(module)
