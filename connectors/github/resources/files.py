"""Text files of the default branch, found through its tree: only blobs with a new SHA are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from urllib.parse import quote

from connectors.contract import Checkpoint, Deleted, Item, ListingEntry, Skipped, Window
from connectors.errors import AuthenticationFailed, NotFound, RateLimited, RequestRejected, SourceError
from connectors.file_content import SkipFile
from connectors.github.cursor import SETTLED, RepositoryCursor
from connectors.github.file_rules import read_file
from connectors.github.part_table import FILES
from connectors.github.payloads.git import GitBlob, GitHubCommit, GitTree
from connectors.github.payloads.parsing import parse_time, time_or_none
from connectors.github.repository import Repository
from connectors.github.resources.file_batches import FileBatches
from connectors.github.resources.part import RepositoryPart
from connectors.github.trees import FileTree, GitFile, shown_files
from connectors.sampling import find_one

FILES_PER_CHECKPOINT = 20
_FAILED_IN_A_ROW = 2
"""So many files without an answer for their commit, and no more are asked for in one read."""

_TREE, _EMPTY = "tree", "empty since"
"""Under these names the cursor keeps the state of the tree, and of a repository without a commit, whose tree has none,
when something was pushed to it last."""
_CONFLICT = 409
"""Answer for the tree and the commits of a repository that has no commit."""


class ListedButMissing(SourceError):
    """An object that a listing has just shown to be there. It is no trouble of the source: others may well be there."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}, although the listing shows it")


