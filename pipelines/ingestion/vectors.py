"""Vectors: from landed chunks to points in the index, embedding only texts that were never embedded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from pipelines.catalog import Load, Outcome
from pipelines.catalog.budgets import budget_spent, describe_waiting, has_room
from pipelines.catalog.documents import DocumentState, Indexed
from pipelines.index.contract import IndexStore, Payload
from pipelines.ingestion.embedding import CachingEmbedder, request_limits
from pipelines.ingestion.index_plan import (
    DocumentPlan,
    document_change,
    needs_any,
    new_texts,
    plan_document,
    refusal,
)
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.landing import ChunkedDocument
from pipelines.services import Services
from pipelines.tracing import in_this_span, span
from pipelines.turns import takes_turns, turn_given_up

if TYPE_CHECKING:
    from pipelines.ingestion.embedding import Embedded, Vectors

logger = logging.getLogger(__name__)

Plans: TypeAlias = Sequence[DocumentPlan]
Step = TypeVar("Step")
Result = TypeVar("Result")

CHUNKS_PER_STEP = 1_024
"""How many chunks are planned, embedded and written before the catalog records it."""

_SECONDS_PER_WAIT = 0.05
"""How often a writer that waits for vectors asks whether another process wants to write."""


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
    total, done = sum(load.chunks for load in loads), 0
    embedder = CachingEmbedder(services, connection, request_limits(total), report.embedding, bounded=bounded)
    with _SharedStore(services) as shared, _thread_beside() as beside:
        for load in loads:
            is_held = False
            for plans, waiting in _index_load(services, load, embedder, shared, beside, report):
                is_held = is_held or bool(waiting)
                done += sum(len(plan.document.chunks) for plan in plans)
                progress("vectors", done, total)
            _close_load(services, load, report, is_held=is_held)


def _index_load(
    services: Services,
    load: Load,
    embedder: CachingEmbedder,
    shared: _SharedStore,
    beside: Executor,
    report: SyncReport,
) -> Iterator[tuple[Plans, Plans]]:
    """Index a load step by step; yields the plans of each step, and those of them that wait for a budget."""
    window = services.embedder.window_tokens
    planned = (_plan(shared.open(), step) for step in _steps(_current(services, load)))
    # The provider embeds the next step while this one is written: neither waits for the other.
    embedded = _one_ahead(beside, planned, lambda plans: embedder.embed(new_texts(plans, window)), shared)
    for plans, found in embedded:
        waiting = [plan for plan in plans if needs_any(plan, found.held, window)]
        ready = [plan for plan in plans if plan not in waiting] if waiting else plans
        writable = _without_refused(services, ready, found, report)
        _write(services, shared.open(), writable, found.vectors, report)
        yield plans, waiting


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
    embedder = CachingEmbedder(services, load.connection, request_limits(load.chunks), report.embedding)
    window = services.embedder.window_tokens
    current = (_with_readers_of_now(one, states[one.document_id]) for one in documents if one.document_id in states)
    for step in _steps(current):
        plans = _plan(store, step)
        found = embedder.embed(new_texts(plans, window))
        if found.held:
            raise budget_spent(services.catalog, services.settings, load.connection)
        services.catalog.leases.refuse_stale()
        writable = [
            plan for plan in plans if refusal(plan, found.refused, window) is None
        ]  # the rest is told as it goes live
        store.apply(document_change(plan, found.vectors, window) for plan in writable)
        report.chunks.new += sum(len(plan.new) for plan in writable)


def _current(services: Services, load: Load) -> Iterator[ChunkedDocument]:
    """Documents of a load that are not indexed yet and that no later load holds a newer version of. One that failed
    and then was what it had been is in the index already, and is yet to be told so."""
    states = services.catalog.documents.in_load(load.id)
    for document in services.landing.read_chunks(load.chunks_path or ""):
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


class _SharedStore:
    """The index's writer, opened when it is needed and closed while another process waits for it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._resources = ExitStack()
        self._store: IndexStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def open(self) -> IndexStore:
        if self._store is None:
            self._store = self._resources.enter_context(self._services.store())
        return self._store

    def yield_lock(self) -> None:
        """Let a waiting process write. Plans made before stay true: it may not touch this unit's documents."""
        if self._store and self._store.is_contended():
            self._store = None
            self._resources.close()
            self._services.yield_lock()

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """While something is waited for, let other threads of this process write, where they take turns."""
        if takes_turns():
            self._store = None
            self._resources.close()
        with turn_given_up():
            yield


@contextmanager
def _thread_beside() -> Iterator[Executor]:
    """A thread whose work is waited for, unless the process is told to end: an answer may take minutes."""
    thread = ThreadPoolExecutor(1)
    try:
        yield thread
    except Exception:
        thread.shutdown()
        raise
    except BaseException:
        thread.shutdown(wait=False, cancel_futures=True)
        raise
    thread.shutdown()


def _one_ahead(
    beside: Executor, steps: Iterable[Step], work: Callable[[Step], Result], shared: _SharedStore
) -> Iterator[tuple[Step, Result]]:
    """Each step with the result of `work` on it; the next step's work is under way while the caller handles one.

    Others may write now and then while a result is waited for.
    """
    current: tuple[Step, Future[Result]] | None = None
    for step in steps:
        following = (step, beside.submit(in_this_span(work), step))
        if current:
            yield current[0], _await(current[1], shared)
        current = following
    if current:
        yield current[0], _await(current[1], shared)


def _await(future: Future[Result], shared: _SharedStore) -> Result:
    shared.yield_lock()
    if not future.done():
        with shared.put_back():
            while not future.done():
                wait([future], timeout=_SECONDS_PER_WAIT)
                shared.yield_lock()
    return future.result()
