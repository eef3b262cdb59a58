"""Indexing that begins while a unit's documents are still being chunked, in a process beside this one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipelines.errors import CatalogUnavailable, LeaseLost, UsageError
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.services import Services

if TYPE_CHECKING:
    from pipelines.ingestion.chunks import Chunking


class BegunIndexing:
    """What the stage of chunks does for that of vectors. What has stopped it is the latter's, and stops no chunking."""

    def __init__(self, services: Services, connection: str) -> None:
        self._services = services
        self._connection = connection
        self._report = SyncReport()
        self._failure: Exception | None = None

    def index(self, chunking: Chunking, progress: ProgressCallback) -> None:
        """Embed and index documents as they are chunked. Raises what stops the chunking."""
        from pipelines.ingestion.embedding import CachingEmbedder
        from pipelines.ingestion.vectors import index_loads

        started = time.perf_counter()
        embedder = CachingEmbedder(self._services, self._connection, lambda: chunking.expected, self._report.embedding)
        try:
            index_loads(
                self._services,
                chunking.loads(),
                embedder,
                self._report,
                progress=lambda done: progress("vectors", done, chunking.expected),
            )
        except (UsageError, LeaseLost, CatalogUnavailable):
            raise
        except Exception as error:
            if error is chunking.failure:
                raise
            self._failure = error
        finally:
            self._report.seconds = time.perf_counter() - started - chunking.seconds
            chunking.report.seconds -= self._report.seconds

    def hand_over(self, report: SyncReport) -> None:
        """Add what was done to the report of the stage of vectors. Raises what has stopped it."""
        report.add(self._report)
        if self._failure:
            raise self._failure
