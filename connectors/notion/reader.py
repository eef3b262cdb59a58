"""One unit being read: what changed since its cursor, and all that has to be read with it."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator

from connectors.contract import Checkpoint, Deleted, Failed, Item, Window
from connectors.errors import Unavailable
from connectors.notion.cursor import NotionCursor, lacking_name
from connectors.notion.object_reader import NotionObjectReader, ObjectRead
from connectors.notion.objects import Ref
from connectors.notion.search_listing import SearchEntry, SearchListing
from connectors.notion.synced_blocks import OriginalBlocks

logger = logging.getLogger(__name__)

OBJECTS_PER_CHECKPOINT = 20


class PendingObjects:
    """What is to be read because of what is above it, each object once; data sources stand for their rows.

    Search is not sure to name every page: https://developers.notion.com/reference/search-optimizations-and-limitations
    """

    def __init__(
        self, objects: NotionObjectReader, pending: Iterable[Ref], known: set[Ref], *, elsewhere: bool = False
    ) -> None:
        """`known` are the objects that are read anyway, or were read; `elsewhere` asks for those of other units too."""
        self._objects = objects
        self._pending = list(pending)
        self._known = known
        self._elsewhere = elsewhere
        self._unlisted: dict[Ref, Failed] = {}

    @property
    def refs(self) -> list[Ref]:
        """What is left: data sources whose rows cannot be listed are among it."""
        return [*self._unlisted, *self._pending]

    @property
    def has_unlisted(self) -> bool:
        """Whether something is left to be read but rows that the integration may not list."""
        return bool(self._pending) or any(failed.is_transient for failed in self._unlisted.values())

    def add(self, refs: Iterable[Ref]) -> None:
        self._pending.extend(refs)

    def drain(self) -> Iterator[Ref]:
        """Each object, of the unit unless others were asked for as well; more can be added meanwhile."""
        while self._pending:
            ref = self._pending.pop()
            if ref.kind == "data_source":
                self._add_rows(ref)
            elif ref not in self._known:
                self._known.add(ref)
                if self._elsewhere or not self._objects.is_elsewhere(ref):
                    yield ref

    def raise_unlisted(self) -> None:
        """Raises Unavailable where the rows of a data source could not be listed for a passing reason."""
        for source, failed in self._unlisted.items():
            if failed.is_transient:
                raise Unavailable(f"rows of {source.id}", failed.error)

    def _add_rows(self, source: Ref) -> None:
        if source in self._unlisted:
            return
        rows = self._objects.read_rows(source)
        if isinstance(rows, Failed):
            logger.warning("the rows of %s cannot be listed now: %s", source.id, rows.error)
            self._unlisted[source] = rows
        else:
            self.add(row for row in rows if row not in self._known)


class NotionUnitReader:
    """Reads one unit from its cursor on, which moves with it."""

    def __init__(
        self, objects: NotionObjectReader, listing: SearchListing, cursor: NotionCursor, originals: OriginalBlocks
    ) -> None:
        self._objects = objects
        self._originals = originals
        self._listing = listing
        self._cursor = cursor
        self._is_of_changes = not listing.reaches(cursor.begin)
        entries = listing.entries
        known = {entry.ref for entry in entries if cursor.whole or cursor.is_due(entry)}
        # A read of everything names all that is here, and so what is not.
        self._was_here = set[str]() if cursor.whole else cursor.was_here({ref.id for ref in known})
        self._pending = PendingObjects(objects, cursor.pending, known)
        self._is_over = False

    def read(self) -> Iterator[Item]:
        """All that is due, with checkpoints between; the last one is complete if everything was named and read."""
        is_first = self._cursor.whole and self._cursor.since is None
        if not self._cursor.whole and self._listing.lacks(self._cursor.begin):
            self._cursor.held_back = True  # to go on from the newest would leave out what was not named
        copies = self._cursor.copies
        self._originals.find_homes(copies, copies.without_home(copies.shown))
        yield from self._read_pending()
        read = 0
        for entry in self._listing.entries:
            if self._is_over:
                break
            read += yield from self._read_entry(entry)
            yield from self._read_pending()
            if read == OBJECTS_PER_CHECKPOINT:
                read = 0
                yield self._checkpoint()
        self._cursor.whole = self._cursor.whole and self._is_over
        if not (self._cursor.held_back or self._listing.cut):
            self._cursor.asked_at = self._listing.asked_at
        is_cut_short = self._listing.cut or self._cursor.held_back or self._pending.has_unlisted
        yield from self._objects.part_states()
        yield self._checkpoint(complete=is_first and not is_cut_short)

    def _read_entry(self, entry: SearchEntry) -> Generator[Item, None, bool]:
        """Returns whether it was read: it was due, and is in this unit."""
        is_due = self._cursor.is_due(entry)
        is_here = self._objects.locate(entry.ref) if is_due else False
        if is_due and not self._cursor.whole:  # else all that shows it is read in any case
            outdated = self._originals.outdated(self._cursor.copies, entry.ref.id)
            self._pending.add(Ref("page", page) for page in outdated)
        if is_here:
            read = yield from self._read_object(entry.ref)
            if self._is_over:
                return False
            self._pending.add(self._cursor.record_container(read.ref.id, read.fingerprint, read.children))
        if is_here is None:
            self._cursor.held_back = True
        elif is_due:
            if not is_here:
                yield from self._tell_moved(entry.ref)
                self._cursor.forget(entry.ref.id)
            self._cursor.record(entry, self._listing.asked_at)
        if not self._is_of_changes:  # else the next listing is compared from where the last one was
            self._cursor.advance(entry)
        return bool(is_here)

    def _tell_moved(self, ref: Ref) -> Iterator[Item]:
        """That an object which was here is in another unit, which may not be read for long."""
        if ref.id in self._was_here:
            item = self._objects.read(ref).item
            if isinstance(item, Deleted) and item.moved_to:
                yield item

    def _read_pending(self) -> Iterator[Item]:
        for count, ref in enumerate(self._pending.drain(), start=1):
            read = yield from self._read_object(ref)
            if self._is_over:
                self._pending.add([ref])
                return
            self._cursor.record_container(ref.id, read.fingerprint, read.children)
            # What is above it has changed, and with that what all its children show.
            self._pending.add(read.children)
            if count % OBJECTS_PER_CHECKPOINT == 0:
                yield self._checkpoint()

    def _read_object(self, ref: Ref) -> Generator[Item, None, ObjectRead]:
        read = self._objects.read(ref)
        if isinstance(read.item, Failed) and self._objects.is_without_blocks:
            # What is known of it stays: it is read once pages may be.
            self._is_over = self._cursor.held_back = True
            return read
        yield from emit(self._objects, read, self._cursor.files)
        if not isinstance(read.item, Failed):
            copies = self._cursor.copies
            copies.record(ref.id, read.copies)
            self._originals.find_homes(copies, copies.without_home([ref.id]))
            self._note_lacking(read)
        return read

    def _note_lacking(self, read: ObjectRead) -> None:
        name = lacking_name(read.ref)
        self._cursor.lacking.forget(name)
        for part in read.lacks:
            self._cursor.lacking.note(part, name)
        self._cursor.note_hidden(read.ref, read.hidden)
        if read.found:
            self._cursor.note_row(read.found)

    def _checkpoint(self, *, complete: bool = False) -> Checkpoint:
        self._cursor.pending = self._pending.refs
        return Checkpoint(self._cursor.as_json(), complete=complete)


def emit(objects: NotionObjectReader, read: ObjectRead, known_files: dict[str, dict[str, str]]) -> Iterator[Item]:
    """An object that was read, and those of its files that are other than their fingerprints, by page and key.

    These are brought up to date.
    """
    yield read.item
    own = read.ref.id
    files = dict(known_files.get(own, {}))
    for change in objects.read_files(read, files.copy()):
        if change.fingerprint:
            files[change.key] = change.fingerprint
        elif change.fingerprint is not None:
            files.pop(change.key, None)
        yield change.item
    if files:
        known_files[own] = files
    else:
        known_files.pop(own, None)


def read_window(objects: NotionObjectReader, listing: SearchListing, window: Window) -> Iterator[Item]:
    """The objects last edited inside a window."""
    for entry in listing.entries:
        if entry.edited in window and objects.contains(entry.ref):
            yield from emit(objects, objects.read(entry.ref), {})
