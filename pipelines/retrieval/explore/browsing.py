"""What is in a container, and what has changed lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from connectors.contract import id_prefix
from pipelines.catalog import Catalog
from pipelines.catalog.accounts import fold
from pipelines.catalog.unit_names import NamedUnit
from pipelines.chunking.tokens import estimate_tokens
from pipelines.index.contract import Filters, Hit, IndexReader
from pipelines.retrieval.explore.changes_cursor import ListCursor
from pipelines.retrieval.explore.schema import Change, ChangesResponse, Child, ChildrenResponse
from pipelines.retrieval.filter_values import FilterValues, UnknownValue
from pipelines.retrieval.schema import DocumentMetadata
from pipelines.retrieval.search import metadata
from pipelines.retrieval.text_parts import MOST_TOKENS
from pipelines.retrieval.unit_titles import title_in

E = TypeVar("E", bound=BaseModel)

MOST_CHILDREN = 5_000
"""Of one container that are looked at."""
MOST_AT_ONCE = 10_000
"""Changes of one moment that are put in order."""
_EXCERPT = 300
"""Characters of a document's beginning."""
_MARKS = 16
"""Tokens that an answer adds to each of its entries."""


@dataclass(frozen=True, slots=True)
class _Container:
    """`inside` has the ids of what is directly in it."""

    id: str
    inside: list[str]
    name: str


