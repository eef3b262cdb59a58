"""What a stage adds to the totals that outlive its process. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from pipelines.catalog.totals import Total
from pipelines.ingestion.options import Stage
from pipelines.ingestion.report import SyncReport


def stage_totals(connection: str, stage: Stage, report: SyncReport) -> dict[Total, float]:
    """What one stage of one unit has done, and what has stopped it."""
    embedding = report.embedding
    counted: dict[Total, float] = {
        Total("requests", connection): report.requests.get(connection, 0),
        Total("stage_seconds", connection, stage): report.seconds,
        Total("chunks", connection, "new"): report.chunks.new,
        Total("chunks", connection, "removed"): report.chunks.removed,
        Total("embedding_requests", connection): embedding.requests,
        Total("embedding_inputs", connection): embedding.inputs,
        Total("embedding_cached", connection): embedding.cached,
        Total("embedding_tokens", connection): embedding.tokens,
        Total("embedding_cost_usd", connection): embedding.cost_usd,
    }
    outcomes = {name: count for name, count in asdict(report.documents).items() if name != "read"}
    return counted | {Total("documents", connection, name): count for name, count in outcomes.items()}


def add_totals(to: dict[Total, float], more: Mapping[Total, float]) -> None:
    """Add what was counted to what was counted before."""
    for one, count in more.items():
        to[one] = to.get(one, 0) + count
