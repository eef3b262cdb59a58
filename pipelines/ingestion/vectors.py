"""Vectors: from landed chunks to points in the index, embedding only texts that were never embedded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from pipelines.catalog import Load, Outcome
from pipelines.catalog.budgets import budget_spent, describe_waiting, has_room
from pipelines.catalog.documents import DocumentState, Indexed
from pipelines.index.contract import IndexStore, Payload
from pipelines.ingestion.embedding import CachingEmbedder, RequestLimits
from pipelines.ingestion.index_plan import (
    DocumentPlan,
    document_change,
    needs_any,
    new_texts,
    plan_document,
    refusal,
)
from pipelines.ingestion.load_chunker import landed_chunks
from pipelines.ingestion.one_ahead import SharedStore, one_ahead, thread_beside
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.landing import ChunkedDocument
from pipelines.services import Services
from pipelines.tracing import span

if TYPE_CHECKING:
    from pipelines.ingestion.embedding import Embedded, Vectors

logger = logging.getLogger(__name__)

Plans: TypeAlias = Sequence[DocumentPlan]

CHUNKS_PER_STEP = 512
"""About how many chunks are planned, embedded and written before the catalog records it: as many as fill requests."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Documents of a load that are planned, embedded and written together."""

    load: Load
    documents: Sequence[ChunkedDocument]
    limits: RequestLimits
    plans: Plans = ()
    is_last: bool = False


def index_vectors(
    services: Services,
    connection: str,
    unit: str,
    report: SyncReport,
    *,
    progress: ProgressCallback,
    bounded: bool = True,
) -> None:
    """Embed and index the chunks of all pending loads of a unit, adding to `report`.

    A document that holds a text which the provider cannot embed is recorded as failed, and the rest goes on. So it does
    where the connection's budget is spent: what needs a vector waits with its load until there is room, unless what is
    spent is not `bounded`. Raises EmbeddingError, IndexBusy and IndexMismatch; what was done before stays done.
    """
    if not bounded or has_room(services.catalog, services.settings, connection):
        services.catalog.loads.release_held(connection, unit)
    elif said := describe_waiting(services.catalog, services.settings, connection):
        report.waiting[connection] = said
    loads = services.catalog.loads.pending(connection, unit, "chunked")
    if not loads:
        return
    total = sum(load.chunks for load in loads)
    embedder = CachingEmbedder(services, connection, lambda: total, report.embedding, bounded=bounded)
    chunked = ((load, landed_chunks(services, load)) for load in loads)
    index_loads(services, chunked, embedder, report, progress=lambda done: progress("vectors", done, total))


def index_loads(
    services: Services,
    loads: Iterable[tuple[Load, Iterable[ChunkedDocument]]],
    embedder: CachingEmbedder,
    report: SyncReport,
    *,
    progress: Callable[[int], None],
) -> None:
    """Embed and index loads, of each its documents in chunks, step by step; see `index_vectors`. `progress` hears how
    many chunks are done."""
    window = services.embedder.window_tokens
    done, waits = 0, False
    with SharedStore(services) as shared, thread_beside() as beside:
        steps = _steps(services, loads, shared, embedder)
        planned = (replace(step, plans=_plan(shared.open(), step.documents)) for step in steps)
        # The provider embeds the next step while this one is written: neither waits for the other.
        embedded = one_ahead(
            beside, planned, lambda step: embedder.embed(new_texts(step.plans, window), step.limits), shared
        )
        for step, found in embedded:
            waiting = [plan for plan in step.plans if needs_any(plan, found.held, window)]
            ready = [plan for plan in step.plans if plan not in waiting] if waiting else step.plans
            writable = _without_refused(services, ready, found, report)
            if writable:
                store = shared.open()
                store.expect(embedder.expected)
                _write(services, store, writable, found.vectors, report)
            done, waits = done + sum(len(one.chunks) for one in step.documents), waits or bool(waiting)
            progress(done)
            if step.is_last:
                _close_load(services, step.load, report, is_held=waits)
                waits = False


def _close_load(services: Services, load: Load, report: SyncReport, *, is_held: bool) -> None:
    """What waits for a budget keeps its load, which is not looked at again before there is room."""
    if not is_held:
        services.catalog.loads.mark_indexed(load)
        return
    services.catalog.loads.mark_held(load)
    report.waiting[load.connection] = said = describe_waiting(services.catalog, services.settings, load.connection)
    logger.warning("%s: %s", load.connection, said)


