"""What chunking makes of a document."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID, uuid5

_NAMESPACE = UUID("6d2b2a52-7a0b-5b67-9d34-6a2f0f5b8e11")

_MOST_RANGES = 20

Scans: TypeAlias = Mapping[int, str]
"""What an API has read on pages that are pictures: elements of unstructured, as JSON, by page."""
NO_SCANS: Scans = {}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document.

    `text` is what a reader sees; `header` (title, breadcrumb, source, date, author) and the headings above are
    put before it for embedding and lexical search only. `occurrence` counts equal texts in one document from 0. `page`
    is the page, slide or sheet that it stands on, from 1.
    """

    document_id: str
    position: int
    headings: tuple[str, ...]
    text: str
    header: str
    occurrence: int = 0
    page: int | None = None

    @property
    def id(self) -> str:
        """Point id: the same document and text give the same id, whatever is around it."""
        text_hash = hashlib.sha256(self.text.encode()).hexdigest()
        return str(uuid5(_NAMESPACE, f"{self.document_id}\0{text_hash}\0{self.occurrence}"))

    @property
    def embedded_text(self) -> str:
        """The text that is indexed for lexical search, and embedded where a model takes the chunk as a whole."""
        return self.under_headings(self.text)

    def under_headings(self, text: str) -> str:
        """A part of the chunk's text as it is embedded: the header and the headings before it.

        In NFC (Unicode Standard Annex 15), in which models know letters with accents; other sources hand out NFD.
        """
        above = "\n".join(part for part in (self.header, " > ".join(self.headings)) if part)
        return unicodedata.normalize("NFC", f"{above}\n\n{text}" if above else text)


@dataclass(frozen=True, slots=True)
class ChunkedContent:
    """The chunks of a document's content, and what of it is not: `pictures` are the pages that hold pictures only,
    and `reasons` say what else was left out."""

    chunks: tuple[Chunk, ...]
    pictures: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def partly_read(self) -> str | None:
        """What of it is not read, for people; None if all is.

        >>> ChunkedContent((), (3, 7, 8, 9)).partly_read
        'partly read: pages 3, 7-9 hold pictures only'
        """
        pages = f"pages {page_ranges(self.pictures)} hold pictures only" if self.pictures else ""
        if len(self.pictures) == 1:
            pages = f"page {self.pictures[0]} holds a picture only"
        said = [one for one in (pages, *self.reasons) if one]
        return f"partly read: {'; '.join(said)}" if said else None


def page_ranges(pages: Sequence[int]) -> str:
    """Ascending page numbers as people write them, at most twenty ranges.

    >>> page_ranges([3, 7, 8, 9])
    '3, 7-9'
    """
    ranges: list[list[int]] = []
    for page in pages:
        if ranges and page == ranges[-1][1] + 1:
            ranges[-1][1] = page
        else:
            ranges.append([page, page])
    shown = [f"{first}-{last}" if last > first else str(first) for first, last in ranges[:_MOST_RANGES]]
    return ", ".join(shown) + (f" and {len(ranges) - _MOST_RANGES} more ranges" if len(ranges) > _MOST_RANGES else "")
