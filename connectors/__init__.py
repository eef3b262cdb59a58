"""The sources that Headrace reads: one package per source, one contract and one document model for all.

Knows nothing else of Headrace: each source is a dlt source that any dlt user can run (`connectors.dlt_source`).
"""

from __future__ import annotations

from connectors.registry import connect, sources

__all__ = ["connect", "sources"]
