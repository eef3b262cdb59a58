"""Chunking: a document of any format becomes passages of at most about 512 tokens."""

from __future__ import annotations

from pipelines.chunking.chunker import chunk_document, require_text
from pipelines.chunking.model import Chunk, ChunkedContent

CHUNKING = "title-512-v2"
"""Name of the way documents are chunked; changes whenever the same document would be chunked differently."""

__all__ = ["CHUNKING", "Chunk", "ChunkedContent", "chunk_document", "require_text"]
