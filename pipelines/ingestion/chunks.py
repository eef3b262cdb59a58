"""Chunks: from landed documents to landed chunks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.contract import Deleted
from connectors.model import Document
from pipelines.catalog import Load, Outcome
from pipelines.catalog.documents import DocumentState
from pipelines.chunking import chunk_document
from pipelines.errors import DocumentError
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
        path, chunks = services.landing.write_chunks(connection, load.id, chunking.documents())
        services.catalog.commit_chunks(load, path, chunks, chunking.problems)
        report.chunks.total += chunks
        for outcome in chunking.problems:
            report.documents.skipped += outcome.status == "skipped"
            report.documents.failed += outcome.status == "failed"
        done += load.documents
        progress("chunks", done, total)


class _LoadChunker:
    """Cuts the documents of one load; `problems` fills up with those that could not be cut."""

    def __init__(self, services: Services, load: Load) -> None:
        self.problems: list[Outcome] = []
        self._rows = services.landing.read_documents(load.documents_path)
        self._states = services.catalog.documents.in_load(load.id)

    def documents(self) -> Iterator[ChunkedDocument]:
        for row, version in self._rows:
            key = row.document_id if isinstance(row, Deleted) else row.id
            state = self._states.get(key)
            if state is None:  # a later load holds a newer version
                continue
            chunked = _removal(key) if isinstance(row, Deleted) else self._cut(row, version, state)
            if chunked:
                yield chunked

    def _cut(self, document: Document, version: str | None, state: DocumentState) -> ChunkedDocument | None:
        try:
            chunks = chunk_document(document)
        except DocumentError as error:
            self.problems.append(_problem(state, error))
            return _removal(document.id) if error.skip else None
        return ChunkedDocument(document.id, version, _payload(document, version), tuple(chunks))


def _removal(document_id: str) -> ChunkedDocument:
    return ChunkedDocument(document_id, None, {}, ())


def _problem(state: DocumentState, error: DocumentError) -> Outcome:
    return Outcome(
        id=state.id,
        status="skipped" if error.skip else "failed",
        reason=error.reason,
        attempts=0 if error.skip else state.attempts + 1,
    )


def _payload(document: Document, version: str | None) -> dict[str, Any]:
    """The fields of the index payload that all chunks of a document share."""
    return {
        "document_id": document.id,
        "version": version,
        "source": document.source,
        "connection": document.connection,
        "unit": document.unit,
        "kind": document.kind,
        "title": document.title,
        "url": document.url,
        "author": document.author,
        "parents": [parent.id for parent in document.parents],
        "breadcrumb": [parent.title for parent in document.parents],
        "tags": list(document.tags),
        "readers": sorted(document.readers),
        "created_at": _rfc3339(document.created_at),
        "updated_at": _rfc3339(document.updated_at),
    }


def _rfc3339(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
