"""Reindex: all documents in the landing are chunked and embedded again for other settings, then made live at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from connectors.model import Unit
from pipelines.catalog.statements import in_parts
from pipelines.errors import UsageError
from pipelines.index.contract import IndexStore
from pipelines.index.filters import document_conditions
from pipelines.ingestion.chunks import chunk, chunk_load
from pipelines.ingestion.observer import SILENT, Observer
from pipelines.ingestion.publish import publish
from pipelines.ingestion.report import SyncReport, measure_time
from pipelines.ingestion.vectors import index_vectors, write_ahead
from pipelines.services import Services
from pipelines.settings import OpenAIEmbeddingSettings, Settings, unpriced_budgets


def reindex(services: Services, observer: Observer = SILENT) -> SyncReport:
    """Rebuild the index from the landing, without a request to the sources; texts embedded before are not paid
    again. Assistants see the old index until the new one is complete; interrupted, it is run again.

    Most of it is written ahead, while syncs go on writing the live version. Only the rest waits for them to end, and
    lets none begin: what has changed meanwhile, and the change of the version. `services` must replace its index.
    What texts of a connection cost is its own, and its budget holds: where that is spent, BudgetSpent is raised,
    and the version before stays; a later reindex goes on from there. Raises UnitBusy where something is being synced
    for too long, EmbeddingError, IndexBusy.
    """
    report = SyncReport()
    with measure_time(report), services.catalog.leases.hold_reindex():
        _write_ahead(services, report, observer)
        with services.catalog.leases.hold_all():
            _finish(services, report, observer)
    return report


def _write_ahead(services: Services, report: SyncReport, observer: Observer) -> None:
    loads = services.catalog.loads.newest()
    names, total, done = _units(services), sum(load.documents for load in loads), 0
    with services.store() as store:
        store.expect(sum(load.chunks for load in loads))
        for load in loads:
            with suppress(FileNotFoundError):  # retention has taken it out: all of it was replaced meanwhile
                write_ahead(services, store, load, chunk_load(services, load), report)
            done += load.documents
            observer.progress(names[load.connection, load.unit], "vectors", done, total)


def _finish(services: Services, report: SyncReport, observer: Observer) -> None:
    """Alone on all units: bring the version that was written ahead up to date, and make it live."""
    services.catalog.start_reindex()
    index_pending(services, report, observer)
    with services.store() as store:  # what was written ahead and has been deleted since
        remove_documents(store, find_unknown(services, store))
    publish(services)


def index_pending(
    services: Services,
    report: SyncReport,
    observer: Observer,
    before_vectors: Callable[[str, str], None] = lambda connection, unit: None,
) -> None:
    """Chunk and index the loads of all units that wait. `before_vectors` is called with each unit in between."""
    names = _units(services)
    for connection, unit_id in services.catalog.loads.units_with_pending():
        progress = partial(observer.progress, names[connection, unit_id])
        chunk(services, connection, unit_id, report, progress=progress)
        before_vectors(connection, unit_id)
        # A version that is to be live as a whole waits for no budget; most of it was written ahead, within that.
        index_vectors(services, connection, unit_id, report, progress=progress, bounded=False)


def find_unknown(services: Services, store: IndexStore) -> list[str]:
    """Documents that only the index knows: the catalog has no point of them."""
    indexed = services.catalog.indexed_documents.points()
    return sorted({payload["document_id"] for _, payload in store.scan()} - indexed.keys())


def remove_documents(store: IndexStore, documents: Sequence[str]) -> None:
    """Remove all points of these documents."""
    for part in in_parts(documents):
        store.remove(document_conditions(part))


def _units(services: Services) -> dict[tuple[str, str], Unit]:
    return {(state.connection, state.unit.id): state.unit for state in services.catalog.units.all()}


def with_model(settings: Settings, model: str | None) -> Settings:
    """The settings with another embedding model. Raises UsageError where the provider has only one."""
    if model is None or model == getattr(settings.embedding, "model", None):
        return settings
    if not isinstance(settings.embedding, OpenAIEmbeddingSettings):
        raise UsageError(
            f"models of the provider {settings.embedding.provider!r} are set by embedding.model in the settings"
        )
    changed = settings.model_copy(update={"embedding": settings.embedding.model_copy(update={"model": model})})
    for path, reason in unpriced_budgets(changed):
        raise UsageError(f"{path}: {reason}")
    return changed
