"""What a stage adds to the totals that outlive its process. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from pipelines.catalog.totals import Total
from pipelines.ingestion.options import Stage
from pipelines.ingestion.report import SyncReport


def stage_totals(connection: str, stage: Stage, report: SyncReport) -> dict[Total, float]:
    """What one stage of one unit has done, and what has stopped it. What it has spent is counted as it is spent."""
    embedding = report.embedding
    counted: dict[Total, float] = {
        Total("stage_seconds", connection, stage): report.seconds,
        Total("chunks", connection, "new"): report.chunks.new,
        Total("chunks", connection, "removed"): report.chunks.removed,
        Total("embedding_inputs", connection): embedding.inputs,
        Total("embedding_cached", connection): embedding.cached,
    }
    outcomes = {name: count for name, count in asdict(report.documents).items() if name != "read"}
    return counted | {Total("documents", connection, name): count for name, count in outcomes.items()}


def add_totals(to: dict[Total, float], more: Mapping[Total, float]) -> None:
    """Add what was counted to what was counted before."""
    for one, count in more.items():
        to[one] = to.get(one, 0) + count
