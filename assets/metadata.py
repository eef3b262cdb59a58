"""What a run did, as metadata that a person reads in the UI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.index.base import IndexInfo
from pipelines.options import Stage
from pipelines.report import SyncReport

Metadata = Mapping[str, Any]


def stage_metadata(stage: Stage, report: SyncReport) -> Metadata:
    """The figures of one stage of one unit."""
    figures = report.as_json()
    seconds = {"seconds": dg.MetadataValue.float(figures["seconds"])}
    if stage == "documents":
        requests = {"requests": sum(report.requests.values())}
        return {f"documents {name}": count for name, count in figures["documents"].items()} | requests | seconds
    if stage == "chunks":
        troubled = {"documents skipped": report.documents.skipped, "documents failed": report.documents.failed}
        return {"chunks": report.chunks.total} | troubled | seconds
    chunks = {"chunks new": report.chunks.new, "chunks removed": report.chunks.removed}
    embedding = {f"embedding {name.replace('_', ' ')}": count for name, count in figures["embedding"].items()}
    return chunks | embedding | seconds


def index_metadata(info: IndexInfo) -> Metadata:
    """What the published index holds."""
    return {
        "collection": info.collection,
        "embedding model": info.model,
        "documents": info.documents,
        "points": info.points,
        "size in MB": round(info.bytes / 1e6, 2),
    }
