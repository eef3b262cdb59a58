"""Reading documents in a process of their own, which a file can slow down, fill or crash without harm to others."""

from __future__ import annotations

from pipelines.chunking.isolated.limits import is_isolated
from pipelines.chunking.isolated.pool import ChunkerPool

__all__ = ["ChunkerPool", "is_isolated"]
