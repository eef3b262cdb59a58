"""From a file's metadata to a document, with its content and readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
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
    id_prefix,
)
from connectors.drive import formats
from connectors.drive.access import Grants, grants
from connectors.drive.client import DriveClient
from connectors.drive.comments import add_comments, takes_comments
from connectors.drive.content_keys import content_key
from connectors.drive.file_parts import FileParts
from connectors.drive.file_reads import DriveFileRead, FileReads
from connectors.drive.fingerprints import listing_fingerprint
from connectors.drive.folders import DriveFolder, FileLocation, FolderTree, LocatedFile
from connectors.drive.payloads import SHORTCUT, DriveFile, DrivePermission
from connectors.drive.settings import DriveConnection
from connectors.drive.sharing import DriveSharing
from connectors.drive.shortcuts import find_target
from connectors.drive.watch import watch_parts
from connectors.errors import SourceError
from connectors.isolation import Isolation
from connectors.model import Document, Parent

Found = TypeVar("Found", bound=ObjectItem | SameContent | DocumentReaders)
FileItem: TypeAlias = Found | Failed | Deleted
ReadItem: TypeAlias = FileItem[Found] | PartState | Checkpoint
"""What a read of a unit yields."""
ReadFiles: TypeAlias = Callable[[Iterable[LocatedFile]], Iterator[Found]]
"""One item for each file, in order: with its content, or its readers alone, or either."""


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
        self._reads = FileReads(self.document_id)

    def close(self) -> None:
        self._reads.close()

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
        """See `FileReads.unread`."""
        return self._reads.unread(file, error)

    def readers_at_most(self, permissions: Iterable[DrivePermission]) -> tuple[str, ...]:
        """Reader tokens of a file with these permissions, wherever it lies."""
        return tuple(sorted(grants(self._connection, permissions, datetime.now(UTC))))

    def read(
        self, located: Iterable[LocatedFile], isolation: Isolation, *, as_a_whole: bool = False
    ) -> Iterator[ObjectItem]:
        """One item for each file, in order; several are read at once. `as_a_whole` as in `DriveFileRead`.

        Raises SourceError where the trouble is not one file's alone.
        """
        return self._reads.read(located, isolation, self._document, as_a_whole=as_a_whole)

    def read_changed(
        self, located: Iterable[LocatedFile], isolation: Isolation, find_landed: FindLanded
    ) -> Iterator[ObjectItem | SameContent]:
        """As `read`, but that files whose content is what is landed come without it."""
        files = list(located)
        landed = find_landed([self.document_id(one.file.id) for one in files])
        return self._reads.read(files, isolation, partial(self._document_or_same, landed=landed))

    def read_readers(self, located: Iterable[LocatedFile], isolation: Isolation) -> Iterator[RightsItem]:
        """As `read`, without contents."""
        return self._reads.read(located, isolation, self._document_readers)

    def _document_readers(self, read: DriveFileRead) -> DocumentReaders:
        shared = self._look_up_sharing(read)
        return DocumentReaders(self.document_id(read.located.file.id), tuple(shared.granted), shared.ends)

    def _look_up_sharing(self, read: DriveFileRead) -> _SharedFile:
        """What is shown of a file, and to whom. Raises SkipFile, and SourceError where nobody told."""
        file, location = read.located.file, read.located.location
        is_shortcut = file.mime_type == SHORTCUT
        shown = find_target(self._client, self._folders, file) if is_shortcut else file
        kind = formats.plan_file(shown, pictures=self._pictures).kind  # what is skipped needs no readers
        lies_in = location if shown is file else self._folders.locate(shown)
        permissions = self._sharing.permissions(shown, lies_in, self.parts)
        granted = self._sharing.grants(permissions, shown)
        read.readers = tuple(granted)
        return _SharedFile(shown, kind, is_shortcut, permissions, granted)

    def _document(self, read: DriveFileRead) -> Document:
        shared = self._look_up_sharing(read)
        return self._with_content(read, shared, self._described(read.located, shared))

    def _document_or_same(self, read: DriveFileRead, landed: Mapping[str, LandedContent]) -> Document | SameContent:
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

    def _with_content(self, read: DriveFileRead, shared: _SharedFile, described: Document) -> Document:
        shown = shared.shown
        file_parts = FileParts(self._client, self.parts, self.lacking, read.located.file.id, read.as_a_whole)
        loaded = file_parts.load(shown, pictures=self._pictures)
        content = loaded.content
        has_comments = formats.is_google_document(shown.mime_type) and takes_comments(content)
        # Viewers see no comments in Google's editors: where some readers are mere viewers, the text is without them.
        if has_comments and self._sharing.all_see_comments(shared.permissions, shown):
            content = add_comments(content, file_parts.comments(shown))
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

    def _fingerprint(self, file: DriveFile, location: FileLocation) -> str:
        granted = grants(self._connection, file.permissions or (), datetime.now(UTC))
        restrictions = self._sharing.restrictions_fingerprint(location.unit)
        return listing_fingerprint(file, location, granted, restrictions)


def _author(file: DriveFile) -> str:
    author = (file.owners[0] if file.owners else None) or file.last_modifying_user
    return (author.display_name or author.email_address) if author else ""


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
