"""Vectors: from landed chunks to points in the index, embedding only texts that were never embedded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.catalog import Load
from pipelines.index.base import DocumentChange, IndexStore, Payload, Point, Refresh
from pipelines.landing import ChunkedDocument
from pipelines.report import EmbeddingCounts, Progress, SyncReport
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.chunking.model import Chunk

CHUNKS_PER_STEP = 2_048
"""How many chunks are planned, embedded and written before the catalog notes it."""

REQUESTS_PER_UNIT = 48
SMALLEST_REQUEST = 16
LARGEST_REQUEST = 512
"""A request is paid for when it is sent, and its answer kept when it arrives. So a unit's texts are spread
over some requests, of which a kill can lose the few under way."""


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """How a document's points change. `new` chunks need a vector."""

    document: ChunkedDocument
    new: tuple[Chunk, ...]
    refreshes: tuple[Refresh, ...]
    stale: tuple[str, ...]


def index_vectors(workspace: Workspace, connection: str, unit: str, report: SyncReport, *, progress: Progress) -> None:
    """Embed and index the chunks of all pending loads of a unit, adding to `report`.

    Raises EmbeddingError, IndexBusy and IndexMismatch; what was done before stays done.
    """
    loads = workspace.catalog.loads.pending(connection, unit, "chunked")
    if not loads:
        return
    total = sum(load.chunks for load in loads)
    size = min(max(total // REQUESTS_PER_UNIT, SMALLEST_REQUEST), LARGEST_REQUEST)
    done = 0
    with workspace.store() as store:
        for load in loads:
            for step in _steps(_current(workspace, load)):
                _index_step(workspace, store, step, size, report)
                done += sum(len(document.chunks) for document in step)
                progress("vectors", done, total)
            workspace.catalog.loads.indexed(load)


def plan(document: ChunkedDocument, existing: Mapping[str, Payload]) -> PlannedDocument:
    """Compare a document's chunks with the points it has. Pure.

    A chunk whose text is in the index keeps its vector, even if the title, place or position around it
    changed: its payload is replaced, and its lexical vector where the header is another one.
    """
    new: list[Chunk] = []
    refreshes: list[Refresh] = []
    chunks = {chunk.id: chunk for chunk in document.chunks}
    for point_id, chunk in chunks.items():
        known = existing.get(point_id)
        if known is None:
            new.append(chunk)
        elif known != (payload := point_payload(document, chunk)):
            same_context = (known.get("header"), known.get("headings")) == (payload["header"], payload["headings"])
            lexical_text = None if same_context else chunk.embedded_text
            refreshes.append(Refresh(point_id, payload, lexical_text))
    stale = tuple(point_id for point_id in existing if point_id not in chunks)
    return PlannedDocument(document, tuple(new), tuple(refreshes), stale)


def point_payload(document: ChunkedDocument, chunk: Chunk) -> Payload:
    """The payload of one point."""
    return {
        **document.payload,
        "position": chunk.position,
        "headings": list(chunk.headings),
        "header": chunk.header,
        "text": chunk.text,
    }


def _current(workspace: Workspace, load: Load) -> Iterator[ChunkedDocument]:
    """Documents of a load that are not indexed yet and that no later load holds a newer version of."""
    states = workspace.catalog.documents.in_load(load.id)
    for document in workspace.landing.read_chunks(load.chunks_path or ""):
        state = states.get(document.document_id)
        if state and (document.version is None or state.indexed_version != document.version):
            yield document


def _steps(documents: Iterable[ChunkedDocument]) -> Iterator[list[ChunkedDocument]]:
    step: list[ChunkedDocument] = []
    chunks = 0
    for document in documents:
        step.append(document)
        chunks += len(document.chunks)
        if chunks >= CHUNKS_PER_STEP:
            yield step
            step, chunks = [], 0
    if step:
        yield step


def _index_step(
    workspace: Workspace, store: IndexStore, step: Sequence[ChunkedDocument], request_size: int, report: SyncReport
) -> None:
    existing: dict[str, dict[str, Payload]] = {document.document_id: {} for document in step}
    for point_id, payload in store.points(list(existing)).items():
        existing[payload["document_id"]][point_id] = payload
    planned = [plan(document, existing[document.document_id]) for document in step]
    texts = list(dict.fromkeys(chunk.embedded_text for one in planned for chunk in one.new))
    vectors = _vectors(workspace, texts, request_size, report.embedding)
    store.apply(_change(one, vectors) for one in planned)
    workspace.catalog.documents.record_indexed(
        {one.document.document_id: (one.document.version, len(one.document.chunks)) for one in planned}
    )
    report.chunks.new += sum(len(one.new) for one in planned)
    report.chunks.removed += sum(len(one.stale) for one in planned)


def _change(planned: PlannedDocument, vectors: Mapping[str, NDArray[np.float32]]) -> DocumentChange:
    points = [
        Point(chunk.id, vectors[chunk.embedded_text], chunk.embedded_text, point_payload(planned.document, chunk))
        for chunk in planned.new
    ]
    return DocumentChange(planned.document.document_id, points, planned.refreshes, planned.stale)


def _vectors(
    workspace: Workspace, texts: Sequence[str], request_size: int, counts: EmbeddingCounts
) -> dict[str, NDArray[np.float32]]:
    """Vectors by text, from the cache or the provider; each answer is cached as soon as it arrives."""
    embedder = workspace.embedder
    cache = workspace.catalog.embeddings
    vectors = cache.get(embedder.model, embedder.dimensions, texts)
    counts.cached += len(vectors)
    missing = [text for text in texts if text not in vectors]
    if not missing:
        return vectors
    for batch in embedder.embed(missing, purpose="document", inputs_per_request=request_size):
        answered = {missing[position]: vector for position, vector in zip(batch.positions, batch.vectors, strict=True)}
        cache.put(embedder.model, embedder.dimensions, answered)
        vectors.update(answered)
        counts.requests += 1
        counts.inputs += len(answered)
        counts.tokens += batch.tokens
    counts.cost_usd = counts.tokens * embedder.price_per_million_tokens / 1e6
    return vectors
