"""Text files of the default branch, found through its tree: only blobs with a new SHA are read."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Skipped, Window
from connectors.errors import NotFound, RequestRejected
from connectors.github.client import Blob, Tree
from connectors.github.cursor import Progress, version
from connectors.github.file_rules import unusable
from connectors.github.repository import Repository
from connectors.github.responses import Payload

FILES_PER_CHECKPOINT = 20

_CONFLICT = 409
"""Answer for the tree of a repository that has no commit."""


class Files:
    kinds = ("blob",)

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._make = repository.make
        self._knows_history = True
        self._blobs: dict[str, Blob] | None = None

    def changed(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        """Files that changed, and those that are gone. Names with a new place come as new files."""
        tree = self._tree(None if window else progress.etags.get("tree"))
        if tree is None:
            return
        progress.etags.pop("tree", None)  # until all that is new has been read
        known = {} if window else progress.files
        present = {blob.path for blob in tree.blobs}
        for path in [path for path in known if path not in present]:
            yield Deleted(self._make.file_id(path))
            del known[path]
        changed = [blob for blob in tree.blobs if window or not progress.has(blob)]
        for count, blob in enumerate(changed, start=1):
            if item := self._file(blob, window):
                yield item
            known[blob.path] = version(blob)
            if window is None and count % FILES_PER_CHECKPOINT == 0:
                yield Checkpoint(progress.cursor())
        if window is None:
            progress.keep_etag("tree", tree.etag)

    def listed(self) -> Iterator[ListingEntry]:
        tree = self._tree(None)
        for blob in tree.blobs if tree else ():
            yield ListingEntry(self._make.file_id(blob.path), blob.path)

    def again(self, kind: str, name: str) -> Item | None:
        if self._blobs is None:
            tree = self._tree(None)
            self._blobs = {blob.path: blob for blob in tree.blobs} if tree else {}
        return self._file(self._blobs[name], None) if name in self._blobs else None

    def _tree(self, etag: str | None) -> Tree | None:
        try:
            return self._repository.client.tree(self._repository.name, self._make.branch, etag)
        except RequestRejected as error:
            if error.status != _CONFLICT:
                raise
        except NotFound:
            if self._repository.payload.get("size") != 0:
                raise  # no such branch, of a repository that has others
        return Tree(None, ())

    def _file(self, blob: Blob, window: Window | None) -> Item | None:
        """A file's document; None if it was last changed outside of `window`."""
        document_id = self._make.file_id(blob.path)
        if reason := self._repository.rules.unread(blob):
            return None if window else Skipped(document_id, blob.path, reason, self._make.file_url(blob.path))
        return self._repository.guard(document_id, blob.path, lambda: self._read(blob, window))

    def _read(self, blob: Blob, window: Window | None) -> Item | None:
        commit = self._last_commit(blob.path)
        if window and self._make.commit_time(commit) not in window:
            return None
        content = self._repository.client.blob(self._repository.name, blob.sha)
        if reason := unusable(content):
            return Skipped(self._make.file_id(blob.path), blob.path, reason, self._make.file_url(blob.path))
        return self._make.file(blob.path, content, commit)

    def _last_commit(self, path: str) -> Payload:
        """The commit that tells when and by whom a file was changed; empty where the server has no history."""
        if not self._knows_history:
            return {}
        try:
            return self._repository.client.last_commit(self._repository.name, self._make.branch, path)
        except NotFound:
            self._knows_history = False
        except RequestRejected:
            pass  # a document without a time is better than none
        return {}
