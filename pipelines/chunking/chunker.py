"""From a document to its chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from connectors.model import Document
from connectors.pictures import is_picture
from pipelines.chunking.blocks import CHUNK_TOKENS, Block, join_blocks, picture, unread
from pipelines.chunking.bounds import MOST_CHUNKS, bounded_blocks
from pipelines.chunking.formats import read_blocks
from pipelines.chunking.header import header
from pipelines.chunking.model import NO_SCANS, Chunk, ChunkedContent, Scans
from pipelines.chunking.packing import Span, chunk_spans, heading_paths
from pipelines.chunking.scans import with_scans
from pipelines.chunking.split import split_blocks
from pipelines.chunking.titles import title_blocks
from pipelines.chunking.tokens import BYTES_PER_TOKEN
from pipelines.errors import DocumentError


def chunk_document(document: Document, tokens: int = CHUNK_TOKENS) -> list[Chunk]:
    """The chunks of `chunk_content`. Raises DocumentError also where there are only pictures."""
    return list(require_text(document, chunk_content(document, tokens)).chunks)


def chunk_content(document: Document, tokens: int = CHUNK_TOKENS, scans: Scans = NO_SCANS) -> ChunkedContent:
    """Split a document into chunks of at most about `tokens`; the same document gives the same chunks.

    None lies on two pages, so that each can be cited by its own. What `scans` holds of a page that is a picture stands
    in its place. A document that holds nothing but its title is found by that, the text of its only chunk. Raises
    DocumentError, with `skip` for content that is empty, encrypted or of an unsupported type.
    """
    limit = tokens * BYTES_PER_TOKEN
    read = _read(document, scans)
    if all(block.kind == "unread" for block in read):
        read = [*title_blocks(document), *read]
    blocks = split_blocks((block for block in read if block.kind not in ("picture", "unread")), limit)
    pictures = tuple(block.page for block in read if block.kind == "picture" and block.page)
    if not (blocks or pictures or scans):
        raise DocumentError("empty: there is no text in it", skip=True)
    spans = _spans_by_page(blocks, limit)
    if len(spans) > MOST_CHUNKS:
        spans = spans[:MOST_CHUNKS]
        read.append(unread(f"only the first {MOST_CHUNKS:,} passages are read"))
    reasons = dict.fromkeys(block.text for block in read if block.kind == "unread")
    return ChunkedContent(tuple(_chunks(document, blocks, spans)), pictures, tuple(reasons))


def _read(document: Document, scans: Scans) -> list[Block]:
    """All that is read of a document, within bounds."""
    try:
        is_file = not is_picture(document.content_type)
        found = read_blocks(document.content, document.content_type) if is_file else [picture(1)]
        return list(bounded_blocks(with_scans(found, scans), len(document.content)))
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # whatever a reader stumbles over is this document's trouble
        raise DocumentError(f"it cannot be read: {type(error).__name__}: {error}") from error


def require_text(document: Document, content: ChunkedContent) -> ChunkedContent:
    """Raises DocumentError where there is no chunk."""
    if not content.chunks and content.pictures and is_picture(document.content_type):
        raise DocumentError(f"unsupported type: {document.content_type}", skip=True)
    if not content.chunks and not content.pictures:
        raise DocumentError("empty: there is no text in it", skip=True)
    if not content.chunks:
        raise DocumentError("no text layer: it holds pictures only", skip=True)
    return content


def _spans_by_page(blocks: Sequence[Block], limit: int) -> list[Span]:
    """The blocks of each chunk, in order; those of a page by themselves."""
    spans: list[Span] = []
    start = 0
    for _, same in groupby(blocks, key=lambda block: block.page):
        page = list(same)
        spans += (Span(start + span.start, start + span.end) for span in chunk_spans(page, limit))
        start += len(page)
    return spans


def _chunks(document: Document, blocks: Sequence[Block], spans: Sequence[Span]) -> Iterator[Chunk]:
    head = header(document)
    seen: Counter[str] = Counter()
    for position, (span, headings) in enumerate(zip(spans, heading_paths(blocks, spans), strict=True)):
        text = join_blocks(blocks[span.start : span.end])
        yield Chunk(document.id, position, headings, text, head, seen[text], blocks[span.start].page)
        seen[text] += 1
