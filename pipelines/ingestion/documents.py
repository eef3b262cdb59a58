"""Ingest: from the source's API into the landing, only what is new or changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from connectors.contract import Connector, Cursor, Deleted, Item, Window
from connectors.errors import AccessDenied, NotFound
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.errors import MassDelete
from pipelines.ingestion.load_writer import Reading
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.reconcile import compare, new_listing
from pipelines.ingestion.report import Progress, SyncReport
from pipelines.services import Services


@dataclass(frozen=True, slots=True)
class Ingest:
    """Everything that reading one unit needs. Its methods are the modes of `pipelines.ingestion.options.Mode`."""

    services: Services
    connector: Connector
    connection: Connection
    unit: Unit
    options: SyncOptions
    report: SyncReport
    progress: Progress

    def run(self) -> None:
        """Read the unit and land what differs from what the catalog knows, adding to the report.

        Raises SourceError, and MassDelete if more than a tenth of the unit would go.
        """
        match self.options.mode:
            case "documents":
                self._take(self._fetched(self.options.documents))
            case "gone" if self.options.dry_run:
                self._tell([], None)
            case "gone":
                self._remove(None)
            case "reconcile":
                self._reconcile()
            case _:
                self._read()

    def _read(self) -> None:
        plan = self._plan()
        with self._reading(plan.listing, keeps_cursor=plan.window is None) as reading:
            due = self.services.catalog.documents.due(self.connection.id, self.unit.id)
            read = self.connector.read(self.unit, plan.cursor, plan.window)
            self._drain(chain(self._fetched(due), read), reading)
        if reading.complete and plan.listing:
            self._remove(plan.listing)

    def _reconcile(self) -> None:
        """A complete listing against the catalog: what it shows to be missed is read, what it lacks removed."""
        found = compare(self.services.catalog, self.connector.listing(self.unit))
        due = self.services.catalog.documents.due(self.connection.id, self.unit.id)
        if not self.options.dry_run:
            self._take(self._fetched([*found.missed, *due]), found.listing)
        self.services.catalog.documents.attachments_named(
            self.connection.id, self.unit.id, found.listing, set(found.missed)
        )
        if self.options.dry_run:
            self._tell(found.missed, found.listing)
        else:
            self._remove(found.listing)

    def _tell(self, missed: list[str], listing: str | None) -> None:
        unnamed = self.services.catalog.documents.not_named(self.connection.id, self.unit.id, listing)
        again = self._looked_at_again(unnamed)
        self.report.would_read += missed
        self.report.would_delete += [item.document_id for item in again if isinstance(item, Deleted)]

    def _plan(self) -> _ReadPlan:
        if self.options.window:
            return _ReadPlan(window=self.options.window)
        units = self.services.catalog.units
        state = units.get(self.connection.id, self.unit.id)
        if state and state.cursor and self.options.mode != "full":
            return _ReadPlan(cursor=state.cursor)
        listing = new_listing()
        units.start_listing(self.connection.id, self.unit.id, listing)
        return _ReadPlan(listing=listing)

    def _remove(self, listing: str | None) -> None:
        """Remove what a complete listing did not name, where it is gone when looked at once more; without a
        listing the whole unit.

        Raises MassDelete if that would be too much to go without somebody's word.
        """
        documents = self.services.catalog.documents
        unnamed = documents.not_named(self.connection.id, self.unit.id, listing)
        live = documents.live(self.connection.id, self.unit.id)
        if len(unnamed) > max(1, live // 10) and not self.options.allow_mass_delete:
            raise MassDelete(f"{self.connection.id}/{self.unit.id}", len(unnamed), live)
        self._take(self._looked_at_again(unnamed))

    def _fetched(self, document_ids: Iterable[str]) -> Iterator[Item]:
        ids = list(dict.fromkeys(document_ids))
        return self.connector.fetch(self.unit, ids) if ids else iter(())

    def _looked_at_again(self, document_ids: list[str]) -> Iterator[Item]:
        """Each document as it is now; deleted if the unit itself is out of reach."""
        try:
            yield from self._fetched(document_ids)
        except (NotFound, AccessDenied):
            yield from map(Deleted, document_ids)

    def _take(self, items: Iterable[Item], listing: str | None = None) -> None:
        with self._reading(listing) as reading:
            self._drain(items, reading)

    @contextmanager
    def _reading(self, listing: str | None = None, *, keeps_cursor: bool = False) -> Iterator[Reading]:
        reading = Reading(
            self.services,
            self.connection,
            self.unit,
            self.report.documents,
            listing=listing,
            keeps_cursor=keeps_cursor,
        )
        try:
            yield reading
        finally:
            reading.flush()  # what was read before an error is as good as ever

    def _drain(self, items: Iterable[Item], reading: Reading) -> None:
        for done, item in enumerate(items, start=1):
            reading.take(item)
            self.progress("documents", done, None)


@dataclass(frozen=True, slots=True)
class _ReadPlan:
    """Which part of a unit is read: what changed since `cursor`, a whole `listing`, or a `window`."""

    cursor: Cursor | None = None
    listing: str | None = None
    window: Window | None = None
