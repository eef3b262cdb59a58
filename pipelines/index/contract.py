"""The contract of index stores: what is written, what is asked, what comes back.

A *point* is a chunk with its vectors and payload. Points carry two named vectors: `dense`, which may be several, one of
each window of the chunk, and the sparse `bm25` that the store makes from the point's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.lexical import LEXICAL, LexicalVector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DENSE = "dense"
BM25 = "bm25"
WINDOWS = "window_tokens"
"""The part of a stored spec that a collection without windows has not."""

Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]
Payload: TypeAlias = dict[str, Any]
Vector: TypeAlias = "Sequence[float] | NDArray[np.float32]"
Vectors: TypeAlias = "Sequence[Sequence[float]] | Sequence[NDArray[np.float32]]"

KEYWORD_FIELDS = (
    "document_id",
    "source",
    "connection",
    "unit",
    "kind",
    "author",
    "parents",
    "tags",
    "readers",
)
"""Payload fields indexed as keywords."""
TIME_FIELDS = ("updated_at", "created_at")
"""Payload fields indexed as times (RFC 3339, UTC)."""
NUMBER_FIELDS = ("position",)
"""Payload fields indexed as whole numbers: each document has one point at position 0, by which documents count."""


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What a collection is made for. A store refuses to open a collection that was made for another spec.

    With `window_tokens` points carry a vector for each window, and score by the best of them.
    """

    collection: str
    model: str
    dimensions: int
    chunking: str
    lexical: str = LEXICAL
    window_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A new point. `lexical` is its BM25 vector, or the text that it is made of; `dense` has unit length; a list of
    such with windows."""

    id: str
    dense: Vector | Vectors
    lexical: str | LexicalVector
    payload: Payload


@dataclass(frozen=True, slots=True)
class PayloadUpdate:
    """A point that keeps its text and vector and gets another payload; with `lexical_text`, another BM25 vector too."""

    id: str
    payload: Payload
    lexical_text: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """How one document's points change. Written new points first, stale ones last."""

    document_id: str
    points: Sequence[Point] = ()
    updates: Sequence[PayloadUpdate] = ()
    stale: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Points that must not be found: those of these `units` of a connection, or of these `documents`, unless they
    carry one of `unless_readers`. An empty field is no condition."""

    connection: str = ""
    units: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    unless_readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on points, all of which hold; an empty field is no condition.

    `scope_sources` and `scope_parents` are second conditions on sources and parents, an assistant's scope: a document
    may lie in the scope by one of its containers and be asked for by another.
    `readers` are the reader tokens of the person who asks: a point matches if it carries one of them. None asks as an
    administrator; an empty tuple matches nothing. `also` are further conditions. `uncounted` are points that do not
    count when words are weighed.
    """

    sources: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    parents_in: tuple[str, ...] = ()
    parents_not: tuple[str, ...] = ()
    scope_sources: tuple[str, ...] = ()
    scope_parents: tuple[str, ...] = ()
    tags_in: tuple[str, ...] = ()
    tags_not: tuple[str, ...] = ()
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    readers: tuple[str, ...] | None = ()
    also: Conditions = EVERY_POINT
    exclusions: tuple[Exclusion, ...] = ()
    uncounted: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that was found. Higher scores are better; scores of different modes do not compare.

    `dense` and `lexical` are the parts of the score that meaning and words give it; see `pipelines.index.fusion`.
    """

    id: str
    score: float
    payload: Payload
    dense: float = 0.0
    lexical: float = 0.0

    def __reduce__(self) -> tuple[type[Hit], tuple[str, float, Payload, float, float]]:
        """Goes from process to process by the dozen: a frozen class with slots is pickled field by field in Python."""
        return Hit, (self.id, self.score, self.payload, self.dense, self.lexical)


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """`bytes` is the size on disk, 0 where the store cannot tell.

    `idf_leaks` says that scores depend on documents that the asker may not see, since the engine cannot count the
    rarity of words over the others alone.
    """

    collection: str
    model: str
    documents: int
    points: int
    bytes: int
    idf_leaks: bool = False


class IndexReader(Protocol):
    """Answers queries. Safe to call from several threads; sees what was published last."""

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        """The best points; hybrid fuses the scores of both legs, from 0 to 1 (`pipelines.index.fusion`).

        Scores and order are the same whether or not there are points that the asker may not see: see
        `filters.visible`. Only which of two points that a leg scores alike goes first there is up to the engine.
        `dense` is the query's vector, needed for hybrid and dense; `text` feeds the lexical leg. `depth` is how many
        points each leg hands to the fusion, by default as many as suit the `limit`.
        """

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        """All points of a document that match `filters`, by position."""

    def count_documents(self, field: str, filters: Filters) -> Mapping[str, int]:
        """How many documents that match there are with each value of one of the `KEYWORD_FIELDS`."""

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        """The first points of the documents that match, those that were updated last first; those without a time are
        not among them."""

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        """The first points of documents that match, in no order."""

    def count_points(self) -> int:
        """How many points there are; for a thousandth of the price of `info`, which counts documents."""

    def info(self) -> IndexInfo: ...

    def close(self) -> None: ...


class IndexStore(Protocol):
    """The one writer of a collection. Made by `pipelines.index.open_store`; a context manager."""

    def apply(self, changes: Iterable[DocumentChange]) -> None:
        """Write changes, durably when it returns. Repeating a change does no harm."""

    def expect(self, points: int) -> None:
        """That there are to be about so many points, for a store that lays out a large index otherwise than a small
        one."""

    def set_readers(self, where: Conditions, source: str, readers: Sequence[str]) -> None:
        """Let the points that meet the conditions, all of one source, carry these readers; vectors stay."""

    def remove(self, where: Conditions) -> None:
        """Remove the points that meet the conditions, of which there is at least one."""

    def erase_removed(self) -> None:
        """Let no byte of points that were removed stay on disk, as far as the store can see to it, once published."""

    def points(self, document_ids: Sequence[str]) -> Mapping[str, Payload]:
        """Payloads of all points of these documents by point id."""

    def vectors(self, point_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """The dense vectors of those of these points that there are, each of shape (windows, dimensions)."""

    def scan(self, where: Conditions = EVERY_POINT) -> Iterator[tuple[str, Payload]]:
        """All points that meet the conditions, in no order, streamed."""

    def count_by_unit(self) -> Mapping[str, int]:
        """How many points there are of each unit's id, of whichever connections; for the price of the units."""

    def is_contended(self) -> bool:
        """Whether to close: another process waits to write, or has made another version live."""

    def publish(self) -> None:
        """Make everything written so far what readers see, at once."""

    def preview(self) -> IndexReader:
        """Answers from all that is written, published or not. Not to be used after this store is closed."""

    def info(self, documents: int | None = None) -> IndexInfo:
        """What has been written. `documents` is how many there are, for callers that know: to count them takes a second
        for each hundred thousand points."""

    def close(self) -> None: ...


def spec_metadata(spec: IndexSpec) -> Mapping[str, str | int]:
    """The part of a spec that is stored with a collection and compared when it is opened."""
    stored: dict[str, str | int] = {
        "model": spec.model,
        "dimensions": spec.dimensions,
        "chunking": spec.chunking,
        "lexical": spec.lexical,
    }
    # Left out where chunks are embedded as a whole: collections of earlier releases keep their names.
    return {**stored, WINDOWS: spec.window_tokens} if spec.window_tokens else stored
