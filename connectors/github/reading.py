"""One read of one repository: objects to documents, and what goes wrong on the way to recorded failures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

from connectors.errors import (
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.github import access
from connectors.github.client import Blob, GitHubClient, Payload, Tree, moment
from connectors.github.documents import DocumentMaker
from connectors.github.files import unread, unusable
from connectors.github.progress import Progress, version
from connectors.model import Checkpoint, Cursor, Deleted, Failed, Item, Skipped, Unit, Window

T = TypeVar("T")

FILES_PER_CHECKPOINT = 20
FAILURES_IN_A_ROW = 3
"""So many objects that the server does not answer for, one after the other, are trouble with the server."""

_PAGE_OVERLAP = timedelta(seconds=1)
"""How far a page can begin before the end of the one before it."""
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")
_CONFLICT = 409
"""Answer for the tree of a repository that has no commit."""


class Reading:
    """Sends a request for the repository itself when it is made. Raises SourceError."""

    def __init__(self, connection: str, client: GitHubClient, unit: Unit, cursor: Cursor | None) -> None:
        repository = client.repository(unit.id)
        readers = access.readers(connection, unit.id, repository)
        branch = str(repository.get("default_branch") or "main")
        self._client = client
        self._name = unit.id
        self._repository = repository
        self._make = DocumentMaker(connection, unit.id, str(repository.get("html_url") or unit.url), branch, readers)
        self._unanswered = 0
        self._knows_history = True
        self.progress = Progress.resumed(cursor, readers, branch)

    def discussions(self, window: Window | None) -> Iterator[Item]:
        """Issues and pull requests that changed, least recently updated first, with a checkpoint after each."""
        newest: datetime | None = None
        in_order = True  # in another order, what is still to come can be older: no checkpoint before the end
        for page in self._pages(window):
            updates = [_updated(payload) for payload in page]
            in_order = in_order and _ascending(updates, newest)
            newest = next((updated for updated in reversed(updates) if updated), newest)
            for payload, updated in zip(page, updates, strict=True):
                if (window is None or updated in window) and self.progress.is_new(payload["number"], updated):
                    read_at = datetime.now(UTC)
                    yield self._discussion(payload)
                    self.progress.emitted(payload["number"], updated, read_at)
                    if in_order and window is None:
                        yield Checkpoint(self.progress.cursor())
            self.progress.forget_settled()
            if in_order and window and window.until and newest and newest >= window.until:
                return

    def files(self, window: Window | None) -> Iterator[Item]:
        """Files that changed, and those that are gone."""
        tree = self._tree(self.progress.etag)
        if tree is None:
            return
        known = self.progress.files
        self.progress.etag = None  # until all that is new has been read
        present = {blob.path for blob in tree.blobs}
        for path in [path for path in known if path not in present]:
            yield Deleted(self._make.file_id(path))
            del known[path]
        changed = [blob for blob in tree.blobs if not self.progress.has(blob)]
        for count, blob in enumerate(changed, start=1):
            if item := self._file(blob, window):
                yield item
            known[blob.path] = version(blob)
            if window is None and count % FILES_PER_CHECKPOINT == 0:
                yield Checkpoint(self.progress.cursor())
        self.progress.etag = tree.etag

    def again(self, document_ids: Sequence[str]) -> Iterator[Item]:
        """One item for each id, `Deleted` for what is gone or was never an id of this repository."""
        blobs: dict[str, Blob] | None = None
        for document_id in document_ids:
            kind, name = self._make.parsed_id(document_id)
            if kind == "blob":
                if blobs is None:
                    tree = self._tree(None)
                    blobs = {blob.path: blob for blob in tree.blobs} if tree else {}
                item = self._file(blobs[name], None) if name in blobs else None
            elif kind in ("issues", "pull") and name.isdecimal():
                item = self._discussion_again(document_id, int(name))
            else:
                item = None
            yield item or Deleted(document_id)

    def _pages(self, window: Window | None) -> Iterator[list[Payload]]:
        try:
            yield from self._client.issues(self._name, window.since if window else self.progress.begin)
        except NotFound:
            if self._repository.get("has_issues") is not False:
                raise

    def _tree(self, etag: str | None) -> Tree | None:
        try:
            return self._client.tree(self._name, self._make.branch, etag)
        except RequestRejected as error:
            if error.status != _CONFLICT:
                raise
            return Tree(None, ())

    def _discussion(self, payload: Payload) -> Item:
        document_id = self._make.discussion_id(payload)
        return self._guarded(document_id, str(payload.get("title") or ""), lambda: self._complete(payload))

    def _complete(self, payload: Payload) -> Item:
        """An issue or pull request with all that was said about it."""
        number = payload["number"]
        comments = self._all(f"issues/{number}/comments") if payload.get("comments") != 0 else []
        if not payload.get("pull_request"):
            return self._make.issue(payload, comments)
        reviews = self._all(f"pulls/{number}/reviews")
        return self._make.pull_request(payload, comments, reviews, self._all(f"pulls/{number}/comments"))

    def _discussion_again(self, document_id: str, number: int) -> Item | None:
        def look() -> Item:
            payload = self._client.issue(self._name, number)
            # A transferred issue answers from its new repository.
            moved = not self._is_own(payload) or self._make.discussion_id(payload) != document_id
            return Deleted(document_id) if moved else self._complete(payload)

        return self._guarded(document_id, "", look)

    def _is_own(self, payload: Payload) -> bool:
        named = _REPOSITORY.search(str(payload.get("repository_url") or ""))
        own = str(self._repository.get("full_name") or self._name)
        return named is None or named[1].lower() == own.lower()

    def _all(self, path: str) -> list[Payload]:
        return list(self._client.listing(f"repos/{quote(self._name)}/{path}"))

    def _file(self, blob: Blob, window: Window | None) -> Item | None:
        """A file's document; None if it was last changed outside of `window`."""
        document_id = self._make.file_id(blob.path)
        if reason := unread(blob):
            return None if window else Skipped(document_id, blob.path, reason, self._make.file_url(blob.path))
        return self._guarded(document_id, blob.path, lambda: self._read_file(blob, window))

    def _read_file(self, blob: Blob, window: Window | None) -> Item | None:
        commit = self._last_commit(blob.path)
        if window and self._make.commit_time(commit) not in window:
            return None
        content = self._client.blob(self._name, blob.sha)
        if reason := unusable(content):
            return Skipped(self._make.file_id(blob.path), blob.path, reason, self._make.file_url(blob.path))
        return self._make.file(blob.path, content, commit)

    def _last_commit(self, path: str) -> Payload:
        """The commit that tells when and by whom a file was changed; empty where the server has no history."""
        if not self._knows_history:
            return {}
        try:
            return self._client.last_commit(self._name, self._make.branch, path)
        except NotFound:
            self._knows_history = False
        except RequestRejected:
            pass  # a document without a time is better than none
        return {}

    def _guarded(self, document_id: str, title: str, read: Callable[[], T]) -> T | Deleted | Failed:
        """What `read` gives; trouble with one object is that object's, trouble with the server is everybody's."""
        unanswered, self._unanswered = self._unanswered, 0
        try:
            return read()
        except (RateLimited, AuthenticationFailed):
            raise
        except NotFound:
            return Deleted(document_id)
        except (Unavailable, InvalidResponse) as error:
            self._unanswered = unanswered + 1
            if self._unanswered >= FAILURES_IN_A_ROW:
                raise
            return Failed(document_id, title, str(error))
        except SourceError as error:
            return Failed(document_id, title, str(error))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return Failed(document_id, title, f"the payload is not as documented: {type(error).__name__}: {error}")


def _ascending(updates: Sequence[datetime | None], newest: datetime | None) -> bool:
    """Whether a page is in order, and follows one that ended with `newest`."""
    known = [updated for updated in updates if updated]
    return known == sorted(known) and not (newest and known and known[0] < newest - _PAGE_OVERLAP)


def _updated(payload: Payload) -> datetime | None:
    try:
        return moment(payload.get("updated_at"))
    except (TypeError, ValueError):
        return None
