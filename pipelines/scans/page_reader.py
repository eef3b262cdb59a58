"""Reads the pages of a document that are pictures; each is paid for once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from connectors import media
from connectors.model import Document
from pipelines.chunking.isolated import ChunkerPool
from pipelines.errors import PartitionRefused
from pipelines.landing import Landing
from pipelines.scans.unstructured import UnstructuredApi
from pipelines.turns import turn_given_up

MOST_PAGES = 500
"""Of one document that are sent: what is beyond stays unread, and is told."""
_AT_ONCE = 10
"""Pages that are taken out of a document together."""


@dataclass(frozen=True, slots=True)
class ScannedPages:
    """`elements` are the API's of each page, as JSON, and `refused` says why it does not read others."""

    elements: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why pages stay unread, for people."""
        return tuple(f"page {page} is refused by the API that reads scans: {why}" for page, why in self.refused.items())


class PageCounts(NamedTuple):
    """How many requests were sent, pages read by them, and pages that had been read before."""

    requests: int = 0
    pages: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class PageReader:
    api: UnstructuredApi
    chunkers: ChunkerPool
    landing: Landing
    _counts: dict[str, PageCounts] = field(default_factory=dict)

    def take_counts(self, connection: str) -> PageCounts:
        """What was done for a connection since this was asked for it last."""
        return self._counts.pop(connection, PageCounts())

    def read(self, document: Document, pages: Sequence[int]) -> ScannedPages:
        """What stands on these pages of a PDF, or in a picture. Raises PartitionUnavailable; what was read is kept."""
        found = ScannedPages()
        digest = hashlib.sha256(document.content_bytes).hexdigest()[:32]
        missing = []
        for page in pages[:MOST_PAGES]:
            known = self.landing.scans.read(document, self._name(digest, page))
            if known is None:
                missing.append(page)
            else:
                found.elements[page] = known
                self._count(document, cached=1)
        for page, content in self._pages(document, missing):
            self._read_page(document, digest, page, content, found)
        return found

    def _read_page(self, document: Document, digest: str, page: int, content: bytes, found: ScannedPages) -> None:
        name = f"{digest}-{page}.pdf" if _is_pdf(document) else f"{digest}.{document.content_type.rpartition('/')[2]}"
        self._count(document, requests=1)
        try:
            with turn_given_up():
                elements = self.api.read(content, name, document.content_type)
        except PartitionRefused as error:
            found.refused[page] = str(error)
            return
        self.landing.scans.write(document, self._name(digest, page), elements)
        found.elements[page] = elements
        self._count(document, pages=1)

    def _count(self, document: Document, requests: int = 0, pages: int = 0, cached: int = 0) -> None:
        before = self._counts.get(document.connection, PageCounts())
        self._counts[document.connection] = PageCounts(
            before.requests + requests, before.pages + pages, before.cached + cached
        )

    def _pages(self, document: Document, pages: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        if not _is_pdf(document):
            yield from ((page, document.content_bytes) for page in pages)
            return
        remaining = iter(pages)
        while some := list(islice(remaining, _AT_ONCE)):
            yield from zip(some, self.chunkers.extract(document, some), strict=True)

    def _name(self, digest: str, page: int) -> str:
        return f"{digest}-{page}-{self.api.strategy}"


def _is_pdf(document: Document) -> bool:
    return media.declared_type(document.content_type) == media.PDF
