"""Reports to the orchestrator in a thread of their own, so that they delay no event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pipelines.index.contract import IndexInfo
from pipelines.ingestion.observer import StageDone
from pipelines.ingestion.orchestrator import Reporter
from pipelines.services import Services

logger = logging.getLogger(__name__)


class BackgroundReporter:
    """Hands reports on in another thread, in their order."""

    def __init__(self, reporter: Reporter, thread: ThreadPoolExecutor) -> None:
        self._reporter = reporter
        self._thread = thread

    def stage_done(self, done: StageDone) -> None:
        self._submit(self._reporter.stage_done, done)

    def published(self, info: IndexInfo) -> None:
        self._submit(self._reporter.published, info)

    def checked(self, services: Services) -> None:
        self._submit(self._reporter.checked, services)

    def _submit(self, report: Callable[..., None], *arguments: Any) -> None:
        self._thread.submit(report, *arguments).add_done_callback(_log_failure)


@contextmanager
def report_in_background(reporter: Reporter) -> Iterator[BackgroundReporter]:
    """The last reports are made before the context ends."""
    with ThreadPoolExecutor(1, thread_name_prefix="reports") as thread:
        yield BackgroundReporter(reporter, thread)


def _log_failure(future: Future[None]) -> None:
    if error := future.exception():
        logger.error("a change was not reported to the orchestrator: %s: %s", type(error).__name__, error)
