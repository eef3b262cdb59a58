"""From a document to its chunks."""

from __future__ import annotations

import io
import zipfile
from collections import Counter

from connectors import media
from connectors.model import Document
from pipelines.chunking.blocks import CHUNK_TOKENS, Block, join_blocks
from pipelines.chunking.formats import read_blocks
from pipelines.chunking.header import header
from pipelines.chunking.model import Chunk
from pipelines.chunking.packing import chunk_spans, heading_paths
from pipelines.chunking.split import split_blocks
from pipelines.chunking.tokens import BYTES_PER_TOKEN
from pipelines.errors import DocumentError


def chunk_document(document: Document, tokens: int = CHUNK_TOKENS) -> list[Chunk]:
    """Cut a document into chunks of at most about `tokens`; the same document gives the same chunks.

    One that holds nothing but its title is found by that: it is the text of its only chunk. Raises DocumentError, with
    `skip` for content that is empty, encrypted or of an unsupported type.
    """
    limit = tokens * BYTES_PER_TOKEN
    blocks = split_blocks(read_blocks(document.content, document.content_type) or _title_blocks(document), limit)
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


def _title_blocks(document: Document) -> list[Block]:
    """The title of a document that holds nothing else; nothing of one that was to hold words, and gives none."""
    if document.content and _may_hide_words(document):
        return []
    title = " ".join(document.title.split())
    return [Block("text", title)] if title else []


def _may_hide_words(document: Document) -> bool:
    """Whether a file in which no text was found may hold some as pictures: a scan, slides made of images."""
    media_type = document.content_type.partition(";")[0].strip().lower()
    if not media.is_binary(media_type):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(document.content_bytes)) as package:
            return any("/media/" in name for name in package.namelist())
    except zipfile.BadZipFile:  # a PDF
        return True
