"""Vectors: from landed chunks to points in the index, embedding only texts that were never embedded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from pipelines.catalog import Load
from pipelines.index.contract import DocumentChange, IndexStore, Payload, Point, Refresh
from pipelines.ingestion.report import EmbeddingCounts, Progress, SyncReport
from pipelines.landing import ChunkedDocument
from pipelines.services import Services

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.chunking.model import Chunk

    Vectors: TypeAlias = dict[str, NDArray[np.float32]]

Step = TypeVar("Step")
Done = TypeVar("Done")

CHUNKS_PER_STEP = 1_024
"""How many chunks are planned, embedded and written before the catalog notes it."""

_SECONDS_BETWEEN_LOOKS = 0.05

SHARE_PER_REQUEST = 1 / 50
SMALLEST_REQUEST = 8
LARGEST_REQUEST = 512
MOST_AT_ONCE = 8
"""A request is paid for when it is sent, and its answer kept when it arrives. What a kill can lose is what is
under way: about a fiftieth of a unit's texts, in one request where that is small, in several where it is not."""


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """How a document's points change. `new` chunks need a vector."""

    document: ChunkedDocument
    new: tuple[Chunk, ...]
    refreshes: tuple[Refresh, ...]
    stale: tuple[str, ...]


def index_vectors(services: Services, connection: str, unit: str, report: SyncReport, *, progress: Progress) -> None:
    """Embed and index the chunks of all pending loads of a unit, adding to `report`.

    Raises EmbeddingError, IndexBusy and IndexMismatch; what was done before stays done.
    """
    loads = services.catalog.loads.pending(connection, unit, "chunked")
    if not loads:
        return
    total = sum(load.chunks for load in loads)
    embedding = _Embedding(services, request_limits(total), report.embedding)
    done = 0
    with _Writer(services) as writer, ThreadPoolExecutor(1) as beside:
        for load in loads:
            planned = (_planned(writer.store(), step) for step in _steps(_current(services, load)))
            for step, vectors in _one_ahead(beside, planned, embedding.vectors, meanwhile=writer.make_way):
                _write(services, writer.store(), step, vectors, report)
                done += sum(len(one.document.chunks) for one in step)
                progress("vectors", done, total)
            services.catalog.loads.indexed(load)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    inputs_per_request: int
    requests_at_once: int


def request_limits(total: int) -> RequestLimits:
    """How `total` texts are spread over requests."""
    share = int(total * SHARE_PER_REQUEST)
    size = min(max(share, SMALLEST_REQUEST), LARGEST_REQUEST)
    return RequestLimits(size, min(max(share // size, 1), MOST_AT_ONCE))


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


def _current(services: Services, load: Load) -> Iterator[ChunkedDocument]:
    """Documents of a load that are not indexed yet and that no later load holds a newer version of."""
    states = services.catalog.documents.in_load(load.id)
    for document in services.landing.read_chunks(load.chunks_path or ""):
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


def _planned(store: IndexStore, step: Sequence[ChunkedDocument]) -> list[PlannedDocument]:
    existing: dict[str, dict[str, Payload]] = {document.document_id: {} for document in step}
    for point_id, payload in store.points(list(existing)).items():
        existing[payload["document_id"]][point_id] = payload
    return [plan(document, existing[document.document_id]) for document in step]


class _Writer:
    """The index's writer, opened when it is needed and closed while another process waits for it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._open = ExitStack()
        self._store: IndexStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def store(self) -> IndexStore:
        if self._store is None:
            self._store = self._open.enter_context(self._services.store())
        return self._store

    def make_way(self) -> None:
        """Let a waiting process write. What is planned here stays true: it may not touch this unit's documents."""
        if self._store and self._store.wanted():
            self._store = None
            self._open.close()
            self._services.make_way()


def _one_ahead(
    beside: Executor, steps: Iterable[Step], work: Callable[[Step], Done], meanwhile: Callable[[], None]
) -> Iterator[tuple[Step, Done]]:
    """Each step with what `work` made of it; the next step's work is under way while the caller handles one.

    `meanwhile` is called now and then while a step's work is waited for.
    """
    waiting: tuple[Step, Future[Done]] | None = None
    for step in steps:
        following = (step, beside.submit(work, step))
        if waiting:
            yield waiting[0], _awaited(waiting[1], meanwhile)
        waiting = following
    if waiting:
        yield waiting[0], _awaited(waiting[1], meanwhile)


def _awaited(future: Future[Done], meanwhile: Callable[[], None]) -> Done:
    meanwhile()
    while not future.done():
        wait([future], timeout=_SECONDS_BETWEEN_LOOKS)
        meanwhile()
    return future.result()


class _Embedding:
    """Vectors by text, from the cache or the provider; each answer is cached as soon as it arrives."""

    def __init__(self, services: Services, limits: RequestLimits, counts: EmbeddingCounts) -> None:
        self._embedder = services.embedder
        self._cache = services.catalog.embeddings
        self._limits = limits
        self._counts = counts

    def vectors(self, step: Sequence[PlannedDocument]) -> Vectors:
        embedder, counts = self._embedder, self._counts
        texts = list(dict.fromkeys(chunk.embedded_text for one in step for chunk in one.new))
        vectors = self._cache.get(embedder.model, embedder.dimensions, texts)
        counts.cached += len(vectors)
        for answered, tokens in self._answers([text for text in texts if text not in vectors]):
            self._cache.put(embedder.model, embedder.dimensions, answered)
            vectors.update(answered)
            counts.requests += 1
            counts.inputs += len(answered)
            counts.tokens += tokens
            counts.cost_usd = counts.tokens * embedder.price_per_million_tokens / 1e6
        return vectors

    def _answers(self, texts: Sequence[str]) -> Iterator[tuple[Vectors, int]]:
        if not texts:
            return
        for batch in self._embedder.embed(
            texts,
            purpose="document",
            inputs_per_request=self._limits.inputs_per_request,
            requests_at_once=self._limits.requests_at_once,
        ):
            pairs = zip(batch.positions, batch.vectors, strict=True)
            yield {texts[position]: vector for position, vector in pairs}, batch.tokens


def _write(
    services: Services, store: IndexStore, step: Sequence[PlannedDocument], vectors: Vectors, report: SyncReport
) -> None:
    store.apply(_change(one, vectors) for one in step)
    services.catalog.documents.record_indexed(
        {one.document.document_id: (one.document.version, len(one.document.chunks)) for one in step}
    )
    report.chunks.new += sum(len(one.new) for one in step)
    report.chunks.removed += sum(len(one.stale) for one in step)


def _change(planned: PlannedDocument, vectors: Vectors) -> DocumentChange:
    points = [
        Point(chunk.id, vectors[chunk.embedded_text], chunk.embedded_text, point_payload(planned.document, chunk))
        for chunk in planned.new
    ]
    return DocumentChange(planned.document.document_id, points, planned.refreshes, planned.stale)
