"""Audit: is everything accounted for, and does the index hold what the catalog says?"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """Documents of a source by what keeps them out of the index."""

    pending: int
    skipped: int
    failed: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A document whose points in the index are not as many as the catalog says."""

    document_id: str
    in_catalog: int
    in_index: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def unaccounted(workspace: Workspace, source: str) -> Unaccounted:
    """Count the documents of a source that are not in the index, by reason."""
    connections = {connection.id for connection in workspace.settings.connections if connection.source == source}
    counts: Counter[str] = Counter()
    for (connection, _), statuses in workspace.catalog.documents.totals().items():
        if connection in connections:
            counts.update(statuses)
    return Unaccounted(counts["pending"], counts["skipped"], counts["failed"])


def index_differences(workspace: Workspace) -> list[Difference]:
    """Documents whose points differ in number between catalog and index, by id."""
    expected = workspace.catalog.documents.indexed()
    with workspace.store() as store:
        found = Counter(payload["document_id"] for _, payload in store.scan())
    return [
        Difference(document_id, expected.get(document_id, 0), found[document_id])
        for document_id in sorted(expected.keys() | found.keys())
        if expected.get(document_id, 0) != found[document_id]
    ]
