"""The index plan: how a document's points change, given the points it has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.bulk_chunking.rows import VectorizedDocument
from pipelines.chunking.windows import embedded_texts
from pipelines.index.contract import DocumentChange, Payload, PayloadUpdate, Point, Vector, Vectors
from pipelines.index.lexical import LexicalVector
from pipelines.index.references import lexical_text, reference
from pipelines.landing import ChunkedDocument

if TYPE_CHECKING:
    from pipelines.chunking.model import Chunk

NOT_EMBEDDABLE = "cannot be embedded"
"""Stands in the reason why a document failed of which the provider does not take a text."""


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """How a document's points change. `new` chunks, by point id, need a vector; `stale` are ids of points without a
    chunk."""

    document: ChunkedDocument
    new: Mapping[str, Chunk]
    updates: tuple[PayloadUpdate, ...]
    stale: tuple[str, ...]


def plan_document(document: ChunkedDocument, existing: Mapping[str, Payload]) -> DocumentPlan:
    """Compare a document's chunks with the payloads of its points, by point id.

    A chunk whose text is in the index keeps its vector, even if the title, place or position around it changed:
    its payload is replaced, and its lexical vector too where the header or the headings are others.
    """
    new: dict[str, Chunk] = {}
    updates: list[PayloadUpdate] = []
    chunks = {chunk.id: chunk for chunk in document.chunks}
    for point_id, chunk in chunks.items():
        known = existing.get(point_id)
        if known is None:
            new[point_id] = chunk
        elif known != (payload := point_payload(document, chunk)):
            # BM25 is cheap to compute again. The dense vector stays that of the header it was embedded with:
            # a renamed document costs no embedding.
            text = None if _context(known) == _context(payload) else lexical_text(chunk, _url(payload))
            updates.append(PayloadUpdate(point_id, payload, text))
    stale = tuple(point_id for point_id in existing if point_id not in chunks)
    return DocumentPlan(document, new, tuple(updates), stale)


def new_texts(plans: Iterable[DocumentPlan], window: int | None = None) -> list[str]:
    """The texts that need a vector, each once, in their order; `window` is the embedder's."""
    chunks = (chunk for plan in plans for chunk in plan.new.values())
    return list(dict.fromkeys(text for chunk in chunks for text in embedded_texts(chunk, window)))


def needs_any(plan: DocumentPlan, texts: Collection[str], window: int | None = None) -> bool:
    """Whether a plan needs the vector of one of these texts."""
    return bool(texts) and any(text in texts for chunk in plan.new.values() for text in embedded_texts(chunk, window))


def refusal(plan: DocumentPlan, refused: Mapping[str, str], window: int | None = None) -> str | None:
    """Why a plan cannot be carried out, if one of its new texts is among `refused`, which gives the reasons."""
    for chunk in plan.new.values() if refused else ():  # mostly nothing is: texts are not put together for it
        if reason := next((refused[text] for text in embedded_texts(chunk, window) if text in refused), None):
            place = f"passage {chunk.position + 1} of {len(plan.document.chunks)} ({len(chunk.text):,} characters)"
            return f"{place} {NOT_EMBEDDABLE}: {reason}"
    return None


def document_change(plan: DocumentPlan, vectors: Mapping[str, Vector], window: int | None = None) -> DocumentChange:
    """The change that carries a plan out. `vectors` holds those of the new chunks, by embedded text."""
    points = [
        Point(point_id, _dense(chunk, vectors, window), _lexical(plan.document, chunk, payload), payload)
        for point_id, chunk in plan.new.items()
        for payload in (point_payload(plan.document, chunk),)
    ]
    return DocumentChange(plan.document.document_id, points, plan.updates, plan.stale)


def _dense(chunk: Chunk, vectors: Mapping[str, Vector], window: int | None) -> Vector | Vectors:
    texts = embedded_texts(chunk, window)
    return [vectors[text] for text in texts] if window else vectors[texts[0]]  # type: ignore[return-value]


def point_payload(document: ChunkedDocument, chunk: Chunk) -> Payload:
    """The payload of one point: the document's, and what is the chunk's own."""
    return {
        **document.payload,
        "position": chunk.position,
        "headings": list(chunk.headings),
        "header": chunk.header,
        "text": chunk.text,
        **({"page": chunk.page} if chunk.page is not None else {}),
    }


def _lexical(document: ChunkedDocument, chunk: Chunk, payload: Payload) -> str | LexicalVector:
    """The chunk's lexical vector, where it was made as the document was chunked, or else what it is made of."""
    if isinstance(document, VectorizedDocument):
        return document.lexical[chunk.position]
    return lexical_text(chunk, _url(payload))


def _context(payload: Payload) -> tuple[object, ...]:
    """What a chunk is found by beside its text."""
    return payload.get("header"), payload.get("headings"), reference(_url(payload))


def _url(payload: Payload) -> str:
    return payload.get("url") or ""