class Browsing:
    """Of what somebody sees who sees what matches `seen`."""

    def __init__(self, index: IndexReader, catalog: Catalog, seen: Filters) -> None:
        self._index = index
        self._catalog = catalog
        self._seen = seen
        self._values = FilterValues(index, catalog, seen)

    def children(self, container: str, offset: int, limit: int) -> ChildrenResponse:
        """What is directly in a container, which is given by its id or title, or in a unit, by its id or name. Of a
        name that several bear, those.

        Raises UnknownValue.
        """
        named = self._named(container)
        if len(named) > 1:
            return self._same_name(container, named, offset, limit)
        (one,) = named
        documents = {hit.payload["document_id"]: hit for hit in self._beginnings(one.inside)}
        counted = self._counted(one.inside)
        shown = [each for each in one.inside if each in documents or each in counted]
        page = [self._child(each, documents.get(each), counted.get(each, 0)) for each in shown[offset : offset + limit]]
        return _children(one.id, self._path(one.id) or [one.name], page, offset, len(shown))

    def _same_name(self, name: str, named: Sequence[_Container], offset: int, limit: int) -> ChildrenResponse:
        """Those that bear one name, to be asked for by their ids."""
        page = named[offset : offset + limit]
        counted = self._counted([one.id for one in page])
        children = [Child(id=one.id, title=self._place(one), documents=counted.get(one.id, 0)) for one in page]
        return _children(name, [name], children, offset, len(named))

    def _place(self, container: _Container) -> str:
        return " › ".join(self._path(container.id)) or container.name

    def changes(self, filters: Filters, cursor: ListCursor | None, limit: int) -> ChangesResponse:
        """The documents that were updated last, the newest first, or those that follow what the cursor is after."""
        seen = cursor.seen if cursor else 0
        if cursor:
            filters = replace(filters, updated_before=min(cursor.before, filters.updated_before or cursor.before))
        newest = self._newest(filters, seen + limit + 1)
        changes = _fitting([_change(hit) for hit in newest[seen : seen + limit]])
        told = newest[: seen + len(changes)]
        times = [datetime.fromisoformat(hit.payload["updated_at"]) for hit in told]
        following = str(ListCursor.after(times)) if len(newest) > len(told) else None
        return ChangesResponse(changes=changes, next_cursor=following)

    def _newest(self, filters: Filters, most: int) -> list[Hit]:
        """At least so many, in an order that is the same each time. Of those that share the last one's time an index
        gives any first: all are read, if they are not too many."""
        asked = most
        while True:
            found = self._index.newest(filters, asked)
            times = [hit.payload["updated_at"] for hit in found]
            if len(found) < asked or times[-1] != times[most - 1] or asked > MOST_AT_ONCE:
                by_id = sorted(found, key=lambda hit: hit.payload["document_id"])
                return sorted(by_id, key=lambda hit: hit.payload["updated_at"], reverse=True)
            asked *= 2

    def _named(self, asked: str) -> list[_Container]:
        """The containers and units that are called so; what has this very id is alone."""
        unknown, found = None, list[_Container]()
        try:
            containers = self._values.find("parents", asked, "container")
        except UnknownValue as error:
            unknown, containers = error, ()
        for one in containers:
            found.append(_Container(one, self._below(one), self._values.title(one) or asked))
        if asked not in containers:
            found += (_Container(*self._inside_unit(unit), unit.name) for unit in self._units(asked))
        if unknown and not found:
            raise unknown
        return list({one.id: one for one in found}.values())

    def _inside_unit(self, unit: NamedUnit) -> tuple[str, list[str]]:
        """What is in the container that a unit itself is, or in the one container at its top, or else at its top."""
        itself = f"{id_prefix(unit.source, unit.connection)}{unit.id}"
        if below := self._below(itself):
            return itself, below
        top = self._catalog.parents.at_the_top(unit.connection, unit.id, MOST_CHILDREN)
        below = self._below(top[0]) if len(top) == 1 else []
        return (top[0], below) if below else (unit.id, top)

    def _below(self, container: str) -> list[str]:
        return self._catalog.parents.children(_connection_of(container), container, MOST_CHILDREN)

    def _units(self, asked: str) -> list[NamedUnit]:
        """Those that are called exactly so now, or else all that are or were called nearly so."""
        try:
            found = self._values.find("unit", asked, "id")
        except UnknownValue:
            return []
        units = [one for one in self._values.units(found) if self._is_seen(one)]
        return [one for one in units if fold(asked) in (fold(one.name), fold(one.url))] or units

    def _is_seen(self, unit: NamedUnit) -> bool:
        own = replace(self._seen, connections=(unit.connection,), units=(unit.id,))
        return bool(self._index.beginnings(own, 1))

    def _beginnings(self, ids: Sequence[str]) -> list[Hit]:
        return self._index.beginnings(replace(self._seen, documents=tuple(ids)), len(ids)) if ids else []

    def _counted(self, ids: Sequence[str]) -> Mapping[str, int]:
        """How many documents are below each."""
        if not ids:
            return {}
        counted = self._index.count_documents("parents", replace(self._seen, parents_in=tuple(ids)))
        return {one: counted[one] for one in ids if one in counted}

    def _child(self, child: str, hit: Hit | None, documents: int) -> Child:
        if hit is None:
            return Child(id=child, title=self._values.title(child) or child, documents=documents)
        told = DocumentMetadata(**metadata(hit.payload))
        return Child(id=child, title=told.title, documents=documents, document=told)

    def _path(self, container: str) -> list[str]:
        """The titles from the outermost on, as far as they are known."""
        for hit in self._index.beginnings(replace(self._seen, parents_in=(container,)), 1):
            parents = hit.payload["parents"]
            above = parents[: parents.index(container)]
            titles = (*(title_in(hit.payload, one) for one in above), self._values.title(container))
            return [title for title in titles if title]
        return []


def _children(id: str, path: list[str], page: Sequence[Child], offset: int, total: int) -> ChildrenResponse:
    """As many of a page as fit into an answer, and where the next one begins."""
    children = _fitting(page)
    end = offset + len(children)
    return ChildrenResponse(
        id=id, path=path, children=children, total=total, next_offset=end if page and end < total else None
    )


def _fitting(entries: Sequence[E]) -> list[E]:
    """The first ones, for which there is room in one answer; the very first in any case."""
    left, fitting = MOST_TOKENS, list[E]()
    for one in entries:
        left -= estimate_tokens(one.model_dump_json()) + _MARKS
        if left < 0 and fitting:
            break
        fitting.append(one)
    return fitting


def _connection_of(container: str) -> str:
    """The ids of all that is of a connection begin with its own (`connectors.contract.id_prefix`)."""
    return container.partition(":")[2].partition("/")[0]


def _change(hit: Hit) -> Change:
    excerpt = " ".join(hit.payload["text"].split())[:_EXCERPT]
    return Change(**metadata(hit.payload), excerpt=excerpt)
