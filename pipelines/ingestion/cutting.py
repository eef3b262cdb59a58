"""Cutting: what a version of a document becomes in the landing, by whichever stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.model import Document
from connectors.tables import as_landed
from pipelines.catalog.documents import DocumentState
from pipelines.chunking import ChunkedContent, require_text
from pipelines.chunking.isolated import is_isolated
from pipelines.errors import DocumentError, ReadingAborted
from pipelines.landing import ChunkedDocument
from pipelines.services import Services


def cut_document(
    services: Services, document: Document, version: str | None, state: DocumentState | None
) -> ChunkedDocument:
    """What a version of a document is cut into; read from its source or from the landing alike.

    Where reading it may take long, the catalog counts the attempt before. Raises DocumentError, and ReadingAborted also
    for one that has ended the process that reads it too often.
    """
    landed = as_landed(document)
    content = require_text(landed, _read(services, landed, state))
    return ChunkedDocument(landed.id, version, _payload(landed, version), content.chunks, content.partly_read)


def _read(services: Services, document: Document, state: DocumentState | None) -> ChunkedContent:
    if state is None or not is_isolated(document):
        return _chunk(services, document)
    if state.ends_its_readers:
        raise ReadingAborted(f"reading it has ended Headrace's own process {state.attempts} times")
    with services.catalog.documents.attempt(state):
        return _chunk(services, document)


def _chunk(services: Services, document: Document) -> ChunkedContent:
    """Raises PartitionUnavailable, too."""
    content = services.chunkers.chunk(document)
    if not content.pictures or services.page_reader is None:
        return content
    scanned = services.page_reader.read(document, content.pictures)
    if scanned.elements:
        content = services.chunkers.chunk(document, scanned.elements)
    if not content.chunks and scanned.refused:
        raise DocumentError(f"the API that reads scans refuses it: {next(iter(scanned.refused.values()))}")
    return replace(content, reasons=(*content.reasons, *scanned.reasons))


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
