"""From a file's metadata to a document, with its content and readers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeAlias

from connectors.contract import Deleted, Failed, ListingEntry, Skipped
from connectors.drive import formats
from connectors.drive.access import commenters, readers
from connectors.drive.client import DriveClient, Refused
from connectors.drive.comments import takes_comments, with_comments
from connectors.drive.fingerprints import listed_mark
from connectors.drive.folders import Folders, Place
from connectors.drive.payloads import FOLDER, SHORTCUT, Comment, Drive, File, Permission
from connectors.errors import AccessDenied, AuthenticationFailed, NotFound, RateLimited, RequestRejected, SourceError
from connectors.model import Document, Parent

Found: TypeAlias = Document | Skipped | Failed | Deleted

_AT_ONCE = 4
"""Files read at the same time. Each may be as large as `render.MAX_BYTES`."""
_OTHER_EXPORT_MAY_DO = {"exportSizeLimitExceeded", "fileNotExportable"}
_NO_DOWNLOAD = {
    "cannotDownloadFile": "its owner has disabled download",
    "cannotDownloadAbusiveFile": "Google has marked it as malware or spam",
    "cannotExportFile": "its owner has disabled download",
    "fileNotDownloadable": "unsupported type: it can be neither downloaded nor exported",
    "fileNotExportable": "unsupported type: it can be neither downloaded nor exported",
    "exportSizeLimitExceeded": "too large: Google exports at most 10 MB",
}


class Documents:
    """Makes documents of the files of a connection."""

    def __init__(self, client: DriveClient, folders: Folders, connection: str) -> None:
        self._client = client
        self._folders = folders
        self._connection = connection
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="drive")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def document_id(self, file_id: str) -> str:
        return f"drive:{self._connection}/{file_id}"

    def file_id(self, document_id: str) -> str:
        return document_id.removeprefix(f"drive:{self._connection}/")

    def listed(self, file: File, place: Place) -> ListingEntry:
        """A file as a listing names it. What a shortcut shows has a time of its own, which no listing tells."""
        changed = None if file.mime_type == SHORTCUT else _utc(file.modified_time)
        return ListingEntry(self.document_id(file.id), formats.title(file.name), changed, self._mark(file, place))

    def of(self, placed: Iterable[tuple[File, Place]]) -> Iterator[Found]:
        """One item for each file, in order; several are read at once.

        Raises RateLimited and AuthenticationFailed, which are not about one file.
        """
        waiting: deque[Future[Found]] = deque()
        try:
            for file, place in placed:
                waiting.append(self._pool.submit(self._item, file, place))
                if len(waiting) >= _AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _item(self, file: File, place: Place) -> Found:
        document_id = self.document_id(file.id)
        try:
            found = self._read(file, place)
        except (RateLimited, AuthenticationFailed):
            raise
        except SourceError as error:
            if isinstance(error, NotFound) and self._is_gone(file):
                return Deleted(document_id)
            return Failed(document_id, formats.title(file.name), str(error), file.web_view_link or "")
        if isinstance(found, Document):
            return found
        return Skipped(document_id, formats.title(file.name), found, file.web_view_link or "")

    def _is_gone(self, file: File) -> bool:
        """Whether there is no such file any more, and not only no such export of it."""
        try:
            return self._client.file(file.id).trashed
        except (RateLimited, AuthenticationFailed):
            raise
        except SourceError as error:
            return isinstance(error, NotFound)

    def _read(self, file: File, place: Place) -> Document | str:
        """The document, or why there is none."""
        shown = file
        if file.mime_type == SHORTCUT:
            target = self._target(file)
            if isinstance(target, str):
                return target
            shown = target
        if reason := formats.reason_to_skip(shown):
            return reason
        content = self._content(shown)
        if isinstance(content, str):
            return content
        permissions = tuple(self.permissions(shown))
        if formats.is_google_document(shown.mime_type) and takes_comments(content):
            content = with_comments(content, self._comments(shown, permissions))
        return self._document(file, shown, place, content, permissions)

    def _comments(self, file: File, permissions: Iterable[Permission]) -> list[Comment]:
        """None where the account may not see them, the server has none, or some readers may only view the file:
        viewers see no comments in Google's editors."""
        now = datetime.now(UTC)
        if readers(self._connection, permissions, now) != commenters(self._connection, permissions, now):
            return []
        try:
            return self._client.comments(file.id)
        except (AccessDenied, NotFound, RequestRejected):
            return []

    def _target(self, shortcut: File) -> File | str:
        """What a shortcut points to, if nothing else leads there: it is open to the account by its link alone.

        Whatever else the account sees is listed, and read in the unit where it lies.
        """
        details = shortcut.shortcut_details
        if not details or not details.target_id:
            return "shortcut without a target"
        if details.target_mime_type == FOLDER:
            return "shortcut to a folder"
        try:
            target = self._client.file(details.target_id)
        except (NotFound, AccessDenied):
            return "shortcut to a file that the account cannot open"
        if target.trashed:
            return "shortcut to a file in the trash"
        if target.mime_type == SHORTCUT:
            return "shortcut to a shortcut"
        return "shortcut: its target is read where it lies" if self._is_listed(target) else target

    def _is_listed(self, file: File) -> bool:
        place = self._folders.place(file)
        return bool(place.path) or bool(file.owned_by_me) or file.shared_with_me_time is not None

    def _content(self, file: File) -> formats.Content | str:
        how = formats.reading(file.mime_type, file.name)
        assert how is not None  # noqa: S101 - reason_to_skip has told the others
        try:
            if how.exports:
                return self._exported(file, how.exports)
            data = self._client.download(file.id, file.size)
        except Refused as error:
            if error.reason in _NO_DOWNLOAD:
                return _NO_DOWNLOAD[error.reason]
            raise
        if len(data) > formats.MAX_BYTES:
            return formats.too_large(len(data))
        return formats.content(data, how.media_type) or "empty"

    def _exported(self, file: File, media_types: tuple[str, ...]) -> formats.Content | str:
        """The first export that Drive makes and that is what it should be."""
        last: SourceError | None = None
        for media_type in media_types:
            try:
                data = self._client.export(file.id, media_type)
            except RequestRejected as error:
                last = last or error
            except Refused as error:
                if error.reason not in _OTHER_EXPORT_MAY_DO:
                    raise
                last = error
            else:
                if formats.is_as_labelled(data, media_type) or media_type == media_types[-1]:
                    return formats.content(data, media_type) or "empty"
        assert last is not None  # noqa: S101 - the last export was either returned or refused
        raise last

    def _document(
        self, file: File, shown: File, place: Place, content: formats.Content, permissions: Iterable[Permission]
    ) -> Document:
        how = formats.reading(shown.mime_type, shown.name)
        author = (shown.owners[0] if shown.owners else None) or shown.last_modifying_user
        return Document(
            id=self.document_id(file.id),
            source="drive",
            connection=self._connection,
            unit=place.unit,
            kind=how.kind if how else "file",
            title=formats.title(shown.name),
            url=shown.web_view_link or f"https://drive.google.com/open?id={shown.id}",
            content=content.body,
            content_type=content.media_type,
            author=(author.display_name or author.email_address) if author else "",
            created_at=_utc(shown.created_time),
            updated_at=_utc(shown.modified_time),
            parents=tuple(Parent(self.document_id(one.id), formats.title(one.name)) for one in place.path),
            readers=readers(self._connection, permissions, datetime.now(UTC)),
            fingerprint=self._mark(file, place),
        )

    def _mark(self, file: File, place: Place) -> str:
        return listed_mark(file, place, readers(self._connection, file.permissions or (), datetime.now(UTC)))

    def members(self, drive: Drive) -> tuple[str, ...]:
        """Reader tokens of a shared drive, which the files in it inherit; none where Google does not tell them."""
        try:
            permissions = self._client.permissions(drive.id)
        except (AccessDenied, NotFound, RequestRejected):
            return ()
        return readers(self._connection, permissions, datetime.now(UTC))

    def permissions(self, file: File) -> Iterable[Permission]:
        """Empty where Google does not tell the account, because it may not share the file, or the server has none."""
        if file.permissions is not None:
            return file.permissions
        try:
            return self._client.permissions(file.id)
        except (AccessDenied, NotFound, RequestRejected):
            return ()


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
