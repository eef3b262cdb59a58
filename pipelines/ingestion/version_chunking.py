"""The chunks of one version of a document, by whichever stage they are made."""

from __future__ import annotations

from dataclasses import replace

from connectors.model import Document
from connectors.tables import as_landed
from pipelines.catalog.documents import DocumentState
from pipelines.chunking import ChunkedContent, require_text
from pipelines.chunking.isolated import is_isolated
from pipelines.errors import DocumentError, ReadingAborted
from pipelines.landing.chunked_document import ChunkedDocument, chunked_document
from pipelines.services import Services


def chunk_version(
    services: Services, document: Document, version: str | None, state: DocumentState | None
) -> ChunkedDocument:
    """What a version of a document becomes in the landing; read from its source or from the landing alike.

    Where reading it may take long, the catalog counts the attempt before. Raises DocumentError, and ReadingAborted also
    for one that has ended the process that reads it too often.
    """
    landed = as_landed(document)
    return chunked_document(landed, version, require_text(landed, _read(services, landed, state)))


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
