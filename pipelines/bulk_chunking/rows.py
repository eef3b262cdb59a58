"""Rows of the landing's documents, and the rows of its chunks that they become: what the process beside does. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from connectors.model import Document
from connectors.tables import parse_document
from pipelines.chunking.chunker import chunk_content, require_text
from pipelines.errors import DocumentError
from pipelines.index.lexical import LexicalVector, document_vector
from pipelines.index.references import lexical_text
from pipelines.landing.chunk_rows import chunk_table, chunks_schema, parse_chunks
from pipelines.landing.chunked_document import ChunkedDocument, chunked_document

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class VectorizedDocument(ChunkedDocument):
    """One that was chunked just now, with the lexical vectors of its chunks, in their order."""

    lexical: tuple[LexicalVector, ...] = ()


class _AnswerRow(NamedTuple):
    """A row of the answer. `reason` is an error's; without it and without chunks, others are to chunk the document."""

    document: ChunkedDocument
    indices: list[list[int]]
    values: list[list[float]]
    reason: str | None = None
    skip: bool = False


class BulkAnswer(NamedTuple):
    """What became of documents, in their order; None where whoever asked is to chunk one. `table` has the rows of the
    landing if that is all there is to be kept of them."""

    documents: list[VectorizedDocument | DocumentError | None]
    table: pa.Table | None


def chunk_documents(documents: pa.Table) -> pa.Table:
    """Chunk documents whose content is a small text."""
    import pyarrow as pa

    chunked = [_chunk(cast(Document, parse_document(row)), row["version"]) for row in documents.to_pylist()]
    table = chunk_table([one.document for one in chunked])
    beside = {
        "indices": pa.array([one.indices for one in chunked], pa.list_(pa.list_(pa.uint32()))),
        "values": pa.array([one.values for one in chunked], pa.list_(pa.list_(pa.float32()))),
        "reason": pa.array([one.reason for one in chunked], pa.string()),
        "skip": pa.array([one.skip for one in chunked], pa.bool_()),
    }
    for name, column in beside.items():
        table = table.append_column(name, column)
    return table


def parse_answer(answer: pa.Table) -> BulkAnswer:
    """The inverse of what `chunk_documents` makes of documents."""
    documents = list(map(_parse, answer.to_pylist()))
    is_all = all(isinstance(one, VectorizedDocument) for one in documents)
    return BulkAnswer(documents, answer.select(chunks_schema().names) if is_all else None)


def _chunk(document: Document, version: str | None) -> _AnswerRow:
    unchunked = _AnswerRow(ChunkedDocument(document.id, version, {}, ()), [], [])
    try:
        content = require_text(document, chunk_content(document))
    except DocumentError as error:
        return unchunked._replace(reason=error.reason, skip=error.skip)
    if content.pictures:
        return unchunked
    vectors = [document_vector(lexical_text(chunk, document.url)) for chunk in content.chunks]
    indices, values = [one.indices for one in vectors], [one.values for one in vectors]
    return _AnswerRow(chunked_document(document, version, content), indices, values)


def _parse(row: dict[str, Any]) -> VectorizedDocument | DocumentError | None:
    if row["reason"] is not None:
        return DocumentError(row["reason"], skip=row["skip"])
    if not row["chunks"]:
        return None
    one, lexical = parse_chunks(row), tuple(_vectors(row))
    return VectorizedDocument(one.document_id, one.version, one.payload, one.chunks, one.partly_read, lexical)


def _vectors(row: dict[str, Any]) -> Iterator[LexicalVector]:
    pairs = zip(row["indices"], row["values"], strict=True)
    return (LexicalVector(array("I", indices), array("f", values)) for indices, values in pairs)