class FileResource(RepositoryPart):
    part = FILES
    kinds = ("blob",)

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self._without_commit = 0
        self._undated: set[str] = set()
        self._by_path: dict[str, GitFile] | None = None
        self._batches = FileBatches(self.repository)

    def probe(self) -> None:
        """The tree, and the smallest of its files: that these are listed says nothing of what they hold."""
        files = [file for file in self._shown_files() if not self.repository.rules.reason_to_skip(file)]
        blobs = f"{self.repository.path}/git/blobs"
        find_one(
            sorted(files, key=attrgetter("size")),
            lambda file: self.repository.client.ask(GitBlob, f"{blobs}/{quote(file.sha)}"),
        )

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """Files that changed, and those that are gone. Names with a new place come as new files."""
        if window:
            yield from self._read_window(window)
            return
        pushed_at = self._pushed_at
        if pushed_at and cursor.etags.get(_EMPTY) == pushed_at:
            return
        undated = self._find_datable(cursor)
        tree = self._tree(None if undated else cursor.etags.get(_TREE))
        if tree is None:
            return
        for name in (_TREE, _EMPTY):
            cursor.etags.pop(name, None)  # until all that is new has been read
        yield from self._delete_missing(tree, cursor)
        changed = [file for file in tree.files if file.path in undated or not cursor.has(file)]
        for count, file in enumerate(self._in_advance(changed), start=1):
            if cursor.has(file) and self._without_commit >= _FAILED_IN_A_ROW:
                continue  # it would be read as it was
            if item := self._item(file, None, may_be_undated=True):
                yield self.checked(item)
            cursor.keep_file(file, is_dated=file.path not in self._undated)
            if count % FILES_PER_CHECKPOINT == 0:
                yield Checkpoint(cursor.to_json())
        cursor.keep_etag(_TREE, tree.etag)
        if not tree.files and not tree.etag:
            cursor.keep_etag(_EMPTY, pushed_at)

    def entries(self) -> Iterator[ListingEntry]:
        tree = self._tree(None)
        for file in tree.files if tree else ():
            yield ListingEntry(self.documents.file_id(file.path), file.path)

    def fetch(self, kind: str, name: str) -> Item | None:
        if self._by_path is None:
            tree = self._tree(None)
            self._by_path = {file.path: file for file in tree.files} if tree else {}
        item = self._item(self._by_path[name], None) if name in self._by_path else None
        return self.checked(item) if item else None

    def _shown_files(self) -> list[GitFile]:
        """As far as one request tells them, without much patience."""
        path = f"{self.repository.path}/git/trees/{quote(self.documents.branch)}"
        with self._empty_allowed():
            return shown_files(self.repository.client.ask(GitTree, path, recursive="1"))
        return []

    def _in_advance(self, files: Iterable[GitFile]) -> Iterator[GitFile]:
        """`files`, of which those that are read have been asked for together when they come."""
        waiting: list[GitFile] = []
        for file in files:
            if self.repository.rules.reason_to_skip(file):
                yield file
                continue
            waiting.append(file)
            if self._batches.is_full(waiting):
                yield from self._batches.read(waiting)
                waiting = []
        yield from self._batches.read(waiting)

    def _find_datable(self, cursor: RepositoryCursor) -> set[str]:
        """Paths of the files that were read without a commit, once one is given: a single request tells, each time
        about another of them, since one may have none for good."""
        undated = cursor.undated
        if not undated:
            return set()
        self._last_commit(undated[0], may_be_undated=True)
        if undated[0] not in self._undated:
            return set(undated)
        self._undated.clear()  # it was only asked about
        cursor.files[undated[0]] = cursor.files.pop(undated[0])
        return set()

    def _read_window(self, window: Window) -> Iterator[Item]:
        tree = self._tree(None)
        for file in self._in_advance(tree.files if tree else ()):
            if item := self._item(file, window):
                yield self.checked(item)

    def _delete_missing(self, tree: FileTree, cursor: RepositoryCursor) -> Iterator[Item]:
        present = {file.path for file in tree.files}
        for path in [path for path in cursor.files if path not in present]:
            yield Deleted(self.documents.file_id(path))
            del cursor.files[path]

    @property
    def _pushed_at(self) -> str | None:
        """When something was pushed last; None where another push within the same second may still come."""
        told = self.repository.payload.pushed_at
        pushed = time_or_none(told)
        return told if pushed and pushed + SETTLED <= self.repository.read_at else None

    def _tree(self, etag: str | None) -> FileTree | None:
        with self._empty_allowed():
            return self.repository.client.tree(self.repository.name, self.documents.branch, etag)
        return FileTree(None, ())

    @contextmanager
    def _empty_allowed(self) -> Iterator[None]:
        """Lets pass how GitHub says that a repository has no commit yet."""
        try:
            yield
        except RequestRejected as error:
            if error.status != _CONFLICT:
                raise
        except NotFound:
            if self.repository.payload.size != 0:
                raise  # no such branch, of a repository that has others

    def _item(self, file: GitFile, window: Window | None, *, may_be_undated: bool = False) -> Item | None:
        """A file's document; None if it was last changed outside of `window`. One that `may_be_undated` is read, too,
        where nobody tells who changed it last and when."""
        if reason := self.repository.rules.reason_to_skip(file):
            return None if window else self._skipped(file, reason)
        read = partial(self._read, file, window, may_be_undated)
        return self.repository.attempt(self.documents.file_id(file.path), file.path, read)

    def _read(self, file: GitFile, window: Window | None, may_be_undated: bool) -> Item | None:
        found = self._batches.take(file)
        commit = found.commit if found else self._last_commit(file.path, may_be_undated=may_be_undated)
        if window and parse_time(commit.committed_at) not in window:
            return None
        data = found.content if found else self._blob(file)
        try:
            return self.documents.file(file.path, read_file(data, file.path), commit)
        except SkipFile as skipped:
            return self._skipped(file, skipped.reason)

    def _blob(self, file: GitFile) -> bytes:
        """Raises SourceError: never NotFound, since the tree shows that it is there."""
        try:
            return self.repository.client.blob(self.repository.name, file.sha)
        except NotFound as error:  # GitHub's replicas can lag behind a push
            raise ListedButMissing(str(error)) from error

    def _skipped(self, file: GitFile, reason: str) -> Skipped:
        return Skipped(self.documents.file_id(file.path), file.path, reason, self.documents.file_url(file.path))

    def _last_commit(self, path: str, *, may_be_undated: bool) -> GitHubCommit:
        """The commit that tells when and by whom a file was changed; one without fields where none is given, as it is
        for all that cannot be had where the file `may_be_undated`: it is noted then."""
        if self._without_commit < _FAILED_IN_A_ROW:
            try:
                commit = self.repository.client.last_commit(self.repository.name, self.documents.branch, path)
                self._without_commit = 0
                if commit:
                    return commit  # else the history lags behind the tree, which lists the file
            except (AuthenticationFailed, RateLimited):
                raise
            except RequestRejected as error:
                if error.status != _CONFLICT:
                    return GitHubCommit()  # about this path alone: a document without a time is better than none
                self._without_commit = _FAILED_IN_A_ROW  # of a repository without a commit, which has no files
            except NotFound:
                self._without_commit = _FAILED_IN_A_ROW  # no such part of the API, for now
            except SourceError:
                if not may_be_undated:
                    raise
                self._without_commit += 1
        self._undated.add(path)
        return GitHubCommit()
