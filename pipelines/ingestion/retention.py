"""Retention: what nothing needs any more leaves landing, embedding cache and inbox after the days of the settings."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from pipelines.catalog import Load, Retention
from pipelines.errors import LandingDamaged, UnitBusy
from pipelines.ingestion.compaction import Compacted, compact, plan_compaction
from pipelines.services import Services

logger = logging.getLogger(__name__)

SECONDS_PER_PASS = 5.0
"""How long a sync or the worker goes on with it: the rest comes with the next pass."""

SECONDS_BESIDE = 1.0
"""How long a pass goes on with what could as well be later: what waits for it in the worker is an event."""

MOST_NAMESAKES = 50
"""In how many loads it is looked for a text that is to go, so that other documents do not pay for it again."""

MODEL_UNUSED = timedelta(days=1)
"""A model is in use this long after it was last used: between a reindex to another one and the settings that name it,
and while an installation that shares the catalog is restarted. What was deleted does not wait for that."""

LOADING = timedelta(days=1)
"""A file that is younger may belong to a load that is being recorded just now."""


@dataclass(slots=True)
class Pruned:
    """What was removed: files and rows of the landing, vectors, events, bodies of events that stay, titles of deleted
    documents, and contents of pushed ones; and how many loads were `united` into how many. `busy` loads are left,
    because other processes work on their units."""

    landed_files: int = 0
    landed_rows: int = 0
    vectors: int = 0
    events: int = 0
    bodies: int = 0
    titles: int = 0
    pushed: int = 0
    united: int = 0
    united_into: int = 0
    busy: int = 0

    def add_compacted(self, found: Compacted) -> None:
        self.united, self.united_into = found.united, found.into
        self.busy += found.busy

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def prune(services: Services, *, seconds: float | None = SECONDS_PER_PASS) -> Pruned:
    """Remove what is due, and unite what is small. After `seconds` no further load is begun; None goes on to the end,
    and removes as well what killed processes have left in the landing. May be killed at any moment, and run again."""
    pruned, retention, started = Pruned(), _retention(services), time.monotonic()
    for load in services.catalog.obsolete.due(retention):
        if seconds is not None and time.monotonic() - started >= seconds:
            break
        try:
            with services.catalog.leases.hold(load.connection, load.unit):
                _prune_load(services, load, retention, pruned)
        except UnitBusy:
            pruned.busy += 1
    beside = None if seconds is None else min(seconds, SECONDS_BESIDE)
    pruned.vectors += _forget_other_models(services, beside)
    pruned.add_compacted(compact(services, beside))
    pruned.pushed = _prune_pushed(services, retention)
    if seconds is None:
        pruned.landed_files += remove_unrecorded(services)
    pruned.titles = services.catalog.obsolete.forget_titles(retention)
    pruned.events, pruned.bodies = services.catalog.old_events.delete(services.settings.retention.events_days)
    services.catalog.spending.prune()
    if seconds is None:
        services.catalog.purging.empty_log()
    return pruned


def plan_prune(services: Services) -> Pruned:
    """What `prune` would remove, to the end. Loads that an earlier release has written are looked through for it."""
    pruned, retention = Pruned(), _retention(services)
    for load in services.catalog.obsolete.due(retention):
        try:
            _plan_load(services, load, retention, pruned)
        except LandingDamaged as error:
            pruned.landed_files += not services.catalog.documents.in_load(load.id)
            logger.warning("%s", error)
    pruned.landed_files += len(_unrecorded(services))
    pruned.vectors += services.catalog.embeddings.count_of(_other_models(services))
    pruned.add_compacted(plan_compaction(services))
    pruned.pushed = len(services.catalog.pushed_documents.obsolete_bodies(retention))
    pruned.titles = services.catalog.obsolete.count_titles(retention)
    pruned.events, pruned.bodies = services.catalog.old_events.count(services.settings.retention.events_days)
    return pruned


def _plan_load(services: Services, load: Load, retention: Retention, pruned: Pruned) -> None:
    embedder, files = services.embedder, services.landing.files
    ids = _documents_due(services, load, retention)
    texts = _unneeded_texts(services, load, ids - _kept_elsewhere(services, load, ids))
    rows = [row["id"] in ids for row in files.rows(load.documents_path, ["id"])]
    pruned.vectors += services.catalog.embeddings.count(texts, embedder.model, embedder.dimensions)
    pruned.landed_rows += sum(rows)
    pruned.landed_files += all(rows)


def remove_unrecorded(services: Services) -> int:
    """Remove files that no load names, because the process that wrote them was killed; returns how many."""
    services.landing.remove_leftovers()
    return sum(services.landing.files.remove(path) for path in _unrecorded(services))


def _prune_pushed(services: Services, retention: Retention) -> int:
    """Contents of documents that were replaced or deleted where they had been pushed. The catalog follows the files."""
    rows = services.catalog.pushed_documents
    if bodies := rows.obsolete_bodies(retention):
        for body in bodies:
            services.intake.bodies.remove(body)
        rows.record_removed(bodies)
    rows.forget_deleted(retention)
    return len(bodies)


def _prune_load(services: Services, load: Load, retention: Retention, pruned: Pruned) -> None:
    try:
        _remove_due(services, load, retention, pruned)
    except LandingDamaged as error:
        _remove_damaged(services, load, error, pruned)


def _remove_due(services: Services, load: Load, retention: Retention, pruned: Pruned) -> None:
    """The vectors go first: which they are, the chunks say. The catalog follows the files, so that a repetition finds
    what is left."""
    ids = _documents_due(services, load, retention)
    if not ids:
        return
    embedder, landing = services.embedder, services.landing
    replaced = ids - _kept_elsewhere(services, load, ids)
    texts = _unneeded_texts(services, load, replaced)
    pruned.vectors += services.catalog.embeddings.remove(texts, embedder.model, embedder.dimensions)
    landing.remove_chunks(load.connection, load.id, ids)
    landing.scans.remove(load.connection, replaced)
    pruned.landed_rows += landing.files.remove_rows(load.documents_path, "id", ids)
    left = landing.files.count_rows(load.documents_path)
    pruned.landed_files += not left
    services.catalog.obsolete.record_removed(load, ids, left)


def _remove_damaged(services: Services, load: Load, error: LandingDamaged, pruned: Pruned) -> None:
    """A file that nothing can be taken out of goes as a whole, as soon as no document needs it."""
    if services.catalog.documents.in_load(load.id):
        logger.warning("%s", error)
        return
    landing = services.landing
    landing.files.remove(landing.chunks_path(load.connection, load.id))
    pruned.landed_files += landing.files.remove(load.documents_path)
    services.catalog.obsolete.record_removed(load, (), 0)


def _documents_due(services: Services, load: Load, retention: Retention) -> set[str]:
    obsolete, files = services.catalog.obsolete, services.landing.files
    if obsolete.is_unseen(load.id):
        there = files.exists(load.documents_path)
        ids = {row["id"] for row in files.rows(load.documents_path, ["id"])} if there else set()
        obsolete.record_seen(load.id, ids, datetime.now(UTC))
    return obsolete.documents_due(load.id, retention)


def _forget_other_models(services: Services, seconds: float | None) -> int:
    """Vectors by models that nobody uses any more: whoever goes back to one within the days pays nothing."""
    embeddings, embedder, forgotten = services.catalog.embeddings, services.embedder, 0
    embeddings.models.mark_used(embedder.model, embedder.dimensions)
    started = time.monotonic()
    while seconds is None or time.monotonic() - started < seconds:
        removed = embeddings.remove_of(_other_models(services))
        forgotten += removed
        if not removed:
            break
    return forgotten


def _other_models(services: Services) -> list[int]:
    embedder, kept = services.embedder, timedelta(days=services.settings.retention.superseded_loads_days)
    unused = datetime.now(UTC) - max(kept, MODEL_UNUSED)
    configured = (embedder.model, embedder.dimensions)
    return services.catalog.embeddings.models.unused_since(unused, configured=configured)


def _kept_elsewhere(services: Services, load: Load, documents: Collection[str]) -> set[str]:
    """Documents whose newest version another load holds, and it is the one that stands in this load too."""
    files, states = services.landing.files, services.catalog.documents.states(documents)
    if not files.exists(load.documents_path):
        return set()
    rows = ((row["version"], states.get(row["id"])) for row in files.rows(load.documents_path, ["id", "version"]))
    return {state.id for version, state in rows if state and version and state.load and state.version == version}


def _unneeded_texts(services: Services, load: Load, documents: Collection[str]) -> set[str]:
    """Texts of these documents of a load that no document needs which is there.

    The text that is embedded begins with the title. So beside the documents themselves only those with the same one
    can have it; where they are many, some are not looked at, and it is paid again if the index is rebuilt.
    """
    texts: dict[str, set[str]] = {}
    for title, text in services.landing.texts_of(load.connection, load.id, documents):
        texts.setdefault(title, set()).add(text)
    obsolete = services.catalog.obsolete
    own, namesakes = (_by_load(found) for found in (obsolete.newest_of(documents), obsolete.newest_with_title(texts)))
    unneeded = {text for of_title in texts.values() for text in of_title}
    for (connection, newest), ids in (*own.items(), *islice(namesakes.items(), MOST_NAMESAKES)):
        if unneeded:
            unneeded -= {text for _, text in services.landing.texts_of(connection, newest, ids)}
    return unneeded


def _by_load(documents: Iterable[tuple[str, str, int]]) -> dict[tuple[str, int], set[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for document_id, connection, load in documents:
        found.setdefault((connection, load), set()).add(document_id)
    return found


def _unrecorded(services: Services) -> list[str]:
    """None where the catalog was lost: it would be made again from these files."""
    if services.catalog.restoring.is_lost():
        return []
    recorded = services.catalog.loads.paths()
    left = [path for path in services.landing.data_files(older_than=LOADING) if path not in recorded]
    kept = services.catalog.pushed_documents.known_bodies()
    return left + [path for path in services.intake.bodies.list(older_than=LOADING) if path not in kept]


def _retention(services: Services) -> Retention:
    kept = services.settings.retention
    return Retention.at(
        datetime.now(UTC), superseded_days=kept.superseded_loads_days, deleted_days=kept.deleted_text_days
    )
