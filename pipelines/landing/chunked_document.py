"""What the landing keeps of a document's version: its chunks, and what they share. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.model import Document
from pipelines.chunking.model import Chunk, ChunkedContent


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    """A document version in chunks, or, without a version, a document to be removed.

    `payload` holds the fields of the index payload that all its chunks share. `partly_read` says what of it was not
    read.
    """

    document_id: str
    version: str | None
    payload: dict[str, Any]
    chunks: tuple[Chunk, ...]
    partly_read: str | None = None


def chunked_document(document: Document, version: str | None, content: ChunkedContent) -> ChunkedDocument:
    """What the landing keeps of a document's version that was chunked."""
    return ChunkedDocument(document.id, version, _payload(document, version), content.chunks, content.partly_read)


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
