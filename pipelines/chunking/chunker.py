"""From a document to its chunks."""

from __future__ import annotations

from collections import Counter

from connectors.model import Document
from pipelines.chunking.blocks import CHUNK_TOKENS, join_blocks
from pipelines.chunking.formats import read_blocks
from pipelines.chunking.header import header
from pipelines.chunking.model import Chunk
from pipelines.chunking.packing import chunk_spans, heading_paths
from pipelines.chunking.split import split_blocks
from pipelines.chunking.tokens import BYTES_PER_TOKEN
from pipelines.errors import DocumentError


def chunk_document(document: Document, tokens: int = CHUNK_TOKENS) -> list[Chunk]:
    """Cut a document into chunks of at most about `tokens`; the same document gives the same chunks.

    Raises DocumentError, with `skip` for content that is empty, encrypted or of an unsupported type.
    """
    limit = tokens * BYTES_PER_TOKEN
    blocks = split_blocks(read_blocks(document.content, document.content_type), limit)
    if not blocks:
        raise DocumentError("empty: there is no text in it", skip=True)
    spans = chunk_spans(blocks, limit)
    texts = [join_blocks(blocks[span.start : span.end]) for span in spans]
    head = header(document)
    seen: Counter[str] = Counter()
    chunks = []
    for position, (text, headings) in enumerate(zip(texts, heading_paths(blocks, spans), strict=True)):
        chunks.append(Chunk(document.id, position, headings, text, head, occurrence=seen[text]))
        seen[text] += 1
    return chunks
