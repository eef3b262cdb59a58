"""What belongs together: documents that link to one another, found in texts that are kept anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pipelines.catalog import Catalog
from pipelines.catalog.lookup import resolve_ids
from pipelines.index.contract import Filters, Hit, IndexReader
from pipelines.retrieval.explore.schema import RelatedDocument
from pipelines.retrieval.links import Mention, mentions_in, surroundings
from pipelines.retrieval.search import metadata

MOST_RELATED = 20
"""Documents each way."""
_MOST_MENTIONS = 200
"""Of one document that are looked up."""
_CANDIDATES = 100
"""Passages with the words of a document's address that are looked at."""
_IN_PASSAGES = 100
"""Of their mentions that are looked up: those that could mean the document."""


@dataclass(frozen=True, slots=True)
class _Linked:
    """A passage, and a mention in it of the document with this id."""

    hit: Hit
    mention: Mention
    document_id: str


class Relations:
    """Between documents that somebody sees who sees what matches `seen`."""

    def __init__(self, index: IndexReader, catalog: Catalog, seen: Filters) -> None:
        self._index = index
        self._catalog = catalog
        self._seen = seen

    def mentioned_in(self, document: Sequence[Hit]) -> list[RelatedDocument]:
        """What a document links to; `document` are its points."""
        found = {one.document_id: one for one in reversed(list(self._links(document, _MOST_MENTIONS)))}
        found.pop(document[0].payload["document_id"], None)
        seen = self._index.beginnings(replace(self._seen, documents=tuple(found)), len(found)) if found else []
        told = {hit.payload["document_id"]: hit for hit in seen}
        return [_related(told[one], link) for one, link in reversed(found.items()) if one in told][:MOST_RELATED]

    def mentioning(self, document: Sequence[Hit]) -> list[RelatedDocument]:
        """What links to a document."""
        own = document[0].payload
        found: dict[str, RelatedDocument] = {}
        for link in self._links(self._candidates(own), _IN_PASSAGES, _tail(own["url"])):
            other = link.hit.payload["document_id"]
            if link.document_id == own["document_id"] != other:
                found.setdefault(other, _related(link.hit, link))
        return list(islice(found.values(), MOST_RELATED))

    def _candidates(self, own: Mapping[str, str]) -> list[Hit]:
        """Passages in which the words of a document's address stand, or its number."""
        tail, unit = _tail(own["url"]), self._unit_url(own)
        asked = [(own["url"], self._seen)]
        if tail.isdecimal() and unit:
            asked.append((f"{unit.partition('://')[2].partition('/')[2]}#{tail}", self._seen))
            asked.append((f"#{tail}", replace(self._seen, units=(own["unit"],))))
        found: dict[str, Hit] = {}
        for text, filters in asked:
            hits = self._index.search(mode="lexical", text=text, dense=None, filters=filters, limit=_CANDIDATES)
            found |= {hit.id: hit for hit in hits}
        return list(found.values())

    def _links(self, hits: Iterable[Hit], most: int, tail: str = "") -> Iterator[_Linked]:
        """The mentions in these passages, of documents that the catalog knows; with `tail` those that have it."""
        mentioned = (
            (hit, mention)
            for hit in hits
            for mention in mentions_in(hit.payload["text"], self._unit_url(hit.payload))
            if not tail or any(tail in target for target in mention.targets)
        )
        some = list(islice(mentioned, most))
        ids = resolve_ids(self._catalog, {target for _, mention in some for target in mention.targets})
        for hit, mention in some:
            for target in mention.targets:
                yield from (_Linked(hit, mention, one) for one in ids.get(target, ()))

    def _unit_url(self, payload: Mapping[str, str]) -> str:
        units = self._catalog.unit_names.listed((payload["unit"],))
        return next((one.url for one in units if one.connection == payload["connection"]), "")


def _tail(url: str) -> str:
    """The last part of an address, by which a mention of it is told from others."""
    return url.rstrip("/").rpartition("/")[2].partition("?")[0].partition("#")[0]


def _related(hit: Hit, link: _Linked) -> RelatedDocument:
    mention = surroundings(link.hit.payload["text"], link.mention)
    return RelatedDocument(**metadata(hit.payload), mention=mention)
