"""Ingest: from the source's API into the landing, only what is new or changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from uuid import uuid4

from connectors.connection import Connection
from connectors.errors import AccessDenied, NotFound
from connectors.model import Checkpoint, Connector, Cursor, Deleted, Document, Failed, Item, Skipped, Unit, Window
from connectors.rows import Row
from pipelines.catalog import Outcome
from pipelines.errors import MassDelete
from pipelines.options import SyncOptions
from pipelines.report import DocumentCounts, Progress
from pipelines.stages.changes import change
from pipelines.workspace import Workspace

ITEMS_PER_LOAD = 1_000
BYTES_PER_LOAD = 8_000_000
SECONDS_PER_LOAD = 20.0
"""A load ends at the first checkpoint past one of these, so that a killed read loses little."""

BYTES_WITHOUT_CHECKPOINT = 4 * BYTES_PER_LOAD
"""Past this, a load ends wherever the read is: memory stays bounded, and repeating it does no harm."""


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Which part of a unit is read: what changed since `cursor`, a whole `listing`, or a `window`."""

    cursor: Cursor | None = None
    listing: str | None = None
    window: Window | None = None


def ingest(
    workspace: Workspace,
    connector: Connector,
    connection: Connection,
    unit: Unit,
    counts: DocumentCounts,
    options: SyncOptions,
    progress: Progress,
) -> None:
    """Read a unit and land what differs from what the catalog knows, adding to `counts`.

    A full read names every object of the unit; what it does not name is looked at again and then removed.
    Raises SourceError, and MassDelete if more than a tenth of the unit would go.
    """
    plan = ReadPlan() if options.gone else _plan(workspace, connection.id, unit, options)
    reading = _Reading(workspace, connection, unit, plan, counts)
    if not options.gone:
        retried = workspace.catalog.documents.due(connection.id, unit.id)
        again = connector.fetch(unit, retried) if retried else iter(())
        try:
            for done, item in enumerate(chain(again, connector.read(unit, plan.cursor, plan.window)), start=1):
                reading.take(item)
                progress("documents", done, None)
        finally:
            reading.flush()  # what was read before an error is as good as ever
    if options.gone or (reading.complete and plan.listing):
        for item in _looked_at_again(connector, unit, _unnamed(workspace, connection.id, unit, plan, options)):
            reading.take(item)
        reading.flush()


def _plan(workspace: Workspace, connection: str, unit: Unit, options: SyncOptions) -> ReadPlan:
    if options.window:
        return ReadPlan(window=options.window)
    units = workspace.catalog.units
    state = units.get(connection, unit.id)
    if state and state.cursor and not options.full:
        return ReadPlan(cursor=state.cursor)
    listing = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
    units.start_listing(connection, unit.id, listing)
    return ReadPlan(listing=listing)


def _unnamed(workspace: Workspace, connection: str, unit: Unit, plan: ReadPlan, options: SyncOptions) -> list[str]:
    """Documents that a complete listing did not name: of a unit that is gone, all.

    Raises MassDelete if they are too many to go without somebody's word.
    """
    documents = workspace.catalog.documents
    gone = documents.not_named(connection, unit.id, plan.listing)
    live = documents.live(connection, unit.id)
    if len(gone) > max(1, live // 10) and not options.allow_mass_delete:
        raise MassDelete(f"{connection}/{unit.id}", len(gone), live)
    return gone


def _looked_at_again(connector: Connector, unit: Unit, document_ids: list[str]) -> Iterator[Item]:
    """Each document as it is now; deleted if the unit itself is out of reach."""
    try:
        yield from connector.fetch(unit, document_ids)
    except (NotFound, AccessDenied):
        yield from map(Deleted, document_ids)


@dataclass(slots=True)
class _Gathered:
    """Items since the last commit, by document id: what is said last of an object holds."""

    items: dict[str, Document | Skipped | Failed | Deleted] = field(default_factory=dict)
    size: int = 0
    checkpoint: Cursor | None = None
    since: float = field(default_factory=time.monotonic)

    def add(self, item: Document | Skipped | Failed | Deleted) -> None:
        key = item.id if isinstance(item, Document) else item.document_id
        self.items[key] = item
        self.size += len(item.content) if isinstance(item, Document) else 0
        # What came before this item is covered by the checkpoint, the item itself is not.
        self.checkpoint = None

    def is_load(self) -> bool:
        return (
            len(self.items) >= ITEMS_PER_LOAD
            or self.size >= BYTES_PER_LOAD
            or time.monotonic() - self.since >= SECONDS_PER_LOAD
        )


class _Reading:
    """One read of one unit: gathers items, and commits them load by load."""

    def __init__(
        self, workspace: Workspace, connection: Connection, unit: Unit, plan: ReadPlan, counts: DocumentCounts
    ) -> None:
        self.complete = False
        self._catalog = workspace.catalog
        self._landing = workspace.landing
        self._connection = connection
        self._unit = unit
        self._plan = plan
        self._counts = counts
        self._gathered = _Gathered()

    def take(self, item: Item) -> None:
        """Gather an item; commit at a checkpoint once enough has come."""
        if isinstance(item, Checkpoint):
            self.complete = item.complete
            self._gathered.checkpoint = item.cursor
            if self._gathered.is_load():
                self.flush()
            return
        self._gathered.add(item)
        if self._gathered.size >= BYTES_WITHOUT_CHECKPOINT:
            self.flush()

    def flush(self) -> None:
        """Land and record what was gathered, in one commit with the cursor that it leads to."""
        gathered, self._gathered = self._gathered, _Gathered()
        states = self._catalog.documents.states(gathered.items)
        now = datetime.now(UTC)
        outcomes: list[Outcome] = []
        rows: list[Row] = []
        unchanged: list[str] = []
        for key, item in gathered.items.items():
            found = change(item, states.get(key), now)
            self._counts.count(found.kind)
            if found.outcome is None:
                unchanged.append(key)
            else:
                outcomes.append(found.outcome)
            if found.row is not None:
                rows.append(found.row)
        self._commit(rows, outcomes, unchanged, None if self._plan.window else gathered.checkpoint)

    def _commit(self, rows: list[Row], outcomes: list[Outcome], unchanged: list[str], cursor: Cursor | None) -> None:
        path = None
        if rows:
            path = self._landing.write_documents(self._connection.source, self._connection.id, self._unit.id, rows)
        self._catalog.commit_read(
            self._connection.id,
            self._unit.id,
            outcomes,
            documents_path=path,
            unchanged=unchanged,
            listing=self._plan.listing,
            cursor=cursor,
        )
