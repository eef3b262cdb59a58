"""From a file's metadata to a document, with its content and readers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TypeAlias, TypeVar

from connectors.contract import (
    Checkpoint,
    Deleted,
    DocumentReaders,
    Failed,
    FindLanded,
    LandedContent,
    ListingEntry,
    ObjectItem,
    PartState,
    RightsItem,
    SameContent,
    Skipped,
    id_prefix,
)
from connectors.drive import formats
from connectors.drive.access import Grants, grants
from connectors.drive.client import DriveClient
from connectors.drive.comments import add_comments, takes_comments
from connectors.drive.content_keys import content_key
from connectors.drive.files import LoadedFile, LoadSheets, load_content
from connectors.drive.fingerprints import listing_fingerprint
from connectors.drive.folders import DriveFolder, FileLocation, FolderTree, LocatedFile
from connectors.drive.part_table import COMMENTS, CONTENT, SHEETS
from connectors.drive.payloads import FOLDER, SHORTCUT, DriveComment, DriveFile, DrivePermission
from connectors.drive.settings import DriveConnection
from connectors.drive.sharing import DriveSharing
from connectors.drive.sheets import load_sheets
from connectors.drive.watch import watch_parts
from connectors.errors import AccessDenied, AuthenticationFailed, NotFound, RateLimited, SourceError, TransientError
from connectors.file_content import FileContent, SkipFile
from connectors.isolation import Attempt, Isolation
from connectors.model import Document, Parent

AT_ONCE = 4
"""Files read at the same time. Each may be as large as `formats.MAX_BYTES`."""
Found = TypeVar("Found", bound=ObjectItem | SameContent | DocumentReaders)
Made = TypeVar("Made", bound=Document | SameContent | DocumentReaders)
FileItem: TypeAlias = Found | Failed | Deleted
ReadItem: TypeAlias = FileItem[Found] | PartState | Checkpoint
"""What a read of a unit yields."""
ReadFiles: TypeAlias = Callable[[Iterable[LocatedFile]], Iterator[Found]]
"""One item for each file, in order: with its content, or its readers alone, or either."""


@dataclass(slots=True)
class _FileRead:
    """A file on its way to a document; `readers` are None until they are known. One that is read `as_a_whole` fails
    where a part of it cannot be had now, and is not read without that."""

    located: LocatedFile
    as_a_whole: bool
    readers: tuple[str, ...] | None = None

    def failed(self, failed: Failed) -> Failed:
        """Nobody sees a file of which nobody told who may read it; else those who may no more do not."""
        return replace(failed, hides=self.readers is None, readers=self.readers)


@dataclass(frozen=True, slots=True)
class _SharedFile:
    """What a document shows, which is a shortcut's target for a shortcut, and who may read that."""

    shown: DriveFile
    kind: str
    is_shortcut: bool
    permissions: tuple[DrivePermission, ...]
    granted: Grants

    @property
    def ends(self) -> tuple[tuple[str, datetime], ...]:
        return tuple((token, end) for token, end in self.granted.items() if end)