def write_ahead(
    services: Services, store: IndexStore, load: Load, documents: Iterable[ChunkedDocument], report: SyncReport
) -> None:
    """Embed and write documents of a load to a version that is not live yet, adding to `report`. The catalog records
    nothing of it: it says what the live version holds. Raises EmbeddingError, BudgetSpent too: a version with a part
    of the documents is none."""
    states = services.catalog.documents.in_load(load.id)
    embedder = CachingEmbedder(services, load.connection, lambda: load.chunks, report.embedding)
    window = services.embedder.window_tokens
    current = (_with_readers_of_now(one, states[one.document_id]) for one in documents if one.document_id in states)
    for step, limits in _batches(current, embedder):
        plans = _plan(store, step)
        found = embedder.embed(new_texts(plans, window), limits)
        if found.held:
            raise budget_spent(services.catalog, services.settings, load.connection)
        services.catalog.leases.refuse_stale()
        writable = [
            plan for plan in plans if refusal(plan, found.refused, window) is None
        ]  # the rest is told as it goes live
        store.apply(document_change(plan, found.vectors, window) for plan in writable)
        report.chunks.new += sum(len(plan.new) for plan in writable)


def _current(services: Services, load: Load, documents: Iterable[ChunkedDocument]) -> Iterator[ChunkedDocument]:
    """Documents of a load that are not indexed yet and that no later load holds a newer version of. One that failed
    and then was what it had been is in the index already, and is yet to be told so."""
    states = services.catalog.documents.in_load(load.id)
    for document in documents:
        state = states.get(document.document_id)
        if state and (
            state.status == "pending" or document.version is None or state.indexed_version != document.version
        ):
            yield _with_readers_of_now(document, state)


def _with_readers_of_now(document: ChunkedDocument, state: DocumentState) -> ChunkedDocument:
    """Rights do not travel with content: who may read a document is what the catalog knows, not what was landed."""
    if state.readers is None or document.version is None:
        return document
    readers = [] if state.hidden else list(state.readers)
    return replace(document, payload={**document.payload, "readers": readers})


def _indexed(document: ChunkedDocument) -> Indexed:
    readers = tuple(document.payload.get("readers", ()))
    return Indexed(document.version, len(document.chunks), readers, document.partly_read)


def _steps(
    services: Services,
    loads: Iterable[tuple[Load, Iterable[ChunkedDocument]]],
    shared: SharedStore,
    embedder: CachingEmbedder,
) -> Iterator[_Step]:
    """At least one of each load."""
    for load, documents in loads:
        shared.open()  # while the first documents are chunked
        before = _Step(load, (), embedder.limits)
        for step, limits in _batches(shared.between(_current(services, load, documents)), embedder):
            if before.documents:
                yield before
            before = _Step(load, step, limits)
        yield replace(before, is_last=True)


def _batches(
    documents: Iterable[ChunkedDocument], embedder: CachingEmbedder
) -> Iterator[tuple[list[ChunkedDocument], RequestLimits]]:
    """Documents whose chunks fill requests within the embedder's limits, or a single one that has more chunks."""
    step: list[ChunkedDocument] = []
    chunks = 0
    for document in documents:
        limits = embedder.limits
        if step and chunks + len(document.chunks) > _chunks_per_step(limits):
            yield step, limits
            step, chunks = [], 0
        step.append(document)
        chunks += len(document.chunks)
    if step:
        yield step, embedder.limits


def _chunks_per_step(limits: RequestLimits) -> int:
    return limits.inputs_per_request * max(round(CHUNKS_PER_STEP / limits.inputs_per_request), 1)


def _plan(store: IndexStore, step: Sequence[ChunkedDocument]) -> Plans:
    existing: dict[str, dict[str, Payload]] = {document.document_id: {} for document in step}
    for point_id, payload in store.points(list(existing)).items():
        existing[payload["document_id"]][point_id] = payload
    return [plan_document(document, existing[document.document_id]) for document in step]


def _without_refused(services: Services, plans: Plans, found: Embedded, report: SyncReport) -> Plans:
    """The plans that can be carried out. A document of the others stays in the index as it is, and is tried again."""
    window = services.embedder.window_tokens
    reasons = ((plan.document.document_id, refusal(plan, found.refused, window)) for plan in plans)
    refused = {document_id: reason for document_id, reason in reasons if reason}
    if not refused:
        return plans
    states = services.catalog.documents.states(refused)
    services.catalog.record_problems(
        [
            Outcome(id=one, status="failed", reason=reason, attempts=states[one].attempts + 1)
            for one, reason in refused.items()
            if one in states
        ]
    )
    report.documents.failed += len(refused)
    return [plan for plan in plans if plan.document.document_id not in refused]


def _write(services: Services, store: IndexStore, plans: Plans, vectors: Vectors, report: SyncReport) -> None:
    indexed = {plan.document.document_id: _indexed(plan.document) for plan in plans}
    with span("index", documents=len(plans)):
        services.catalog.rights.record_intended({one: found.readers for one, found in indexed.items()})
        window = services.embedder.window_tokens
        store.apply(document_change(plan, vectors, window) for plan in plans)
        # Only after the index: a run that is killed in between repeats changes that do no harm.
        services.catalog.documents.record_indexed(indexed)
    report.chunks.new += sum(len(plan.new) for plan in plans)
    report.chunks.removed += sum(len(plan.stale) for plan in plans)
