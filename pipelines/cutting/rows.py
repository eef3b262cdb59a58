"""Rows of the landing's documents, cut into rows of its chunks: what the process beside does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from connectors.model import Document
from connectors.tables import parse_document
from pipelines.chunking.chunker import chunk_content, require_text
from pipelines.cutting.cut import CutDocument, chunked_document
from pipelines.cutting.references import lexical_text
from pipelines.errors import DocumentError
from pipelines.index.lexical import LexicalVector, document_vector
from pipelines.landing.chunk_rows import ChunkedDocument, chunk_table, chunks_schema, parse_chunks

if TYPE_CHECKING:
    import pyarrow as pa


class _Cut(NamedTuple):
    """A row of the answer. `reason` is an error's; without it and without chunks, others are to cut the document."""

    document: ChunkedDocument
    indices: list[list[int]]
    values: list[list[float]]
    reason: str | None = None
    skip: bool = False


class CutRows(NamedTuple):
    """What became of documents, in their order; None where whoever asked is to cut one. `table` has the rows of the
    landing if that is all there is to be kept of them."""

    documents: list[CutDocument | DocumentError | None]
    table: pa.Table | None


def cut_rows(documents: pa.Table) -> pa.Table:
    """Cut documents whose content is a small text."""
    import pyarrow as pa

    cut = [_cut(cast(Document, parse_document(row)), row["version"]) for row in documents.to_pylist()]
    table = chunk_table([one.document for one in cut])
    beside = {
        "indices": pa.array([one.indices for one in cut], pa.list_(pa.list_(pa.uint32()))),
        "values": pa.array([one.values for one in cut], pa.list_(pa.list_(pa.float32()))),
        "reason": pa.array([one.reason for one in cut], pa.string()),
        "skip": pa.array([one.skip for one in cut], pa.bool_()),
    }
    for name, column in beside.items():
        table = table.append_column(name, column)
    return table


def parse_cut(answer: pa.Table) -> CutRows:
    """The inverse of what `cut_rows` makes of documents."""
    documents = list(map(_parse, answer.to_pylist()))
    is_all = all(isinstance(one, CutDocument) for one in documents)
    return CutRows(documents, answer.select(chunks_schema().names) if is_all else None)


def _cut(document: Document, version: str | None) -> _Cut:
    uncut = _Cut(ChunkedDocument(document.id, version, {}, ()), [], [])
    try:
        content = require_text(document, chunk_content(document))
    except DocumentError as error:
        return uncut._replace(reason=error.reason, skip=error.skip)
    if content.pictures:
        return uncut
    vectors = [document_vector(lexical_text(chunk, document.url)) for chunk in content.chunks]
    indices, values = [one.indices for one in vectors], [one.values for one in vectors]
    return _Cut(chunked_document(document, version, content), indices, values)


def _parse(row: dict[str, Any]) -> CutDocument | DocumentError | None:
    if row["reason"] is not None:
        return DocumentError(row["reason"], skip=row["skip"])
    if not row["chunks"]:
        return None
    one, lexical = parse_chunks(row), tuple(_vectors(row))
    return CutDocument(one.document_id, one.version, one.payload, one.chunks, one.partly_read, lexical)


def _vectors(row: dict[str, Any]) -> Iterator[LexicalVector]:
    return map(LexicalVector, row["indices"], row["values"])
