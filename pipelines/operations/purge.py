"""`headrace purge`: nothing of a connection, or of one of its units, is left here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.catalog import Load
from pipelines.catalog.statements import in_parts
from pipelines.errors import LandingDamaged, UsageError
from pipelines.index.contract import IndexStore
from pipelines.index.filters import connection_conditions, document_conditions, unit_conditions
from pipelines.ingestion.named_units import find_id
from pipelines.ingestion.publish import publish, publish_blockers, readers_lag
from pipelines.services import Services

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PurgeScope:
    """What is to be purged: these units of a connection; `whole` if nothing of the connection is to stay."""

    connection: str
    units: tuple[str, ...]
    whole: bool
    name: str
    documents: int


@dataclass(slots=True)
class Purged:
    """How many of each were removed. `held` are the reasons why the index could not be published: until it is, the
    catalog keeps its rows, by which queries leave out what they would still find."""

    points: int = 0
    landed_files: int = 0
    landed_rows: int = 0
    documents: int = 0
    units: int = 0
    vectors: int = 0
    events: int = 0
    memberships: int = 0
    pushed: int = 0
    held: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_scope(services: Services, target: str) -> PurgeScope:
    """What `CONNECTION[/UNIT]` stands for, the unit by its id or else by its name; the settings need not name the
    connection.

    Raises UsageError where nothing is known of it, and where several units have that name.
    """
    connection, separator, unit = target.partition("/")
    purging = services.catalog.purging
    if not purging.is_known(connection):
        raise UsageError(f"nothing is known of a connection {connection!r}; see `headrace status`")
    names = purging.units(connection)
    chosen = (_find_unit(connection, names, unit),) if separator else tuple(names)
    name = f"{connection}/{names[chosen[0]]}" if separator else connection
    return PurgeScope(connection, chosen, not separator, name, purging.count_documents(connection, chosen))


def _find_unit(connection: str, names: Mapping[str, str], unit: str) -> str:
    """Raises UsageError."""
    found = find_id(connection, names, unit)
    if found is None:
        raise UsageError(f"{connection}: nothing is known of a unit {unit!r}; see `headrace status`")
    return found


def purge(services: Services, scope: PurgeScope) -> Purged:
    """Hide at once, then remove points, landed text, cached vectors, events and, after publishing, what the catalog
    knows. May be killed at any moment: run again, it removes the rest.

    Vectors go also where other documents have the same text: that is paid again if the index is rebuilt, but nothing
    is kept that was made of what had to go. Raises UnitBusy, IndexBusy and IndexMismatch.
    """
    purged, catalog = Purged(), services.catalog
    with ExitStack() as leases:
        for unit in scope.units:
            leases.enter_context(catalog.leases.hold(scope.connection, unit))
        catalog.rights.hide_units(scope.connection, scope.units, "it is being purged")
        logger.info("%s: hidden, %d documents are being purged", scope.name, scope.documents)
        for unit in scope.units:
            catalog.rights.remove_unit(scope.connection, unit)
        purged.points = _remove_points(services, scope)
        publish(services)
        purged.events = catalog.purging.delete_events(scope.connection, None if scope.whole else scope.units)
        _remove_landed(services, scope, purged)
        purged.pushed = _remove_pushed(services, scope)
        purged.held = publish_blockers(services)
        if not purged.held:
            _forget(services, scope, purged)
    catalog.purging.empty_log()
    return purged


def _remove_points(services: Services, scope: PurgeScope) -> int:
    with services.store() as store:
        before = store.preview().count_points()
        if scope.whole:
            store.remove(connection_conditions(scope.connection))
        else:
            _remove_points_of_units(services, store, scope)
        services.catalog.purging.record_points_removed(scope.connection, scope.units)
        store.erase_removed()
        return before - store.preview().count_points()


def _remove_points_of_units(services: Services, store: IndexStore, scope: PurgeScope) -> None:
    """Points that name the units, and those of documents that have moved to them since. What has moved away loses the
    points that name them, and is indexed again from what was landed of it since."""
    moved = services.catalog.moved_documents.units(scope.connection)
    came = [document for document, unit in moved.items() if unit in scope.units]
    others = set(moved).difference(came)
    for unit in scope.units:
        store.remove(unit_conditions(scope.connection, unit))
    for part in in_parts(came):
        store.remove(document_conditions(part))
    found = (store.points(part) for part in in_parts(others))
    kept = {payload["document_id"] for points in found for payload in points.values()}
    services.catalog.purging.record_points_removed_of(others - kept)


def _remove_landed(services: Services, scope: PurgeScope, purged: Purged) -> None:
    """Files of the units' loads, and the vectors of what stands in them, load by load: vectors first, because which
    they are stands in the files."""
    landing, embedder = services.landing, services.embedder
    for load in services.catalog.purging.loads(scope.connection, scope.units):
        texts = {text for _, text in landing.texts_of(load.connection, load.id)}
        purged.vectors += services.catalog.embeddings.remove(texts, embedder.model, embedder.dimensions)
        landing.files.remove(landing.chunks_path(load.connection, load.id))
        with suppress(LandingDamaged):
            ids = _documents_of(services, load)
            landing.scans.remove(load.connection, ids)
            purged.landed_rows += landing.files.count_rows(load.documents_path)
        purged.landed_files += landing.files.remove(load.documents_path)
    landing.remove_leftovers()
    recorded = services.catalog.loads.paths()
    for path in landing.data_files(scope.connection):
        if scope.whole or (path not in recorded and _is_of(services, path, scope)):
            purged.landed_files += landing.files.remove(path)


def _documents_of(services: Services, load: Load) -> set[str]:
    files, path = services.landing.files, load.documents_path
    return {row["id"] for row in files.rows(path, ["id"])} if files.exists(path) else set()


def _remove_pushed(services: Services, scope: PurgeScope) -> int:
    """What was pushed here stands nowhere else: it is gone for good."""
    bodies = services.intake.bodies
    known = services.catalog.pushed_documents.forget(scope.connection, None if scope.whole else scope.units)
    left = [*known, *(bodies.list(scope.connection) if scope.whole else ())]
    return sum(map(bodies.remove, left))


def _is_of(services: Services, path: str, scope: PurgeScope) -> bool:
    """Whether a file that no load names was written for one of the units: by a process that was killed."""
    with suppress(OSError, KeyError, LandingDamaged):  # half a file, or one of chunks
        return any(row["unit"] in scope.units for row in services.landing.files.rows(path, ["unit"]))
    return False


def _forget(services: Services, scope: PurgeScope, purged: Purged) -> None:
    named = {one.id for one in services.settings.connections}
    forgotten = services.catalog.purging.forget(
        scope.connection,
        scope.units,
        after=readers_lag(services),
        whole=scope.whole,
        state=scope.whole and scope.connection not in named,
    )
    purged.units, purged.documents, purged.memberships = forgotten.units, forgotten.documents, forgotten.memberships
