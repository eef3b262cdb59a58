"""What belongs together: documents that link to one another, found in texts that are kept anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from pipelines.catalog import Catalog
from pipelines.catalog.lookup import resolve_ids
from pipelines.index.contract import Filters, Hit, IndexReader, Payload
from pipelines.retrieval.explore.schema import RelatedDocument
from pipelines.retrieval.links import Mention, last_part, mentions_in, surroundings
from pipelines.retrieval.search import metadata

MOST_RELATED = 20
"""Documents each way that are told of."""
_MOST_MENTIONS = 200
"""In the texts of one answer that are looked up."""
_CANDIDATES = 100
"""Passages with the words of a document's address that are looked at."""
_TRACKER_PATHS = ("pull", "issues", "discussions")
"""Where trackers have what a number stands for, below the address of the repository."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A mention in a passage, and the document that it names."""

    hit: Hit
    mention: Mention
    document_id: str


class Relations:
    """Between documents that somebody sees who sees what matches `seen`. For one request."""

    def __init__(self, index: IndexReader, catalog: Catalog, seen: Filters) -> None:
        self._index = index
        self._catalog = catalog
        self._seen = seen

    def mentioned_in(self, document: Sequence[Hit]) -> list[RelatedDocument]:
        """What a document links to; `document` are its points."""
        links: dict[str, _Named] = {}
        for link in self._links(document):
            links.setdefault(link.document_id, link)
        links.pop(document[0].payload["document_id"], None)
        found = self._index.beginnings(replace(self._seen, documents=tuple(links)), len(links)) if links else []
        told = {hit.payload["document_id"]: hit for hit in found}
        return [_related(told[one], link) for one, link in links.items() if one in told]

    def mentioning(self, document: Sequence[Hit]) -> list[RelatedDocument]:
        """What links to a document."""
        own, found = document[0].payload, dict[str, RelatedDocument]()
        if not own["url"]:
            return []
        for link in self._links(self._candidates(own), last_part(own["url"])):
            other = link.hit.payload["document_id"]
            if link.document_id == own["document_id"] != other:
                found.setdefault(other, _related(link.hit, link))
        return list(found.values())

    def _candidates(self, own: Payload) -> list[Hit]:
        """Passages in which the words of a document's address stand, or its number."""
        number, name = last_part(own["url"]), self._names.get((own["connection"], own["unit"]), "")
        asked = [(own["url"], self._seen)]
        if number.isdecimal() and name:
            short = name.rpartition("/")[2]
            asked += [(f"{name}#{number}", self._seen), (f"{short}#{number}", self._seen)]
            asked.append((f"#{number}", replace(self._seen, units=(own["unit"],))))
        found: dict[str, Hit] = {}
        for text, filters in asked:
            hits = self._index.search(mode="lexical", text=text, dense=None, filters=filters, limit=_CANDIDATES)
            found |= {hit.id: hit for hit in hits}
        return list(found.values())

    def _links(self, hits: Iterable[Hit], having: str = "") -> Iterator[_Named]:
        """What is mentioned in these passages and known to the catalog; of links those that have `having` in them."""
        mentioned = (
            (hit, mention, targets)
            for hit in hits
            for mention in mentions_in(hit.payload["text"])
            if (targets := self._targets(mention, hit.payload)) and any(having in target for target in targets)
        )
        some = list(islice(mentioned, _MOST_MENTIONS))
        ids = resolve_ids(self._catalog, {target for _, _, targets in some for target in targets})
        for hit, mention, targets in some:
            yield from (_Named(hit, mention, one) for target in targets for one in ids.get(target, ()))

    def _targets(self, mention: Mention, payload: Payload) -> list[str]:
        """The addresses that a mention may stand for."""
        if mention.url:
            return [mention.url]
        own = self._urls.get((payload["connection"], payload["unit"]), "")
        bases = self._by_name.get(mention.unit.lower(), ()) if mention.unit else filter(None, [own])
        return [f"{base}/{path}/{mention.number}" for base in bases for path in _TRACKER_PATHS]

    @cached_property
    def _units(self) -> list[tuple[tuple[str, str], str, str]]:
        """Connection and id, name, and address of all units."""
        states = (state for state in self._catalog.units.all() if not state.gone)
        return [((one.connection, one.unit.id), one.unit.name, one.unit.url.rstrip("/")) for one in states]

    @cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        return {key: name for key, name, _ in self._units}

    @cached_property
    def _urls(self) -> dict[tuple[str, str], str]:
        return {key: url for key, _, url in self._units}

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Addresses by name, and by the last part of a name, as people write it."""
        found: dict[str, list[str]] = {}
        for _, name, url in self._units:
            for spelled in {name.lower(), name.lower().rpartition("/")[2]} if url else ():
                found.setdefault(spelled, []).append(url)
        return found


def _related(hit: Hit, link: _Named) -> RelatedDocument:
    mention = surroundings(link.hit.payload["text"], link.mention)
    return RelatedDocument(**metadata(hit.payload), mention=mention)
