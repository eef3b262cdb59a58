"""The landing: what was read and its chunks, as Parquet on a local disk or in S3."""

from __future__ import annotations

from pipelines.landing.chunked_document import ChunkedDocument
from pipelines.landing.store import Landing

__all__ = ["ChunkedDocument", "Landing"]
