"""Reindex: all documents in the landing are chunked and embedded again for other settings, then made live at once."""

from __future__ import annotations

from functools import partial

from pipelines.errors import UsageError
from pipelines.ingestion.chunks import chunk
from pipelines.ingestion.publish import publish
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import SILENT, Observer, measure_time
from pipelines.ingestion.vectors import index_vectors
from pipelines.services import Services
from pipelines.settings import OpenAIEmbeddingSettings, Settings


def reindex(services: Services, observer: Observer = SILENT) -> SyncReport:
    """Rebuild the index from the landing, without a request to the sources; texts embedded before are not paid
    again. Assistants see the old index until the new one is complete; interrupted, it is run again.

    `services` must replace its index. Raises UnitBusy while anything is being synced, EmbeddingError, IndexBusy.
    """
    report = SyncReport()
    catalog = services.catalog
    names = {(state.connection, state.unit.id): state.unit for state in catalog.units.all()}
    with measure_time(report), catalog.leases.hold_all():
        catalog.start_reindex()
        for connection, unit_id in catalog.loads.units_with_pending():
            progress = partial(observer.progress, names[connection, unit_id])
            chunk(services, connection, unit_id, report, progress=progress)
            index_vectors(services, connection, unit_id, report, progress=progress)
        publish(services)
    return report


def with_model(settings: Settings, model: str | None) -> Settings:
    """The settings with another embedding model. Raises UsageError where the provider has only one."""
    if model is None or model == getattr(settings.embedding, "model", None):
        return settings
    if not isinstance(settings.embedding, OpenAIEmbeddingSettings):
        raise UsageError(
            f"the provider {settings.embedding.provider!r} has one model only; set embedding.provider first"
        )
    return settings.model_copy(update={"embedding": settings.embedding.model_copy(update={"model": model})})
