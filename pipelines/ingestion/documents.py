"""Documents: from the source's API into the landing, only what is new or changed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from connectors.admission import wrong_id
from connectors.contract import Connector, Cursor, Deleted, Failed, Item, PartState, Window, id_prefix
from connectors.errors import AccessDenied, Blocked, InvalidResponse, NotFound, RateLimited, SourceError, TransientError
from connectors.model import Document, Unit
from connectors.settings import Connection
from pipelines.errors import MassDelete
from pipelines.ingestion.diff import UNFOUND
from pipelines.ingestion.load_writer import LoadWriter
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.reconcile import Reconciliation, compare_listing, new_listing
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.ingestion.unit_listing import documents_follow
from pipelines.services import Services
from pipelines.turns import each_awaited

logger = logging.getLogger(__name__)

_LOOKS_OF_SCHEDULES = timedelta(hours=1)
_FIRST_TRIES = 3
"""So many of what failed a command tries before it knows whether the source gives any of it by now."""
_LOOKED_AT_FOR_MOVES = 200
"""So many documents that are in no other unit tell that most of what a listing lacks has not moved."""
_OUT_OF_REACH = "missing from the source's listing"


@dataclass(frozen=True, slots=True)
class DocumentIngest:
    """Reads one unit. Its methods are the modes of `pipelines.ingestion.options.Mode`.

    `parts` are those that the source told of, by name, and `incomplete` the names of those that were not complete when
    the unit was read last; `mended` are the ids of documents that had failed and were read, `failed` those that were
    not.
    """

    services: Services
    connector: Connector
    connection: Connection
    unit: Unit
    options: SyncOptions
    report: SyncReport
    progress: ProgressCallback
    parts: dict[str, PartState] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)
    mended: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Read the unit and land what differs from what the catalog knows, adding to the report.

        Raises SourceError, and MassDelete if more than a tenth of the unit would go. Nobody finds anything of a unit
        that its source withholds from everybody.
        """
        try:
            self._run()
        except Blocked as error:
            if not self.options.dry_run:
                self._hide_blocked(str(error))
            raise
        finally:
            self._report_parts()

    def _run(self) -> None:
        known = self.services.catalog.parts.of_unit(self.connection.id, self.unit.id)
        self.incomplete.update(one.part for one in known if one.status != "complete")
        match self.options.mode:
            case "documents":
                self._write(self._fetch(self.options.documents))
                self._settle_doubtful()
            case "gone" if self.options.dry_run:
                self._report_dry_run([], None)
            case "gone":
                self._remove(None)
            case "reconcile":
                self._reconcile()
            case _:
                self._read()
                self._settle_doubtful()
        if self.options.mode in ("changes", "full", "reconcile") and not self.options.dry_run:
            self._catch_up()

    def _read(self) -> None:
        plan = self._plan()
        with self._open_writer(plan.listing, keeps_cursor=plan.window is None) as writer:
            told = self._keep_unfound(self.connector.read(self.unit, plan.cursor, plan.window))
            read = (item for item in told if not self._leaves(item))
            # What a full read does not name is gone, and not named because it had failed.
            self._drain(chain(() if plan.is_full else self._fetch_due(), read), writer)
        self._look_again(writer.overtaken)
        self._bring_along(writer.left_behind)
        if plan.window is None and documents_follow(self.connection):
            self._let_documents_follow(plan.listing if writer.complete else None, writer.common_readers)
        # A read that stopped half-way has not seen what it lacks.
        if writer.complete and plan.listing:
            self._finish(plan.listing, writer)
        elif plan.cursor and self._has_uncompared():
            self._compare()

    def _let_documents_follow(self, listing: str | None, told: frozenset[str] | None) -> None:
        """Let in whom the unit lets in. What changes show tells of no deletion, and who comes now was no reader of what
        is gone: so `listing`, or else one that is made for this, hides first what is missing from it. Where it tells
        nothing of some documents, because their part is not complete, all wait until it is.

        `told` are the readers that all have which were read just now: the unit has shut out since it was listed whom
        it let in then and who is none of them.
        """
        readers = tuple(token for token in self.unit.readers if told is None or token in told)
        units, own = self.services.catalog.units, (self.connection.id, replace(self.unit, readers=readers))
        if units.lets_in_others(*own):
            listing = listing or self._read_listing()
            self._hide_missing(listing)
            if any(map(self._is_untold, self._unnamed(listing))):
                return
        units.let_documents_follow(*own)

    def _finish(self, listing: str, writer: LoadWriter) -> None:
        """Remove what a complete listing lacks, and let the next read go on from its end, also where that was refused
        or failed. A process that ends before reads the unit once more, and then looks for what is missing."""
        try:
            self._remove(listing)
        except Exception:
            self._end_listing(listing, writer)
            raise
        self._end_listing(listing, writer)

    def _end_listing(self, listing: str, writer: LoadWriter | None = None) -> None:
        """What is still unnamed is hidden by now, or of parts of which nothing was told."""
        if writer:
            writer.move_cursor()
        unnamed = self._unnamed(listing)
        of_parts = {name: state.id_prefixes for name, state in self.parts.items() if state.id_prefixes}
        uncompared = {name for name, prefixes in of_parts.items() if any(one.startswith(prefixes) for one in unnamed)}
        self.services.catalog.units.end_listing(self.connection.id, self.unit.id, uncompared)

    def _has_uncompared(self) -> bool:
        """Whether a read without a cursor has left open what is gone, which only the cursor before it knew, and can be
        told by now: it was interrupted, or went without a part that has been read since."""
        state = self.services.catalog.units.get(self.connection.id, self.unit.id)
        told = {name for name, part in self.parts.items() if part.status == "complete" and not part.id_prefixes}
        return state is not None and (state.listing is not None or not told.isdisjoint(state.uncompared))

    def _compare(self) -> None:
        """Remove what a listing lacks, as a reconcile does. Where the source cannot name all, it is left to that: an
        interrupted read would have each sync try."""
        units, own = self.services.catalog.units, (self.connection.id, self.unit.id)
        try:
            listing = self._read_listing()
        except InvalidResponse as error:
            logger.warning("%s: what is gone is left to a reconcile: %s", self.unit.name, error)
            units.end_listing(*own, state.uncompared if (state := units.get(*own)) else ())
            return
        self._hide_missing(listing)
        self._end_listing(listing)
        self._remove(listing)

    def _reconcile(self) -> None:
        """Compare a complete listing with the catalog: read what was missed, remove what is missing from it."""
        found = self._compare_listing()
        self._mark_attachments(found)
        if self.options.dry_run:
            self._report_dry_run(found.missed, found.listing)
            return
        trouble: SourceError | None = None
        try:
            due = self._fetch_due(frozenset(self._missing(found.listing)))
            self._write(chain(self._fetch_missed(found), due), found.listing)
        except SourceError as error:
            # What the listing lacks is gone all the same. Of what was not read, attachments stay as they were.
            trouble = error
            self._mark_attachments(replace(found, missed=[]))
        self._remove(found.listing)
        if trouble:
            raise trouble
        if self._is_unlisted():
            self._read()  # what changes tell to be taken away counts without a listing as well

    def _is_unlisted(self) -> bool:
        """Whether the listing said that it tells of none of the unit's documents."""
        every = id_prefix(self.connection.source, self.connection.id)
        untold = (set(one.id_prefixes) for one in self.parts.values() if one.status != "complete")
        return any({every, f"{every}{self.unit.id}/"} & prefixes for prefixes in untold)

    def _due(self) -> list[str]:
        """Failed documents that are tried again: those whose time has come, and one where a part was not complete,
        which tells whether it is by now. Schedules leave that one alone until none was tried for an hour."""
        documents, own = self.services.catalog.documents, (self.connection.id, self.unit.id)
        due = documents.due(*own)
        if due or not self.incomplete:
            return due
        tried = documents.last_attempt(*own) if self.options.scheduled else None
        is_left = tried is not None and tried > datetime.now(UTC) - _LOOKS_OF_SCHEDULES
        return [] if is_left else documents.failed(*own)[:1]

    def _fetch_due(self, missing: Collection[str] = ()) -> Iterator[Item]:
        """But for what a listing lacks: that is looked at before it is removed."""
        due = [one for one in self._due() if one not in missing]
        unfound = self.services.catalog.documents.unfound(self.connection.id, self.unit.id)
        for item in self._fetch([*due, *unfound]):
            if isinstance(item, Document) and item.id in due:
                self.mended.add(item.id)
            yield item

    def _fetch_missed(self, found: Reconciliation) -> Iterator[Item]:
        return self._keep_unfound(self._fetch(found.missed), found.missed)

    def _keep_unfound(self, items: Iterable[Item], listed: Collection[str] = ()) -> Iterator[Item]:
        """What is not found, though it is `listed` or what holds it shows it, is not gone; but nobody sees it until it
        is found. What the catalog does not have was never there for these credentials."""
        for item in items:
            if isinstance(item, Deleted) and item.is_unfound and self._is_shown(item.document_id, listed):
                yield Failed(item.document_id, "", UNFOUND, hides=True)
            else:
                yield item

    def _is_shown(self, document_id: str, listed: Collection[str]) -> bool:
        return document_id in listed or bool(self.services.catalog.documents.present([document_id]))

    def _catch_up(self) -> None:
        """Read what failed for want of a part that is complete by now, whenever its next attempt would be. Of parts
        that nothing else asked for, what has been read of what had failed tells that they are."""
        untold = self.incomplete - self.parts.keys() if self.mended else set()
        self._take_parts([PartState(part, "complete") for part in sorted(untold)])
        if any(self.parts[part].status == "complete" for part in self.incomplete & self.parts.keys()):
            self._write(self._fetch(self.services.catalog.documents.failed(self.connection.id, self.unit.id)))
        elif not self.options.scheduled:
            self._try_unread()

    def _try_unread(self) -> None:
        """Read for a command what the source did not give before, whenever its next attempt would be: a few documents,
        and as long as some of them are given, twice as many more. What has failed in this very run is left."""
        unread = self.services.catalog.documents.unread(self.connection.id, self.unit.id)
        left, size = [one for one in unread if one not in self.failed], _FIRST_TRIES
        while left:
            asked, left, size = left[:size], left[size:], 2 * size
            try:
                self._write(self._fetch(asked))
            except RateLimited:
                raise
            except TransientError:
                return  # of these alone, since all else was read just now: they stay in the ledger
            if self.failed.issuperset(asked):
                return

    def _mark_attachments(self, found: Reconciliation) -> None:
        documents, own = self.services.catalog.documents, (self.connection.id, self.unit.id)
        documents.mark_attachments_listed(*own, found.listing, set(found.missed), found.since)

    def _settle_doubtful(self) -> None:
        """Look at documents that lost their readers with what they are in: they may have been taken elsewhere before.

        Where that is much of the unit, the listing says which are still there. The others stay hidden until a
        reconcile finds them missing, too.
        """
        catalog, own = self.services.catalog, (self.connection.id, self.unit.id)
        doubtful = catalog.parents.doubtful(*own)
        if doubtful and _is_mass(len(doubtful), catalog.documents.count_live(*own)):
            missing = set(self._missing(self._read_listing()))
            catalog.rights.hide(*own, sorted(missing.intersection(doubtful)), _OUT_OF_REACH)
            doubtful = catalog.parents.doubtful(*own)
        if doubtful:
            self._write(self._fetch(doubtful))

    def _read_listing(self) -> str:
        """Read what a complete listing shows to be missed; returns its name."""
        found = self._compare_listing()
        self._write(self._fetch_missed(found), found.listing)
        self._mark_attachments(found)
        return found.listing

    def _hide_blocked(self, reason: str) -> None:
        """As with all units that are out of reach, what it holds is removed on somebody's word alone. Should it come
        back, it is read from its beginning."""
        catalog, own = self.services.catalog, (self.connection.id, self.unit.id)
        states = catalog.documents.states(catalog.documents.missing_from(*own, None))
        catalog.rights.hide(*own, [one for one, state in states.items() if state.hidden is None], reason)
        if self.options.mode in ("full", "reconcile") and self.options.allow_mass_delete:
            self._remove(None)
        catalog.units.forget_cursor(*own)

    def _hide_missing(self, listing: str | None) -> list[str]:
        """Nobody finds what a complete listing lacks before it is seen again; returns what that is."""
        missing = self._missing(listing)
        self.services.catalog.rights.hide(self.connection.id, self.unit.id, missing, _OUT_OF_REACH)
        return missing

    def _missing(self, listing: str | None) -> list[str]:
        """Live documents that a complete listing would have named; all, where there is no listing."""
        unnamed = self._unnamed(listing)
        return [one for one in unnamed if not (listing and self._is_untold(one))]

    def _unnamed(self, listing: str | None) -> list[str]:
        return self.services.catalog.documents.missing_from(self.connection.id, self.unit.id, listing)

    def _is_untold(self, document_id: str) -> bool:
        """Whether a listing tells nothing of a document, by the word of its part."""
        return any(document_id.startswith(state.id_prefixes) for state in self.parts.values())

    def _compare_listing(self) -> Reconciliation:
        own = (self.connection.id, self.unit.id)
        found = compare_listing(self.services.catalog, *own, self.connector.listing(self.unit))
        self._take_parts(found.parts)
        return found

    def _take_parts(self, states: Sequence[PartState]) -> None:
        self.parts.update({state.part: state for state in states})

    def _report_parts(self) -> None:
        """Let the ledger and the report tell of the parts that were asked for. What one that fails lacks is missing
        from the unit, which is not up to date; one that is refused waits for a permission. Single documents that were
        looked at tell nothing of that."""
        name = f"{self.connection.id}/{self.unit.id}"
        if not self.options.dry_run:
            self.services.catalog.parts.record(self.connection.id, self.unit.id, self.parts.values())
        for state in self.parts.values():
            if state.status == "refused":
                self.report.refused.setdefault(name, {})[state.part] = state.reason
            elif state.status == "failing" and name not in self.report.errors and self.options.mode != "documents":
                self.report.record_error(name, f"{state.part}: {state.reason}", "source_unavailable")

    def _report_dry_run(self, missed: list[str], listing: str | None) -> None:
        items = self._refetch(self._missing(listing))
        self.report.would_read += missed
        self.report.would_delete += [item.document_id for item in items if isinstance(item, Deleted)]

    def _plan(self) -> _ReadPlan:
        if self.options.window:
            return _ReadPlan(window=self.options.window)
        units = self.services.catalog.units
        state = units.get(self.connection.id, self.unit.id)
        listing = new_listing()
        if state and state.cursor and self.options.mode != "full":
            return _ReadPlan(cursor=state.cursor, listing=listing)
        is_known = self.services.catalog.documents.count_live(self.connection.id, self.unit.id) > 0
        units.start_listing(self.connection.id, self.unit.id, listing if is_known else None)
        return _ReadPlan(listing=listing)

    def _remove(self, listing: str | None) -> None:
        """Remove what is missing from a complete listing and, fetched once more, is gone; without a listing the
        whole unit.

        Raises MassDelete if that would be more than a tenth of the unit and nobody has allowed it: then they are kept,
        and nobody sees them.
        """
        missing = self._hide_missing(listing)
        live = self.services.catalog.documents.count_live(self.connection.id, self.unit.id)
        if listing and _is_mass(len(missing), live) and not self.options.allow_mass_delete:
            self._hand_over_moved(missing, live)
            missing = self._missing(listing)
        if _is_mass(len(missing), live) and not self.options.allow_mass_delete:
            raise MassDelete(f"{self.connection.id}/{self.unit.id}", len(missing), live)
        if listing is None:
            # Of a unit that comes back all is to be read again, and not only what has changed since.
            self.services.catalog.units.forget_cursor(self.connection.id, self.unit.id)
        self._write(self._refetch(missing))

    def _hand_over_moved(self, missing: Sequence[str], live: int) -> None:
        """Of what a listing lacks, give other units what is in them, which nobody has to allow. It is asked for until
        so much of it is in none that somebody has to be asked in any case."""
        items = self._fetch(missing)
        with suppress(NotFound, AccessDenied):
            for staying, _ in enumerate(items, start=1):
                if _is_mass(staying, live) or staying >= _LOOKED_AT_FOR_MOVES:
                    break

    def _fetch(self, document_ids: Iterable[str]) -> Iterator[Item]:
        """What is in another unit is left to that one."""
        ids = list(dict.fromkeys(document_ids))
        items = self.connector.fetch(self.unit, ids) if ids else iter(())
        return (item for item in items if not self._hand_over(item))

    def _hand_over(self, item: Item) -> bool:
        """Whether an item is a document of another unit that is listed; what the catalog has of it here is that unit's
        from now on."""
        document_id, unit = _place_now(item)
        if unit in ("", self.unit.id) or wrong_id(document_id, self.connection):
            return False
        other = self.services.catalog.units.get(self.connection.id, unit)
        if other is None or other.gone:
            return False
        if not self.options.dry_run:
            self.services.catalog.rights.hand_over(self.connection.id, self.unit.id, document_id, other.unit.id)
        return True

    def _leaves(self, item: Item) -> bool:
        """Whether a read tells a document to be in another unit that is listed. What is below it is looked at next: it
        has gone along, or was taken elsewhere before."""
        if not (isinstance(item, Deleted) and self._hand_over(item)):
            return False
        if not self.options.dry_run:
            self.services.catalog.parents.hide_below(self.connection.id, self.unit.id, [item.document_id])
        return True

    def _refetch(self, document_ids: list[str]) -> Iterator[Item]:
        """Each document as it is now; deleted if the unit itself is out of reach. What is neither listed nor found is
        gone."""
        try:
            for item in self._fetch(document_ids):
                yield Deleted(item.document_id) if isinstance(item, Deleted) else item
        except (NotFound, AccessDenied):  # the unit itself: a document that is gone is an item
            yield from map(Deleted, document_ids)

    def _write(self, items: Iterable[Item], listing: str | None = None) -> None:
        with self._open_writer(listing) as writer:
            self._drain(items, writer)
        self._look_again(writer.overtaken)
        self._bring_along(writer.left_behind)

    def _bring_along(self, left_behind: Collection[str]) -> None:
        """Read what is in documents that have come from another unit: it has come with them, and nothing of it has
        changed by that. What is not here is of where it was."""
        seen: set[str] = set()
        while left := sorted(set(left_behind) - seen):
            seen.update(left)
            with self._open_writer() as writer:
                self._drain((item for item in self._fetch(left) if not isinstance(item, Deleted)), writer)
            left_behind = writer.left_behind

    def _look_again(self, overtaken: Collection[str]) -> None:
        """Read documents that have lost something while they were read. What is overtaken once more stays hidden until
        the events that tell of it are processed."""
        if overtaken:
            with self._open_writer() as writer:
                self._drain(self._fetch(sorted(overtaken)), writer)

    @contextmanager
    def _open_writer(self, listing: str | None = None, *, keeps_cursor: bool = False) -> Iterator[LoadWriter]:
        writer = LoadWriter(
            self.services,
            self.connection,
            self.unit,
            self.report.documents,
            listing=listing,
            keeps_cursor=keeps_cursor,
        )
        try:
            yield writer
        finally:
            self.failed.update(writer.failed)
            writer.flush()  # an error later in the read does not spoil what came before it

    def _drain(self, items: Iterable[Item], writer: LoadWriter) -> None:
        for done, item in enumerate(each_awaited(items), start=1):
            if isinstance(item, PartState):
                self._take_parts([item])
                continue
            if isinstance(item, Failed) and item.is_transient:
                self.report.unanswered[item.document_id] = item.error
            writer.take(item)
            self.progress("documents", done, None)


def _place_now(item: Item) -> tuple[str, str]:
    """A document's id, and the unit that it is in as far as its source tells."""
    match item:
        case Document():
            return item.id, str(item.unit)
        case Deleted():
            return item.document_id, item.moved_to
    return "", ""


def _is_mass(documents: int, live: int) -> bool:
    """Whether these are too many of a unit's `live` ones to be removed unasked."""
    return documents > max(1, live // 10)


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
