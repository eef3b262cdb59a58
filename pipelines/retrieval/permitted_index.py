"""An index reader around the index reader: what the catalog knows to be taken away is left out of every answer.

Search, documents, explain, MCP, OpenAI's interface and the preview of the publication's checks all pass through it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil

from connectors.settings import Connection
from pipelines.catalog.statements import in_parts
from pipelines.index.contract import Exclusion, Filters, Hit, IndexInfo, IndexReader, Mode, Vector
from pipelines.index.fusion import candidates
from pipelines.retrieval.revocations import RevocationFilter, RightsSource

_SPARE = 0.25
"""How many more points are asked for, as a share, where some may have to be left out. Each costs 0.03 ms of CPU."""

_SMALL = 20_000
"""Points. Up to here conditions of the engine cost 6 ms of CPU at most, and are always asked. In a larger index they
would cost more than the whole search, for words that the asker could read before."""


class PermittedIndex:
    """Reads what is in force before it asks the index: what ended in between is in the copy that is asked then."""

    def __init__(self, index: IndexReader, rights: RightsSource, connections: Collection[Connection]) -> None:
        self._index = index
        self._rights = rights
        self._connections = connections
        self._lock = threading.Lock()
        self._loaded: tuple[int, RevocationFilter] | None = None
        self._is_small = False
        self._unknown: tuple[RevocationFilter, tuple[Exclusion, ...]] | None = None

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        revocations, now = self._in_force(), datetime.now(UTC)
        depth = depth or candidates(limit)
        asked = limit if revocations.is_empty else ceil((1 + _SPARE) * limit)
        if self._is_small and not revocations.is_empty:
            filters = _exact(filters, revocations, now)
        # Of the same candidates more are fused: their order is the one that it would have been.
        found = self._index.search(mode=mode, text=text, dense=dense, filters=filters, limit=asked, depth=depth)
        kept = _permitted(found, revocations, filters)
        if len(kept) >= limit or len(kept) == len(found) or len(found) < limit:
            return kept[:limit]
        # Places ran short. A condition of the index costs more, and finds what stands behind those left out.
        filters = replace(filters, exclusions=revocations.exclusions(_asker(filters), now))
        found = self._index.search(mode=mode, text=text, dense=dense, filters=filters, limit=asked, depth=depth)
        return _permitted(found, revocations, filters)[:limit]

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        revocations = self._in_force()
        return _permitted(self._index.document(document_id, filters), revocations, filters)

    def count_documents(self, field: str, filters: Filters) -> Mapping[str, int]:
        """Exactly those that may be seen: a value of others would tell that they are there."""
        revocations, now, asker = self._in_force(), datetime.now(UTC), _asker(filters)
        excluded = (*revocations.certain_exclusions(asker), *self._unknown_units(revocations))
        counted = Counter(self._index.count_documents(field, replace(filters, exclusions=excluded)))
        doubtful = revocations.doubtful.intersection(filters.documents or revocations.doubtful)
        for part in in_parts(sorted(doubtful)):
            found = self._index.beginnings(replace(filters, documents=tuple(part)), len(part))
            for hit in found:
                if revocations.permits_document(hit, asker, now):
                    counted.update(_values(hit.payload[field]))
        return counted

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        return self._beginnings(self._index.newest, filters, limit)

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        return self._beginnings(self._index.beginnings, filters, limit)

    def _beginnings(self, read: Callable[[Filters, int], list[Hit]], filters: Filters, limit: int) -> list[Hit]:
        """Of a document that has lost text the name and place alone, until what is published lacks it too."""
        revocations, now, asker = self._in_force(), datetime.now(UTC), _asker(filters)
        filters = replace(filters, exclusions=revocations.exclusions(asker, now))
        asked = limit
        while True:
            found = read(filters, asked)
            kept = [hit for hit in found if revocations.permits_document(hit, asker, now)]
            if len(kept) >= limit or len(found) < asked:
                return [hit if revocations.keeps_text(hit) else _without_text(hit) for hit in kept[:limit]]
            asked *= 2

    def _unknown_units(self, revocations: RevocationFilter) -> tuple[Exclusion, ...]:
        """Units and connections that the index has and the catalog does not know, as after it was lost."""
        if self._unknown is None or self._unknown[0] is not revocations:
            everything = Filters(readers=None)
            there = self._index.count_documents("unit", everything)
            connections = self._index.count_documents("connection", everything)
            self._unknown = revocations, revocations.unknown(there, connections)
        return self._unknown[1]

    def count_points(self) -> int:
        return self._index.count_points()

    def info(self) -> IndexInfo:
        return self._index.info()

    def close(self) -> None:
        self._index.close()

    def _in_force(self) -> RevocationFilter:
        stamp = self._rights.stamp()
        loaded = self._loaded
        if loaded and loaded[0] == stamp:
            return loaded[1]
        with self._lock:
            if self._loaded is None or self._loaded[0] != stamp:
                # The stamp was read first: a change in between is loaded once more at the next query.
                filter = RevocationFilter.load(self._rights, self._connections)
                self._is_small = not filter.is_empty and self._index.count_points() <= _SMALL
                self._loaded = (stamp, filter)
            return self._loaded[1]


def _exact(filters: Filters, revocations: RevocationFilter, now: datetime) -> Filters:
    """Scores and order as if what is revoked were not there: neither its words nor its places count."""
    exclusions = revocations.exclusions(_asker(filters), now)
    return replace(filters, exclusions=exclusions, uncounted=revocations.uncounted(exclusions))


def _permitted(hits: Sequence[Hit], revocations: RevocationFilter, filters: Filters) -> list[Hit]:
    asker, now = _asker(filters), datetime.now(UTC)
    return [hit for hit in hits if revocations.permits(hit, asker, now)]


def _values(held: str | list[str]) -> list[str]:
    return [held] if isinstance(held, str) else held


def _without_text(hit: Hit) -> Hit:
    return replace(hit, payload={**hit.payload, "text": "", "headings": []})


def _asker(filters: Filters) -> frozenset[str] | None:
    return None if filters.readers is None else frozenset(filters.readers)
