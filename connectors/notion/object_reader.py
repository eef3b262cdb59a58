"""Single pages and databases of a unit, read as they are now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from connectors.contract import Deleted, Failed, ObjectItem, PartState, Skipped
from connectors.errors import REFUSALS, NotFound, RequestRejected, TransientError
from connectors.isolation import Isolation
from connectors.model import Document, Unit, readers_include
from connectors.notion.client import OLDER_VERSION
from connectors.notion.comment_links import with_comment_places
from connectors.notion.content import PageContent, first_hidden, pages_inside, read_page, read_trashed_blocks
from connectors.notion.context import NotionContext
from connectors.notion.documents import NotionDocuments
from connectors.notion.file_store import NotionFile, page_files
from connectors.notion.files import FileChange, NotionPageFiles
from connectors.notion.fingerprints import container_fingerprint, entry_fingerprint
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.part_table import BLOCKS, ROWS
from connectors.notion.payloads import database_of, page_of, url_of
from connectors.notion.render.pages import mentioned
from connectors.notion.settings import reader_tokens
from connectors.notion.synced_blocks import shown_originals
from connectors.notion.titles import Hides, without_hidden_titles, without_mentions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """What reading an object gave.

    `children` are the pages, databases and data sources directly below it, `fingerprint` stands for what those show
    of it, `copies` for what it shows of others (`shown_originals`). `files` is None where they could not be read.
    `lacks` names the parts that it was read without; without what is in `hidden`, a block or the database itself.
    """

    ref: Ref
    item: ObjectItem
    found: NotionObject | None = None
    children: tuple[Ref, ...] = ()
    fingerprint: str = ""
    files: tuple[NotionFile, ...] | None = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    hidden: Ref | None = None


@dataclass(frozen=True, slots=True)
class Remains:
    """What can still be read of an object in the trash."""

    children: tuple[Ref, ...] = ()
    files: tuple[NotionFile, ...] = ()


class NotionObjectReader:
    """Reads objects of one unit, one by one. One for each read: it counts the failures in a row.

    Finding out what an object is in, reading it, and loading files are counted apart: each can fail at all objects
    while the others go on well.
    """

    def __init__(self, context: NotionContext, hierarchy: Hierarchy, unit: Unit, *, as_a_whole: bool = False) -> None:
        """`as_a_whole`: an object fails where a part of it cannot be had now, and is not read without that."""
        self._context = context
        self._as_a_whole = as_a_whole
        self._client = context.client
        self._hierarchy = hierarchy
        self._unit = unit
        self._documents = NotionDocuments(context, unit)
        self._locating, self._reading, self._loading = (Isolation(lambda: context.requests) for _ in range(3))

    @property
    def is_without_blocks(self) -> bool:
        """Whether the integration may read of no page what it holds."""
        return self._context.parts.is_closed(BLOCKS)

    def part_states(self) -> list[PartState]:
        return self._context.parts.states()

    def contains(self, ref: Ref) -> bool:
        """Whether an object is in this unit. Raises SourceError if that cannot be found out."""
        found = self._hierarchy.visible(ref)
        return found is not None and self._is_here(found)

    def locate(self, ref: Ref) -> bool | None:
        """As `contains`; None where that cannot be found out now."""
        contained = self._locating.attempt(ref.id, "", lambda: self.contains(ref))
        if isinstance(contained, Failed):
            logger.warning("%s %s: what it is in cannot be found out now: %s", *ref, contained.error)
            return None
        return contained

    def is_elsewhere(self, ref: Ref) -> bool:
        """Whether an object is in another unit, as far as that can be found out. Reading it says what is wrong."""

        def find() -> bool:
            found = self._hierarchy.visible(ref)
            return found is not None and not self._is_here(found)

        return self._locating.attempt(ref.id, "", find) is True

    def resolve(self, document_id: str) -> Ref | Failed:
        """What the id of a document or of its file is of. Raises SourceError where the trouble is not its alone."""
        own, *_ = self._context.path_of(document_id)
        found = self._locating.attempt(document_id, "", lambda: self._hierarchy.resolve(own))
        if isinstance(found, Failed) and self._context.connection.readers_by_page:
            return replace(found, hides=True)  # it is not known what it is in, and so who may read it
        return found

    def fingerprint(self, found: NotionObject) -> str:
        """What `ListingEntry.fingerprint` is of an object."""
        ancestors = self._hierarchy.ancestors(found)
        return entry_fingerprint(found, ancestors, self._context.mapped_readers((*ancestors, found)))

    def read(self, ref: Ref) -> ObjectRead:
        """The object as it is now. Raises SourceError where the trouble is not this object's alone."""
        self._context.missing.clear()
        read = self._reading.attempt(self._context.document_id(ref.id), "", lambda: self._read(ref))
        return ObjectRead(ref, self._described(read, ref), files=None) if isinstance(read, Failed) else read

    def read_file(self, page: Ref, key: str) -> ObjectItem:
        """A file of a page as it is now. Raises SourceError where the trouble is not this file's alone."""
        document_id = self._context.file_id(page.id, key)

        def read() -> Document | Skipped | Deleted:
            found = self._find_here(page)
            is_unfound = self._hierarchy.known(page) is None
            if found:
                return self._files_of(found).read_one(key)
            return Deleted(document_id, is_unfound=is_unfound, moved_to=self._moved_to(page))

        item = self._loading.attempt(document_id, "", read)
        return self._described(item, page) if isinstance(item, Failed) else item

    def read_files(self, read: ObjectRead, known: Mapping[str, str]) -> Iterator[FileChange]:
        """Those files of an object that are other than their fingerprints in `known`, by key; those gone first.

        Raises SourceError where the trouble is not a file's alone.
        """
        if read.files is None:
            return
        for key in sorted(known.keys() - {file.key for file in read.files}):
            yield FileChange(key, "", Deleted(self._context.file_id(read.ref.id, key)))
        if read.found and read.files:
            yield from self._files_of(read.found).read_changes(read.files, known, self._loading)

    def read_rows(self, source: Ref) -> tuple[Ref, ...] | Failed:
        """Rows of a data source. Raises SourceError where the trouble is not this data source's alone."""
        return self._reading.attempt(self._context.document_id(source.id), "", lambda: self._rows(source))

    def remains(self, ref: Ref) -> Remains:
        """What can still be read of an object in the trash."""
        try:
            found = self._hierarchy.current(ref)
            if found is None:
                return Remains()
            if ref.kind != "page":
                sources = [source.ref for source in self._hierarchy.data_sources(found)]
                sources = sources or [Ref("data_source", ref.id)]
                return Remains(tuple(row for source in sources for row in self._rows(source, trashed=True)))
            blocks = read_trashed_blocks(self._client, ref.id)
        except REFUSALS:
            return Remains()
        return Remains(tuple(pages_inside(blocks)), tuple(page_files(page_of(found), blocks)))

    def _read(self, ref: Ref) -> ObjectRead:
        listed = self._hierarchy.known(ref)
        found = self._find_here(ref)
        if found is None:
            return self._not_here(ref, listed)
        return self._read_page(found) if ref.kind == "page" else self._read_database(found)

    def _not_here(self, ref: Ref, listed: NotionObject | None) -> ObjectRead:
        """An object that is in the trash, or in another unit, is gone from here. What is not found is so for want of a
        right, too: where search lists it, it stays, and nobody sees it until it is found."""
        document_id = self._context.document_id(ref.id)
        is_unfound = self._hierarchy.known(ref) is None
        if listed is None or not is_unfound:
            return ObjectRead(ref, Deleted(document_id, is_unfound=is_unfound, moved_to=self._moved_to(ref)))
        error = f"{ref.kind} {ref.id}, which search lists, is not found"
        return ObjectRead(ref, Failed(document_id, listed.title, error, url_of(listed), hides=True), files=None)

    def _find_here(self, ref: Ref) -> NotionObject | None:
        """An object as it is now; None where it is gone, in the trash, or in another unit."""
        found = self._hierarchy.current(ref)
        is_live = found is not None and self._is_here(found) and not self._hierarchy.is_trashed(found)
        return found if is_live else None

    def _moved_to(self, ref: Ref) -> str:
        """The unit that a live object is in which is not here; empty for others."""
        found = self._hierarchy.known(ref)
        return self._hierarchy.root(found).ref.id if found and not self._hierarchy.is_trashed(found) else ""

    def _read_page(self, found: NotionObject) -> ObjectRead:
        content = read_page(self._context, found)
        content = replace(content, blocks=with_comment_places(content.blocks, self._page_of_comment))
        if hides := self._hides_titles(found, frozenset(pages_inside(content.blocks))):
            content = without_hidden_titles(content, hides)
        document = self._documents.page(found, self._hierarchy.ancestors(found), content, self._titles(content, hides))
        self._require_parts()
        return ObjectRead(
            found.ref,
            document,
            found,
            children=tuple(pages_inside(content.blocks)),
            fingerprint=container_fingerprint(found, ()),
            files=tuple(page_files(content.page, content.blocks)),
            copies=shown_originals(content.blocks),
            lacks=frozenset(self._context.missing),
            hidden=first_hidden(content.blocks),
        )

    def _read_database(self, found: NotionObject) -> ObjectRead:
        sources = self._hierarchy.data_sources(found)
        database = database_of(found)
        payloads = tuple(database_of(source) for source in sources) or (database,)
        if hides := self._hides_titles(found):
            database, payloads = without_mentions((database, payloads), hides)
        columns = [f"{source.id} {column.name}" for source in payloads for column in source.columns]
        document = self._documents.database(found, self._hierarchy.ancestors(found), database, payloads)
        self._require_parts()
        return ObjectRead(
            found.ref,
            document,
            found,
            children=tuple(source.ref for source in sources) or (Ref("data_source", found.ref.id),),
            fingerprint=container_fingerprint(found, columns),
            lacks=frozenset(self._context.missing),
            hidden=found.ref if self._hierarchy.is_stand_in(found.ref) else None,
        )

    def _page_of_comment(self, comment_id: str) -> Ref | None:
        try:
            place = self._context.place_of_comment(comment_id)
            return self._hierarchy.page_of_block(place.id) if place and place.kind == "block" else place
        except REFUSALS:
            return None

    def _require_parts(self) -> None:
        """Raises TransientError where an object that is to be read as a whole lacks what can be had later."""
        for error in self._context.missing.values():
            if self._as_a_whole and isinstance(error, TransientError):
                raise error

    def _rows(self, source: Ref, *, trashed: bool = False) -> tuple[Ref, ...]:
        """Empty where the integration sees the data source, but may not query it. Raises SourceError, also where it may
        query none."""
        parts = self._context.parts
        try:
            rows = parts.ask(ROWS, partial(self._query, source.id, trashed=trashed))
        except REFUSALS as error:
            logger.warning("the rows of %s are not listed: %s", source.id, error)
            if parts.lacks(ROWS, error):
                raise
            return ()
        return tuple(self._hierarchy.add(row) for row in rows)

    def _query(self, source_id: str, *, trashed: bool) -> list[NotionObject]:
        # Servers of the older version know no data sources: the database is queried by the same id.
        if self._client.version == OLDER_VERSION:
            return self._client.database_rows(source_id, trashed=trashed)
        try:
            return self._client.rows(source_id, trashed=trashed)
        except (NotFound, RequestRejected) as error:
            try:
                return self._client.database_rows(source_id, trashed=trashed)
            except REFUSALS:
                raise error from None

    def _titles(self, content: PageContent, hides: Hides | None) -> dict[str, str]:
        """Titles of what a page mentions by its id alone."""
        refs = (ref for ref in mentioned(content.page, content.blocks) if not (hides and hides(ref)))
        return {ref.id: other.title for ref in refs if (other := self._hierarchy.visible(ref))}

    def _hides_titles(self, found: NotionObject, children: Collection[Ref] = ()) -> Hides | None:
        """Which titles are not for all readers of a page or database; None where all pages have the same readers.

        The `children` are not asked for: they have the readers of what they are in, unless they have their own.
        """
        by_page = self._context.connection.readers_by_page
        if not by_page:
            return None
        readers = {*self._context.mapped_readers((*self._hierarchy.ancestors(found), found))}

        def hides(ref: Ref) -> bool:
            if ref in children or ref.id in by_page:
                own = by_page.get(ref.id)
                return own is not None and not readers_include(reader_tokens(self._context.connection.id, own), readers)
            other = self._hierarchy.visible(ref)
            path = (*self._hierarchy.ancestors(other), other) if other else ()
            return bool(path) and not readers_include(self._context.mapped_readers(path), readers)

        return hides

    def _files_of(self, page: NotionObject) -> NotionPageFiles:
        return NotionPageFiles(self._context, self._unit, page, self._hierarchy.ancestors(page))

    def _is_here(self, found: NotionObject) -> bool:
        return self._hierarchy.root(found).ref.id == self._unit.id

    def _described(self, failed: Failed, ref: Ref) -> Failed:
        """A failed object is named as far as it was found. Where it is not known what it is in, and its readers depend
        on that, nobody sees it."""
        found = self._hierarchy.known(ref)
        named = replace(failed, title=found.title, url=url_of(found)) if found else failed
        if not self._context.connection.readers_by_page:
            return named
        path = self._hierarchy.known_path(ref)
        return replace(named, hides=not path, readers=self._context.mapped_readers(path) if path else None)
