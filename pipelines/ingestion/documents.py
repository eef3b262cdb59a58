"""Documents: from the source's API into the landing, only what is new or changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from connectors.contract import ChangeItem, ComparesContents, Cursor, Deleted, Window
from connectors.errors import Blocked, InvalidResponse, SourceError
from pipelines.ingestion.document_writing import DocumentWriting
from pipelines.ingestion.fetching import Fetching
from pipelines.ingestion.load_writer import LoadWriter
from pipelines.ingestion.reconcile import Reconciliation, compare_listing, new_listing
from pipelines.ingestion.removal import Removal, is_mass
from pipelines.ingestion.retries import RetriedReads
from pipelines.ingestion.told_parts import ToldParts
from pipelines.ingestion.unit_listing import documents_follow
from pipelines.ingestion.unit_task import UnitTask

logger = logging.getLogger(__name__)


class DocumentIngest:
    """Reads one unit, in one of the modes of `pipelines.ingestion.options.Mode`."""

    def __init__(self, task: UnitTask) -> None:
        self._task = task
        self._parts = ToldParts(task)
        self._fetching = Fetching(task)
        self._writing = DocumentWriting(task, self._fetching, self._parts)
        self._removal = Removal(task, self._fetching, self._parts, self._writing)
        self._retries = RetriedReads(task, self._fetching, self._parts, self._writing)

    def run(self) -> None:
        """Read the unit and land what differs from what the catalog knows, adding to the report.

        Raises SourceError, and MassDelete if more than a tenth of the unit would go. Nobody finds anything of a unit
        that its source withholds from everybody.
        """
        try:
            self._run()
        except Blocked as error:
            if not self._task.options.dry_run:
                self._removal.hide_blocked(str(error))
            raise
        finally:
            self._parts.report()

    def _run(self) -> None:
        known = self._task.catalog.parts.of_unit(*self._task.own)
        self._parts.incomplete.update(one.part for one in known if one.status != "complete")
        match self._task.options.mode:
            case "documents":
                self._writing.write(self._fetching.fetch(self._task.options.documents))
                self._settle_doubtful()
            case "gone" if self._task.options.dry_run:
                self._report_dry_run([], None)
            case "gone":
                self._removal.remove(None)
            case "reconcile":
                self._reconcile()
            case _:
                self._read()
                self._settle_doubtful()
        if self._task.options.mode in ("changes", "full", "reconcile") and not self._task.options.dry_run:
            self._retries.catch_up()

    def _read(self) -> None:
        plan = self._plan()
        with self._writing.open(plan.listing, keeps_cursor=plan.window is None) as writer:
            told = self._fetching.keep_unfound(self._read_source(plan))
            read = (item for item in told if not self._fetching.leaves(item))
            # What a full read does not name is gone, and not named because it had failed.
            self._writing.drain(chain(() if plan.is_full else self._retries.fetch_due(), read), writer)
        self._writing.follow_up(writer)
        if plan.window is None and documents_follow(self._task.connection):
            self._let_documents_follow(plan.listing if writer.complete else None, writer.common_readers)
        # A read that stopped half-way has not seen what it lacks.
        if writer.complete and plan.listing:
            self._finish(plan.listing, writer)
        elif plan.cursor and self._has_uncompared():
            self._compare()

    def _read_source(self, plan: _ReadPlan) -> Iterator[ChangeItem]:
        connector, unit = self._task.connector, self._task.unit
        if plan.cursor and isinstance(connector, ComparesContents):
            return connector.read_changes(unit, plan.cursor, self._task.catalog.contents.find)
        return connector.read(unit, plan.cursor, plan.window)

    def _plan(self) -> _ReadPlan:
        if self._task.options.window:
            return _ReadPlan(window=self._task.options.window)
        units = self._task.catalog.units
        state = units.get(*self._task.own)
        listing = new_listing()
        if state and state.cursor and self._task.options.mode != "full":
            return _ReadPlan(cursor=state.cursor, listing=listing)
        is_known = self._task.catalog.documents.count_live(*self._task.own) > 0
        units.start_listing(*self._task.own, listing if is_known else None)
        return _ReadPlan(listing=listing)

    def _let_documents_follow(self, listing: str | None, told: frozenset[str] | None) -> None:
        """Let in whom the unit lets in. What changes show tells of no deletion, and who comes now was no reader of what
        is gone: so `listing`, or else one that is made for this, hides first what is missing from it. Where it tells
        nothing of some documents, because their part is not complete, all wait until it is.

        `told` are the readers that all have which were read just now: the unit has shut out since it was listed whom
        it let in then and who is none of them.
        """
        readers = tuple(token for token in self._task.unit.readers if told is None or token in told)
        units, own = self._task.catalog.units, (self._task.connection.id, replace(self._task.unit, readers=readers))
        if units.lets_in_others(*own):
            listing = listing or self._read_listing()
            self._removal.hide_missing(listing)
            if any(map(self._parts.is_untold, self._removal.unnamed(listing))):
                return
        units.let_documents_follow(*own)

    def _finish(self, listing: str, writer: LoadWriter) -> None:
        """Remove what a complete listing lacks, and let the next read go on from its end, also where that was refused
        or failed. A process that ends before reads the unit once more, and then looks for what is missing."""
        try:
            self._removal.remove(listing)
        except Exception:
            self._end_listing(listing, writer)
            raise
        self._end_listing(listing, writer)

    def _end_listing(self, listing: str, writer: LoadWriter | None = None) -> None:
        """What is still unnamed is hidden by now, or of parts of which nothing was told."""
        if writer:
            writer.move_cursor()
        unnamed = self._removal.unnamed(listing)
        of_parts = {name: state.id_prefixes for name, state in self._parts.told.items() if state.id_prefixes}
        uncompared = {name for name, prefixes in of_parts.items() if any(one.startswith(prefixes) for one in unnamed)}
        self._task.catalog.units.end_listing(*self._task.own, uncompared)

    def _has_uncompared(self) -> bool:
        """Whether a read without a cursor has left open what is gone, which only the cursor before it knew, and can be
        told by now: it was interrupted, or went without a part that has been read since."""
        state = self._task.catalog.units.get(*self._task.own)
        told = {name for name, part in self._parts.told.items() if part.status == "complete" and not part.id_prefixes}
        return state is not None and (state.listing is not None or not told.isdisjoint(state.uncompared))

    def _compare(self) -> None:
        """Remove what a listing lacks, as a reconcile does. Where the source cannot name all, it is left to that: an
        interrupted read would have each sync try."""
        units, own = self._task.catalog.units, self._task.own
        try:
            listing = self._read_listing()
        except InvalidResponse as error:
            logger.warning("%s: what is gone is left to a reconcile: %s", self._task.unit.name, error)
            units.end_listing(*own, state.uncompared if (state := units.get(*own)) else ())
            return
        self._removal.hide_missing(listing)
        self._end_listing(listing)
        self._removal.remove(listing)

    def _reconcile(self) -> None:
        """Compare a complete listing with the catalog: read what was missed, remove what is missing from it."""
        found = self._compare_listing()
        self._mark_attachments(found)
        if self._task.options.dry_run:
            self._report_dry_run(found.missed, found.listing)
            return
        trouble: SourceError | None = None
        try:
            due = self._retries.fetch_due(frozenset(self._removal.missing(found.listing)))
            self._writing.write(chain(self._fetch_missed(found), due), found.listing)
        except SourceError as error:
            # What the listing lacks is gone all the same. Of what was not read, attachments stay as they were.
            trouble = error
            self._mark_attachments(replace(found, missed=[]))
        self._removal.remove(found.listing)
        if trouble:
            raise trouble
        if self._parts.is_unlisted():
            self._read()  # what changes tell to be taken away counts without a listing as well

    def _fetch_missed(self, found: Reconciliation) -> Iterator[ChangeItem]:
        return self._fetching.keep_unfound(self._fetching.fetch(found.missed), found.missed)

    def _mark_attachments(self, found: Reconciliation) -> None:
        documents, own = self._task.catalog.documents, self._task.own
        documents.mark_attachments_listed(*own, found.listing, set(found.missed), found.since)

    def _settle_doubtful(self) -> None:
        """Look at documents that lost their readers with what they are in: they may have been taken elsewhere before.

        Where that is much of the unit, the listing says which are still there. The others stay hidden until a
        reconcile finds them missing, too.
        """
        catalog, own = self._task.catalog, self._task.own
        doubtful = catalog.parents.doubtful(*own)
        if doubtful and is_mass(len(doubtful), catalog.documents.count_live(*own)):
            missing = set(self._removal.missing(self._read_listing()))
            self._removal.hide(sorted(missing.intersection(doubtful)))
            doubtful = catalog.parents.doubtful(*own)
        if doubtful:
            self._writing.write(self._fetching.fetch(doubtful))

    def _read_listing(self) -> str:
        """Read what a complete listing shows to be missed; returns its name."""
        found = self._compare_listing()
        self._writing.write(self._fetch_missed(found), found.listing)
        self._mark_attachments(found)
        return found.listing

    def _compare_listing(self) -> Reconciliation:
        own = self._task.own
        found = compare_listing(self._task.catalog, *own, self._task.connector.listing(self._task.unit))
        self._parts.take(found.parts)
        return found

    def _report_dry_run(self, missed: list[str], listing: str | None) -> None:
        items = self._fetching.refetch(self._removal.missing(listing))
        self._task.report.would_read += missed
        self._task.report.would_delete += [item.document_id for item in items if isinstance(item, Deleted)]


@dataclass(frozen=True, slots=True)
class _ReadPlan:
    """Which part of a unit is read: what changed since `cursor`, all of it without one, or a `window`.

    `listing` is the name under which everything is listed, if it is: a source that takes a cursor no more reads all.
    """

    cursor: Cursor | None = None
    listing: str | None = None
    window: Window | None = None

    @property
    def is_full(self) -> bool:
        return self.cursor is None and self.window is None
