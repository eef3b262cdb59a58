"""Audit: is everything accounted for?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipelines.services import Services


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """Documents of a source by what keeps them out of the index."""

    pending: int
    skipped: int
    failed: int


def unaccounted(services: Services, source: str) -> Unaccounted:
    """Count the documents of a source that are not in the index, by reason."""
    connections = {connection.id for connection in services.settings.connections if connection.source == source}
    counts: Counter[str] = Counter()
    for (connection, _), statuses in services.catalog.documents.totals().items():
        if connection in connections:
            counts.update(statuses)
    return Unaccounted(counts["pending"], counts["skipped"], counts["failed"])
