"""Cutting: what a version of a document becomes in the landing, by whichever stage."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.model import Document
from connectors.tables import as_landed
from pipelines.chunking import chunk_document
from pipelines.landing import ChunkedDocument


def cut_document(document: Document, version: str | None) -> ChunkedDocument:
    """What a version of a document is cut into; read from its source or from the landing alike. Raises
    DocumentError."""
    landed = as_landed(document)
    return ChunkedDocument(landed.id, version, _payload(landed, version), tuple(chunk_document(landed)))


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
        "breadcrumb": [parent.title for parent in document.parents if parent.title],
        "tags": list(document.tags),
        "readers": sorted(document.readers),
        "created_at": _rfc3339(document.created_at),
        "updated_at": _rfc3339(document.updated_at),
    }


def _rfc3339(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
