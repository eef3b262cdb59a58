"""An index in memory: chunks with scores of their own, and filters by brute force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.index.contract import Filters, Hit, IndexInfo, Mode, Payload, Vector

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def chunk(document: str, position: int = 0, score: float = 1.0, **changes: Any) -> Hit:
    """A chunk of a document, with the score that every question gives it."""
    payload = {
        "document_id": document,
        "version": "v1",
        "source": "github",
        "connection": "acme",
        "unit": "acme/api",
        "kind": "issue",
        "title": document.title(),
        "url": f"https://example.com/{document}",
        "author": "ada",
        "parents": ["github:acme/acme/api"],
        "breadcrumb": ["acme/api"],
        "tags": ["bug"],
        "readers": ["public"],
        "created_at": NEW_YEAR.isoformat(),
        "updated_at": NEW_YEAR.isoformat(),
        "position": position,
        "headings": [],
        "text": f"{document} {position}",
    } | changes
    return Hit(f"{document}-{payload['version']}-{position}", score, payload, lexical=score)


class MemoryIndex:
    """Remembers how deep it was asked, and what `publish_before_document` puts in place before a document is read."""

    def __init__(self, chunks: Sequence[Hit]) -> None:
        self.chunks = list(chunks)
        self.limits: list[int] = []
        self.modes: list[tuple[Mode, Vector | None]] = []
        self.publish_before_document: list[Hit] | None = None

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        self.limits.append(limit)
        self.modes.append((mode, dense))
        found = [hit for hit in self.chunks if includes(filters, hit.payload)]
        return sorted(found, key=lambda hit: -hit.score)[:limit]

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        if self.publish_before_document is not None:
            self.chunks = self.publish_before_document
        found = [hit for hit in self.chunks if hit.payload["document_id"] == document_id]
        return [Hit(hit.id, 1.0, hit.payload) for hit in found if includes(filters, hit.payload)]

    def count_documents(self, field: str, filters: Filters) -> dict[str, int]:
        counted = Counter[str]()
        for hit in self.beginnings(filters, len(self.chunks)):
            held = hit.payload[field]
            counted.update([held] if isinstance(held, str) else held)
        return counted

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        found = [hit for hit in self.beginnings(filters, len(self.chunks)) if hit.payload["updated_at"]]
        return sorted(found, key=lambda hit: str(hit.payload["updated_at"]), reverse=True)[:limit]

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        found = [hit for hit in self.chunks if hit.payload["position"] == 0 and includes(filters, hit.payload)]
        return found[:limit]

    def count_points(self) -> int:
        return len(self.chunks)

    def info(self) -> IndexInfo:
        documents = {hit.payload["document_id"] for hit in self.chunks}
        return IndexInfo("knowledge", "memory", len(documents), len(self.chunks), 0)

    def close(self) -> None:
        pass


def includes(filters: Filters, payload: Payload) -> bool:
    """Whether a point meets all conditions, checked one by one."""
    one_of = {
        "source": filters.sources,
        "connection": filters.connections,
        "unit": filters.units,
        "kind": filters.kinds,
        "author": filters.authors,
        "document_id": filters.documents,
        "parents": filters.parents_in,
        "tags": filters.tags_in,
    }
    none_of = {"parents": filters.parents_not, "tags": filters.tags_not}
    return (
        (filters.readers is None or _shares(payload["readers"], filters.readers))
        and all(not values or _shares(payload[field], values) for field, values in one_of.items())
        and (not filters.scope_sources or payload["source"] in filters.scope_sources)
        and (not filters.scope_parents or _shares(payload["parents"], filters.scope_parents))
        and not any(_shares(payload[field], values) for field, values in none_of.items())
        and _during(payload["updated_at"], filters.updated_after, lambda moment, start: moment >= start)
        and _during(payload["updated_at"], filters.updated_before, lambda moment, end: moment < end)
    )


def _shares(held: str | Sequence[str], values: Sequence[str]) -> bool:
    return not set([held] if isinstance(held, str) else held).isdisjoint(values)


def _during(updated: str | None, bound: datetime | None, holds: Callable[[datetime, datetime], bool]) -> bool:
    return bound is None or (updated is not None and holds(datetime.fromisoformat(updated), bound))