class DriveDocuments:
    """Makes documents of the files of a connection.

    `parts` is told of all that is asked for; `lacking` are the files that were read without one, with its name.
    """

    def __init__(
        self, client: DriveClient, folders: FolderTree, sharing: DriveSharing, connection: DriveConnection
    ) -> None:
        self._client = client
        self._folders = folders
        self._sharing = sharing
        self._connection = connection.id
        # What one of several people sees of a file, says nothing of the file of another one's that has its id.
        self._id_prefix = id_prefix("drive", connection.id) + (f"{folders.own_unit}/" if folders.own_unit else "")
        self._pictures = connection.reads_pictures
        self.parts = watch_parts()
        self.lacking: list[tuple[str, str]] = []
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="drive")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def document_id(self, file_id: str) -> str:
        return f"{self._id_prefix}{file_id}"

    def file_id(self, document_id: str) -> str:
        return document_id.removeprefix(self._id_prefix)

    def entry(self, located: LocatedFile) -> ListingEntry:
        """A file as a listing names it."""
        file = located.file
        # What a shortcut shows has a time of its own, which no listing gives.
        updated = None if file.mime_type == SHORTCUT else _utc(file.modified_time)
        return ListingEntry(
            self.document_id(file.id),
            formats.title(file.name),
            updated,
            self._fingerprint(file, located.location),
            tuple(self.document_id(one.id) for one in located.location.path),
        )

    def locate(self, file: DriveFile, isolation: Isolation) -> LocatedFile | Failed:
        """Where a file lies, or Failed where a folder above cannot be asked for."""
        found = isolation.attempt(
            self.document_id(file.id),
            formats.title(file.name),
            lambda: LocatedFile(file, self._folders.locate(file)),
            file.web_view_link or "",
        )
        return replace(found, hides=True) if isinstance(found, Failed) else found

    def unread(self, file: DriveFile, error: SourceError) -> Failed:
        """A file that is not asked for, because the source itself is in trouble: who may read it is not known."""
        return Failed(
            self.document_id(file.id), formats.title(file.name), str(error), file.web_view_link or "", hides=True
        )

    def readers_at_most(self, permissions: Iterable[DrivePermission]) -> tuple[str, ...]:
        """Reader tokens of a file with these permissions, wherever it lies."""
        return tuple(sorted(grants(self._connection, permissions, datetime.now(UTC))))

    def read(
        self, located: Iterable[LocatedFile], isolation: Isolation, *, as_a_whole: bool = False
    ) -> Iterator[ObjectItem]:
        """One item for each file, in order; several are read at once. `as_a_whole` as in `_FileRead`.

        Raises SourceError where the trouble is not one file's alone.
        """
        return self._read(located, isolation, self._document, as_a_whole=as_a_whole)

    def read_changed(
        self, located: Iterable[LocatedFile], isolation: Isolation, find_landed: FindLanded
    ) -> Iterator[ObjectItem | SameContent]:
        """As `read`, but that files whose content is what is landed come without it."""
        files = list(located)
        landed = find_landed([self.document_id(one.file.id) for one in files])
        return self._read(files, isolation, partial(self._document_or_same, landed=landed))

    def read_readers(self, located: Iterable[LocatedFile], isolation: Isolation) -> Iterator[RightsItem]:
        """As `read`, without contents."""
        return self._read(located, isolation, self._document_readers)

    def _read(
        self,
        located: Iterable[LocatedFile],
        isolation: Isolation,
        make: Callable[[_FileRead], Made],
        *,
        as_a_whole: bool = False,
    ) -> Iterator[Made | Skipped | Failed]:
        coming = (_FileRead(one, as_a_whole) for one in located)
        under_way: deque[tuple[_FileRead, Future[Attempt[Made | Skipped]]]] = deque()
        width = AT_ONCE
        try:
            while True:
                # One at a time after a failure, then slowly more: a source that is down gets few requests.
                width = 1 if isolation.is_failing else min(width + 1, AT_ONCE)
                following = islice(coming, max(width - len(under_way), 0))
                under_way.extend(
                    (one, self._pool.submit(copy_context().run, isolation.observe, partial(self._read_file, one, make)))
                    for one in following
                )
                if not under_way:
                    return
                read, future = under_way.popleft()
                yield from self._judge(read, future.result(), isolation)
        finally:
            for _, future in under_way:
                future.cancel()

    def _judge(
        self, read: _FileRead, tried: Attempt[Made | Skipped], isolation: Isolation
    ) -> Iterator[Made | Skipped | Failed]:
        file = read.located.file
        try:
            item = isolation.judge(self.document_id(file.id), formats.title(file.name), tried, file.web_view_link or "")
        except SourceError as error:
            # The source is left; but of this file it was not told who may read it now.
            if read.readers is None:
                yield self.unread(file, error)
            raise
        yield read.failed(item) if isinstance(item, Failed) else item

    def _read_file(self, read: _FileRead, make: Callable[[_FileRead], Made]) -> Made | Skipped:
        """Runs in the pool. Raises SourceError: NotFound, too, of a file that was just shown. One that has gone since
        is named by the feed, or missing from the next listing."""
        file = read.located.file
        try:
            return make(read)
        except SkipFile as skipped:
            return Skipped(
                self.document_id(file.id), formats.title(file.name), skipped.reason, file.web_view_link or ""
            )

    def _document_readers(self, read: _FileRead) -> DocumentReaders:
        shared = self._look_up_sharing(read)
        return DocumentReaders(self.document_id(read.located.file.id), tuple(shared.granted), shared.ends)

    def _look_up_sharing(self, read: _FileRead) -> _SharedFile:
        """What is shown of a file, and to whom. Raises SkipFile, and SourceError where nobody told."""
        file, location = read.located.file, read.located.location
        is_shortcut = file.mime_type == SHORTCUT
        shown = self._shortcut_target(file) if is_shortcut else file
        kind = formats.plan_file(shown, pictures=self._pictures).kind  # what is skipped needs no readers
        lies_in = location if shown is file else self._folders.locate(shown)
        permissions = self._sharing.permissions(shown, lies_in, self.parts)
        granted = self._sharing.grants(permissions, shown)
        read.readers = tuple(granted)
        return _SharedFile(shown, kind, is_shortcut, permissions, granted)

    def _document(self, read: _FileRead) -> Document:
        shared = self._look_up_sharing(read)
        return self._with_content(read, shared, self._described(read.located, shared))

    def _document_or_same(self, read: _FileRead, landed: Mapping[str, LandedContent]) -> Document | SameContent:
        shared = self._look_up_sharing(read)
        described = self._described(read.located, shared)
        known = landed.get(described.id)
        if known and self._is_same(known, read.located, shared):
            return SameContent.of(replace(described, content_key=known.content_key))
        return self._with_content(read, shared, described)

    def _is_same(self, known: LandedContent, located: LocatedFile, shared: _SharedFile) -> bool:
        """Whether what is landed of a file is what it holds, now that it is known who may read it."""
        if self._content_key(located, shared) != known.content_key:
            return False
        if shared.shown.permissions is not None or known.readers_include(shared.granted):
            return True
        # Its permissions were asked for after its metadata: it may have been edited between, and then shared.
        now = self._client.file(located.file.id)
        located = LocatedFile(now, self._folders.locate(now))
        return not now.trashed and self._content_key(located, replace(shared, shown=now)) == known.content_key

    def _content_key(self, located: LocatedFile, shared: _SharedFile) -> str:
        """By the checksum that metadata tell; empty where they tell none."""
        return self._key_of(self._described(located, shared), shared, shared.shown.md5_checksum)

    def _key_of(self, described: Document, shared: _SharedFile, checksum: str) -> str:
        # What a shortcut leads to lies elsewhere, and changes without the shortcut.
        known = "" if shared.is_shortcut else checksum
        return content_key(described, shared.shown, known, pictures=self._pictures)

    def _with_content(self, read: _FileRead, shared: _SharedFile, described: Document) -> Document:
        shown = shared.shown
        loaded = self._load(read, shown)
        content = loaded.content
        has_comments = formats.is_google_document(shown.mime_type) and takes_comments(content)
        # Viewers see no comments in Google's editors: where some readers are mere viewers, the text is without them.
        if has_comments and self._sharing.all_see_comments(shared.permissions, shown):
            content = add_comments(content, self._comments(read, shown))
        key = self._key_of(described, shared, loaded.checksum)
        return replace(described, content=content.body, content_type=content.media_type, content_key=key)

    def _described(self, located: LocatedFile, shared: _SharedFile) -> Document:
        """A file's document but for its content."""
        file, location, shown = located.file, located.location, shared.shown
        return Document(
            id=self.document_id(file.id),
            source="drive",
            connection=self._connection,
            unit=location.unit,
            kind=shared.kind,
            title=formats.title(shown.name),
            url=shown.web_view_link or f"https://drive.google.com/open?id={shown.id}",
            content="",
            content_type="",
            author=_author(shown),
            created_at=_utc(shown.created_time),
            updated_at=_utc(shown.modified_time),
            parents=self._parents(location.path, shared.permissions),
            readers=tuple(shared.granted),
            readers_until=shared.ends,
            fingerprint=self._fingerprint(file, location),
        )

    def _parents(self, path: Sequence[DriveFolder], permissions: Sequence[DrivePermission]) -> tuple[Parent, ...]:
        titles = self._sharing.titles(path, permissions)
        return tuple(Parent(self.document_id(one.id), name) for one, name in zip(path, titles, strict=True))

    def _shortcut_target(self, shortcut: DriveFile) -> DriveFile:
        """What a shortcut points to, if nothing else leads there: it is open to the account by its link alone.

        All else that the account sees is listed, and read in the unit where it lies. Raises SkipFile.
        """
        details = shortcut.shortcut_details
        if not details or not details.target_id:
            raise SkipFile("shortcut without a target")
        if details.target_mime_type == FOLDER:
            raise SkipFile("shortcut to a folder")
        try:
            target = self._client.file(details.target_id)
        except (NotFound, AccessDenied) as error:
            raise SkipFile("shortcut to a file that the account cannot open") from error
        if target.trashed:
            raise SkipFile("shortcut to a file in the trash")
        if target.mime_type == SHORTCUT:
            raise SkipFile("shortcut to a shortcut")
        if self._is_listed(target):
            raise SkipFile("shortcut: its target is read where it lies")
        return target

    def _is_listed(self, file: DriveFile) -> bool:
        in_folder = bool(self._folders.locate(file).path)
        return in_folder or bool(file.owned_by_me) or file.shared_with_me_time is not None

    def _load(self, read: _FileRead, file: DriveFile) -> LoadedFile:
        load = partial(load_content, self._client, file, pictures=self._pictures, load_all=self._all_sheets(read))
        return self.parts.ask(CONTENT, load)

    def _all_sheets(self, read: _FileRead) -> LoadSheets:
        """How all sheets of a spreadsheet are had; None where they are not given."""

        def load(file_id: str) -> FileContent | None:
            try:
                return self.parts.ask(SHEETS, partial(load_sheets, self._client, file_id))
            except (AuthenticationFailed, RateLimited):
                raise
            except SourceError as error:
                self._note_lacking(read, SHEETS, error)
                return None

        return load

    def _comments(self, read: _FileRead, file: DriveFile) -> list[DriveComment]:
        """None where the account may not see those of this file, or they cannot be had at all."""
        try:
            return self.parts.ask(COMMENTS, partial(self._client.comments, file.id))
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            self._note_lacking(read, COMMENTS, error)
            return []

    def _note_lacking(self, read: _FileRead, part: str, error: SourceError) -> None:
        """Raises the error where the file is to be read as a whole."""
        if read.as_a_whole and isinstance(error, TransientError):
            raise error
        if self.parts.lacks(part, error):
            self.lacking.append((part, read.located.file.id))

    def _fingerprint(self, file: DriveFile, location: FileLocation) -> str:
        granted = grants(self._connection, file.permissions or (), datetime.now(UTC))
        restrictions = self._sharing.restrictions_fingerprint(location.unit)
        return listing_fingerprint(file, location, granted, restrictions)


def _author(file: DriveFile) -> str:
    author = (file.owners[0] if file.owners else None) or file.last_modifying_user
    return (author.display_name or author.email_address) if author else ""


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
