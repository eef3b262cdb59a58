"""From bytes to blocks: one module for each format that people keep text in."""

from __future__ import annotations

from pipelines.chunking.formats.reader import read_blocks

__all__ = ["read_blocks"]
