"""`headrace restore`: catalog, landing and index agree again after one of them was lost.

| lost | made again from | requests to sources | texts paid for |
|---|---|---|---|
| the index | landing and embedding cache | none | none |
| the landing | the sources, by the next sync | a full read of what was in it | none |
| the catalog | landing and index; the next sync reads who may see what | a full read | none |
| catalog and index | the landing | a full read | all |
| all three | the sources | a full read | all |
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from pipelines.catalog import Load, Outcome
from pipelines.catalog.statements import in_parts
from pipelines.chunking.windows import embedded_texts
from pipelines.index.contract import IndexStore
from pipelines.index.filters import document_conditions
from pipelines.ingestion.index_contents import read_all
from pipelines.ingestion.load_chunker import landed_chunks
from pipelines.ingestion.observer import SILENT, Observer
from pipelines.ingestion.publish import publish
from pipelines.ingestion.reindex import find_unknown, index_pending, remove_documents
from pipelines.ingestion.report import SyncReport, measure_time
from pipelines.landing import ChunkedDocument
from pipelines.landing.load_paths import landed_at
from pipelines.services import Services

logger = logging.getLogger(__name__)

_COLUMNS = ("id", "connection", "source", "unit", "version", "title", "url", "updated_at", "removed", "sequence")
_DOCUMENTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Losses:
    """What catalog, landing and index lack of each other.

    `files` of the landing are unknown to a catalog that was lost, or is half restored. `loads` are known to the
    catalog and have no file, or one that is damaged. Of the documents in `without_points` the index has less than the
    catalog says, and those in `unknown` only the index knows.
    """

    files: Sequence[str]
    loads: Sequence[Load]
    without_points: Sequence[str]
    unknown: Sequence[str]

    def as_json(self) -> dict[str, int]:
        """How many of each."""
        return {one.name: len(getattr(self, one.name)) for one in fields(self)}


def find_losses(services: Services) -> Losses:
    """Compare the three; nothing is written. Reads landing and index once. Raises IndexBusy and IndexMismatch."""
    there = set(services.landing.data_files())
    restoring, catalog = services.catalog.restoring, services.catalog
    is_lost = restoring.is_lost()
    recorded = catalog.loads.paths()
    files = sorted((path for path in there - recorded if is_lost and _is_documents(path)), key=landed_at)
    with services.store() as store:
        points = read_all(store, catalog).points
    known = catalog.indexed_documents.points()
    return Losses(
        files,
        [load for load in restoring.loads() if load.documents_path not in there or _is_damaged(services, load)],
        sorted(one for one, count in known.items() if points.get(one) != count),
        # Of a catalog that is half restored it is not known yet what it does not know.
        sorted(points.keys() - known.keys()) if not is_lost else (),
    )


def restore(services: Services, observer: Observer = SILENT) -> tuple[Losses, SyncReport]:
    """Make good what can be made good without asking the sources; of the rest the next sync reads the units again.

    Returns what was lost, and what was done about it. Nothing that the index still has is paid again. May be killed at
    any moment, and run again. Raises UnitBusy while anything is being synced, EmbeddingError, IndexBusy and
    IndexMismatch.
    """
    report, catalog = SyncReport(), services.catalog
    with measure_time(report), catalog.leases.hold_all():
        losses = find_losses(services)
        for path in losses.files:
            if not services.landing.files.is_damaged(path):  # else its documents are read again, as if it were lost
                _add_load(services, path)
        catalog.restoring.forget_loads(losses.loads)
        catalog.restoring.forget_points(losses.without_points)
        is_lost = catalog.restoring.is_lost()
        _index(services, report, observer, recall=is_lost)
        _treat_unknown(services, remove=not is_lost)
        catalog.restoring.finish()
        publish(services)
    return losses, report


def _is_damaged(services: Services, load: Load) -> bool:
    """One that retention has taken out meanwhile is not."""
    with suppress(FileNotFoundError):
        return services.landing.files.is_damaged(load.documents_path)
    return False


def _is_documents(path: str) -> bool:
    return not path.startswith("chunks/")


def _add_load(services: Services, path: str) -> None:
    """Record one file of the landing, the newest row of each document in it."""
    rows = {row["id"]: row for row in sorted(services.landing.files.rows(path, _COLUMNS), key=_sequence)}
    documents = [row for row in rows.values() if not row["removed"]]
    if documents:
        origin = (documents[0]["connection"], documents[0]["source"], documents[0]["unit"])
    elif found := services.catalog.restoring.origin_of(rows):
        origin = found
    else:
        return  # tombstones of what no older file has
    services.catalog.restoring.add_load(*origin, path, [_outcome(row) for row in rows.values()])


def _sequence(row: dict[str, Any]) -> int:
    return int(row["sequence"])


def _outcome(row: dict[str, Any]) -> Outcome:
    if row["removed"]:
        return Outcome(id=row["id"], status="deleted", landed=True)
    return Outcome(
        id=row["id"],
        status="pending",
        title=row["title"],
        url=row["url"],
        version=row["version"],
        landed=True,
        updated_at=row["updated_at"],
    )


def _index(services: Services, report: SyncReport, observer: Observer, *, recall: bool) -> None:
    """Chunk and index what waits; what is in the index needs no vector. With `recall`, the vectors that the index has
    go back into the cache: their texts may come again, in whichever document."""
    if recall:
        index_pending(services, report, observer, partial(_recall_vectors, services))
    else:
        index_pending(services, report, observer)


def _recall_vectors(services: Services, connection: str, unit: str) -> None:
    with services.store() as store:
        for load in services.catalog.loads.pending(connection, unit, "chunked"):
            _recall_load(services, store, load)


def _recall_load(services: Services, store: IndexStore, load: Load) -> None:
    embedder = services.embedder
    documents = landed_chunks(services, load)
    for texts in _texts_by_point(documents, embedder.window_tokens):
        vectors = store.vectors(list(texts))
        pairs = (zip(texts[point], rows, strict=False) for point, rows in vectors.items())
        known = {text: row for windows in pairs for text, row in windows}
        services.catalog.embeddings.put(embedder.model, embedder.dimensions, known)


def _texts_by_point(documents: Iterator[ChunkedDocument], window: int | None) -> Iterator[dict[str, list[str]]]:
    for some in in_parts(documents, _DOCUMENTS_AT_ONCE):
        yield {chunk.id: embedded_texts(chunk, window) for document in some for chunk in document.chunks}


def _treat_unknown(services: Services, *, remove: bool) -> None:
    """Points of documents that only the index knows: deleted since, or of a run that was killed. Where landing and
    catalog were lost, they are kept for nobody to see: a document that is read again takes them over, unpaid."""
    with services.store() as store:
        unknown = find_unknown(services, store)
        if remove:
            remove_documents(store, unknown)
        else:
            _hide(services, store, unknown)
    if unknown:
        logger.info("%s %d documents that only the index knows", "removed" if remove else "hid", len(unknown))


def _hide(services: Services, store: IndexStore, documents: Sequence[str]) -> None:
    for part in in_parts(documents, _DOCUMENTS_AT_ONCE):
        by_unit: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for payload in store.points(part).values():
            by_unit[payload["connection"], payload["source"], payload["unit"]].add(payload["document_id"])
        for (connection, source, unit), ids in by_unit.items():
            services.catalog.restoring.add_unit(connection, source, unit)
            store.set_readers(document_conditions(sorted(ids)), source, ())
