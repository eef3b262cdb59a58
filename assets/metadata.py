"""What a run did, as metadata that a person reads in the UI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import dagster as dg

from connectors.settings import Connection
from pipelines.catalog.spending import Spending, Spent
from pipelines.index.contract import IndexInfo
from pipelines.ingestion.options import Stage
from pipelines.ingestion.publish import Publication
from pipelines.ingestion.report import SyncReport
from pipelines.operations.costs import Costs, read_costs
from pipelines.services import Services

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
        scans = {f"scans {name}": count for name, count in figures["scans"].items() if count}
        return {"chunks": report.chunks.total} | troubled | scans | seconds
    chunks = {"chunks new": report.chunks.new, "chunks removed": report.chunks.removed}
    embedding = {f"embedding {name.replace('_', ' ')}": count for name, count in figures["embedding"].items()}
    return chunks | embedding | seconds


def read_stage_metadata(stage: Stage, metadata: Mapping[str, dg.MetadataValue[Any]]) -> SyncReport:
    """The figures that `stage_metadata` told: those of scans and of what was skipped, the documents stage has."""
    figures = {name: one.value for name, one in metadata.items()}
    report = SyncReport(seconds=figures.get("seconds") or 0.0)
    _read_counts(report.embedding, "embedding", figures)
    if stage == "documents":
        _read_counts(report.documents, "documents", figures)
    if stage == "chunks":
        report.chunks.total = figures.get("chunks") or 0
        _read_counts(report.scans, "scans", figures)
    if stage == "vectors":
        _read_counts(report.chunks, "chunks", figures)
    return report


def _read_counts(counts: Any, prefix: str, figures: Mapping[str, Any]) -> None:
    for counter in fields(counts):
        setattr(counts, counter.name, figures.get(f"{prefix} {counter.name.replace('_', ' ')}") or 0)


def connection_costs(services: Services, connection: Connection) -> Metadata:
    """What one connection has cost."""
    return cost_metadata(read_costs(services.catalog, services.settings)[connection.id])


def total_costs(services: Services) -> Metadata:
    """What all connections and questions have cost."""
    found = read_costs(services.catalog, services.settings).values()
    today, month = (sum((getattr(one.spending, of) for one in found), Spent()) for of in ("today", "month"))
    return cost_metadata(Costs(Spending(today, month)))


def index_metadata(info: IndexInfo) -> Metadata:
    """What the published index holds."""
    return {
        "collection": info.collection,
        "embedding model": info.model,
        "documents": info.documents,
        "points": info.points,
        "size in MB": round(info.bytes / 1e6, 2),
    }


def cost_metadata(costs: Costs) -> Metadata:
    """What was spent, as numbers that the UI plots over time: they grow during a day or month, and begin again."""
    today, month = costs.spending.today, costs.spending.month
    figures: dict[str, Any] = {
        "source requests today": today.source_requests,
        "embedding requests today": today.embedding_requests,
        "embedding tokens today": today.tokens,
        "embedding cost today in USD": dg.MetadataValue.float(today.cost_usd),
        "embedding cost this month in USD": dg.MetadataValue.float(month.cost_usd),
    }
    if costs.budget:
        figures |= {
            "budget": costs.budget.line,
            "budget used in percent": dg.MetadataValue.float(round(100 * max(costs.budget.used.values()), 2)),
            "documents that wait for the budget": costs.waiting_documents,
        }
    return figures


def publication_metadata(publication: Publication, costs: Metadata) -> Metadata:
    """What was published, and what was spent for it: numbers that the UI plots over time, by source."""
    figures: dict[str, Any] = dict(index_metadata(publication.info)) | dict(costs)
    for source, found in publication.sources.items():
        figures |= {f"{source} documents": found.documents, f"{source} points": found.points}
        if found.lag_seconds is not None:
            figures[f"{source} lag in seconds"] = dg.MetadataValue.float(found.lag_seconds)
        if found.newest:
            figures[f"{source} newest document"] = found.newest
    if publication.golden:
        golden = asdict(publication.golden)
        figures |= {f"golden {name}": dg.MetadataValue.float(value) for name, value in golden.items()}
    return figures
