"""The landing: what was read and what it was cut into, as Parquet on a local disk or in S3."""

from __future__ import annotations

from pipelines.landing.chunk_rows import ChunkedDocument
from pipelines.landing.store import Landing

__all__ = ["ChunkedDocument", "Landing"]
