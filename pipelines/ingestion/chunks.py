"""Chunks: from landed documents to landed chunks."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby

from pipelines.bulk_chunking import bulk_chunking_pays
from pipelines.catalog import Load
from pipelines.errors import LandingDamaged
from pipelines.ingestion.load_chunker import LoadChunker, LoadPart
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.landing import ChunkedDocument
from pipelines.services import Services

logger = logging.getLogger(__name__)

PARTS_AHEAD = 4
"""So many parts the process beside has, or has answered, before they are needed."""
_CERTAIN = 0.95
"""The share of what is expected by which requests are measured: no more is to be under way at the provider than if all
was chunked."""


def chunk(services: Services, connection: str, unit: str, report: SyncReport, *, progress: ProgressCallback) -> None:
    """Chunk the documents of all landed loads of a unit, adding to `report`.

    A document that cannot be chunked is recorded as skipped or failed, and the rest goes on.
    """
    Chunking(services, connection, unit, report, progress, beside=False).run()


def chunk_load(services: Services, load: Load) -> Iterator[ChunkedDocument]:
    """The documents of a load of which it holds the newest version, in chunks, without recording anything."""
    return LoadChunker(services, load, records=False).chunk()


class Chunking:
    """Chunks the documents of all landed loads of a unit, adding to `report`. It `is_beside`, in its own process, which
    goes on while what it has chunked is used, where that is asked for and there are many. `seconds` is how long this
    one took for it, and `failure` what has stopped it."""

    def __init__(
        self,
        services: Services,
        connection: str,
        unit: str,
        report: SyncReport,
        progress: ProgressCallback,
        *,
        beside: bool,
    ) -> None:
        self._loads = services.catalog.loads.pending(connection, unit, "landed")
        self._total = sum(load.documents for load in self._loads)
        self.is_beside = beside and bulk_chunking_pays(self._total)
        self.seconds = 0.0
        self.failure: Exception | None = None
        self._services = services
        self.report = report
        self._progress = progress
        self._documents = self._chunks = 0
        self._damaged: dict[int, LandingDamaged] = {}
        self._chunked = self._chunk_loads()

    def run(self) -> None:
        """Chunk what is left. Raises LandingDamaged, of one that is, when the other loads are chunked."""
        for _, documents in self.loads():
            for _ in documents:
                pass
        if self._damaged:
            first, *others = self._damaged.values()
            for error in others:
                logger.error("%s", error)
            raise first

    def loads(self) -> Iterator[tuple[Load, Iterator[ChunkedDocument]]]:
        """Each load with its documents, as they are chunked. What is left of them when the next load is asked for, is
        chunked then. Goes on where another iteration has ended."""
        return self._chunked

    @property
    def expected(self) -> int:
        """How many chunks there will be at the least, by those that there are."""
        return int(_CERTAIN * self._chunks * max(self._total, self._documents) / max(self._documents, 1))

    def _chunk_loads(self) -> Iterator[tuple[Load, Iterator[ChunkedDocument]]]:
        chunkers = (LoadChunker(self._services, load, beside=self.is_beside) for load in self._loads)
        parts = _ahead((part for one in chunkers for part in self._parts(one)), PARTS_AHEAD if self.is_beside else 0)
        done = 0
        for chunker, own in groupby(parts, key=lambda part: part.chunker):
            documents = self._noting_failure(chunker.write(own))
            yield chunker.load, documents
            for _ in documents:
                pass
            if self.failure:  # which the one who took the documents has seen
                raise self.failure
            if chunker.load.id not in self._damaged:
                self._commit(chunker)
            done += chunker.load.documents
            self._progress("chunks", done, self._total)

    def _parts(self, chunker: LoadChunker) -> Iterator[LoadPart]:
        """Those of a load. One whose documents are damaged or gone stays as it is, and the loads after it go on."""
        try:
            yield from chunker.parts()
        except LandingDamaged as error:
            self._damaged[chunker.load.id] = error
        except FileNotFoundError:
            self._damaged[chunker.load.id] = LandingDamaged(chunker.load.documents_path, "the file is gone")

    def _commit(self, chunker: LoadChunker) -> None:
        self._services.catalog.commit_chunks(chunker.load, chunker.path, chunker.chunks, chunker.problems)
        self.report.chunks.total += chunker.chunks
        for outcome in chunker.problems:
            self.report.documents.skipped += outcome.status == "skipped"
            self.report.documents.failed += outcome.status == "failed"

    def _noting_failure(self, documents: Iterator[ChunkedDocument]) -> Iterator[ChunkedDocument]:
        """The same documents; what they take, and what stops them, is kept."""
        while True:
            started = time.perf_counter()
            try:
                one = next(documents, None)
            except Exception as error:
                self.failure = error
                raise
            finally:
                self.seconds += time.perf_counter() - started
            if one is None:
                return
            self._documents += 1
            self._chunks += len(one.chunks)
            yield one


def _ahead(parts: Iterable[LoadPart], count: int) -> Iterator[LoadPart]:
    """The same parts, each when `count` more have been begun."""
    begun: deque[LoadPart] = deque()
    for part in parts:
        begun.append(part)
        if len(begun) > count:
            yield begun.popleft()
    yield from begun
