"""Chunks as rows of the landing: one row for each document version, with all its chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.chunking import CHUNKING, Chunk
from pipelines.landing.chunked_document import ChunkedDocument

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK_FIELDS = ("position", "headings", "text", "header", "occurrence")


def chunks_schema() -> pa.Schema:
    """Columns of a chunk file; `payload` is JSON, and `chunking` the way in which the document was chunked. `pages` are
    those of its chunks, one for each: a field of theirs would be one that an earlier release cannot read."""
    import pyarrow as pa

    chunk = pa.struct(
        [
            ("position", pa.int32()),
            ("headings", pa.list_(pa.string())),
            ("text", pa.string()),
            ("header", pa.string()),
            ("occurrence", pa.int32()),
        ]
    )
    texts = [(name, pa.string()) for name in ("document_id", "version", "payload", "chunking", "partly_read")]
    return pa.schema([*texts, ("chunks", pa.list_(chunk)), ("pages", pa.list_(pa.int32()))])


def chunk_table(documents: Sequence[ChunkedDocument]) -> pa.Table:
    """One row for each document."""
    import pyarrow as pa

    return pa.Table.from_pylist([_as_dict(document) for document in documents], schema=chunks_schema())


def parse_chunks(row: dict[str, Any]) -> ChunkedDocument:
    """The inverse of what `chunk_table` makes of one document. Rows of earlier releases know neither pages nor what was
    not read."""
    document_id, pages = row["document_id"], row.get("pages") or [None] * len(row["chunks"])
    return ChunkedDocument(
        document_id=document_id,
        version=row["version"],
        payload=json.loads(row["payload"]),
        chunks=tuple(
            Chunk(document_id=document_id, **{**chunk, "headings": tuple(chunk["headings"])}, page=page)
            for chunk, page in zip(row["chunks"], pages, strict=True)
        ),
        partly_read=row.get("partly_read"),
    )


def is_current(row: dict[str, Any]) -> bool:
    """Whether a document was chunked as it would be now. Rows of earlier releases do not say how theirs was."""
    return row.get("chunking") == CHUNKING


def _as_dict(document: ChunkedDocument) -> dict[str, Any]:
    return {
        "document_id": document.document_id,
        "version": document.version,
        "payload": json.dumps(document.payload, ensure_ascii=False),
        "chunking": CHUNKING,
        "partly_read": document.partly_read,
        "pages": [chunk.page for chunk in document.chunks],
        "chunks": [{name: getattr(chunk, name) for name in _CHUNK_FIELDS} for chunk in document.chunks],
    }
