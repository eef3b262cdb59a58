"""Chunks: from landed documents to landed chunks."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from connectors.contract import Deleted
from connectors.model import Document
from pipelines.catalog import Load, Outcome
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.outcomes import MOST_READINGS
from pipelines.errors import DocumentError, ReadingAborted
from pipelines.ingestion.cutting import cut_document
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.landing import ChunkedDocument
from pipelines.services import Services


def chunk(services: Services, connection: str, unit: str, report: SyncReport, *, progress: ProgressCallback) -> None:
    """Cut the documents of all landed loads of a unit into chunks, adding to `report`.

    A document that cannot be cut is recorded as skipped or failed, and the rest goes on.
    """
    loads = services.catalog.loads.pending(connection, unit, "landed")
    total = sum(load.documents for load in loads)
    done = 0
    for load in loads:
        chunking = _LoadChunker(services, load)
        path, chunks = chunking.write()
        services.catalog.commit_chunks(load, path, chunks, chunking.problems)
        report.chunks.total += chunks
        for outcome in chunking.problems:
            report.documents.skipped += outcome.status == "skipped"
            report.documents.failed += outcome.status == "failed"
        done += load.documents
        progress("chunks", done, total)


def cut_load(services: Services, load: Load) -> Iterator[ChunkedDocument]:
    """The documents of a load of which it holds the newest version, in chunks, without recording anything."""
    return _LoadChunker(services, load, records=False)._documents(kept=())


class _LoadChunker:
    """Cuts the documents of one load; `problems` fills up with those that could not be cut. Where it `records`, the
    catalog is told at once of those that take too much: a load may hold many of them."""

    def __init__(self, services: Services, load: Load, *, records: bool = True) -> None:
        self.problems: list[Outcome] = []
        self._services = services
        self._records = records
        self._landing = services.landing
        self._load = load
        self._states = services.catalog.documents.in_load(load.id)

    def write(self) -> tuple[str, int]:
        """The path of the load's chunks, and how many there are.

        Documents that were cut while they were read, to be compared with the versions before, are not cut again.
        """
        connection, load = self._load.connection, self._load.id
        kept = {one.document_id: len(one.chunks) for one in self._cut_before()}
        if kept and kept.keys() == self._states.keys():
            return self._landing.chunks_path(connection, load), sum(kept.values())
        return self._landing.write_chunks(connection, load, self._documents(kept))

    def _cut_before(self) -> Iterator[ChunkedDocument]:
        for one in self._landing.current_chunks_of(self._load.connection, self._load.id):
            if (state := self._states.get(one.document_id)) and state.version == one.version:
                yield one

    def _documents(self, kept: Collection[str]) -> Iterator[ChunkedDocument]:
        if kept:
            yield from self._cut_before()
        for row, version in self._landing.read_documents(self._load.documents_path):
            key = row.document_id if isinstance(row, Deleted) else row.id
            state = self._states.get(key)
            if state is None or key in kept:  # without a state: a later load holds a newer version
                continue
            chunked = _removal(key) if isinstance(row, Deleted) else self._cut(row, version, state)
            if chunked:
                yield chunked

    def _cut(self, document: Document, version: str | None, state: DocumentState) -> ChunkedDocument | None:
        try:
            return cut_document(self._services, document, version, state)
        except DocumentError as error:
            self.problems.append(_problem(state, error))
            if self._records and isinstance(error, ReadingAborted):
                self._services.catalog.record_problems(self.problems[-1:])
            return _removal(document.id) if error.skip else None


def _removal(document_id: str) -> ChunkedDocument:
    return ChunkedDocument(document_id, None, {}, ())


def _problem(state: DocumentState, error: DocumentError) -> Outcome:
    return Outcome(
        id=state.id,
        status="skipped" if error.skip else "failed",
        reason=error.reason,
        attempts=0 if error.skip else state.attempts + 1,
        retries=not isinstance(error, ReadingAborted) or state.attempts + 1 < MOST_READINGS,
    )
