"""Pages of the wiki, which is a git repository beside the repository's own: only files with a new SHA are read.

https://docs.github.com/en/communities/documenting-your-project-with-wikis/about-wikis
A wiki that nobody has written yet is not there, and GitHub says the same of one that the token may not read. So that it
is not found tells nothing of pages that are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, PartState, Skipped, Window
from connectors.errors import NotFound
from connectors.file_content import SkipFile
from connectors.github.cursor import RepositoryCursor, file_version
from connectors.github.file_rules import MAX_FILE_BYTES, read_file
from connectors.github.git_protocol import Advertisement
from connectors.github.part_table import WIKI
from connectors.github.repository import Repository
from connectors.github.resources.files import ListedButMissing
from connectors.github.resources.part import RepositoryPart
from connectors.github.trees import GitFile
from connectors.github.wiki_pages import TOO_LARGE, page_fingerprint, page_title, reason_to_skip
from connectors.github.wikis import Wiki, WikiSnapshot

PAGES_PER_REQUEST = 100
_NOT_THERE = "nobody has written it, or the token may not read it: GitHub answers both alike"


class WikiResource(RepositoryPart):
    """`files` need the same permission, and GitHub tells of them whether it is given."""

    part = WIKI
    kinds = ("wiki",)

    def __init__(self, repository: Repository, files: RepositoryPart) -> None:
        super().__init__(repository)
        self._files = files
        self._wiki = Wiki(self.repository.client.git, self.repository.name)

    @property
    def state(self) -> PartState:
        if self.trouble or not self.repository.has_wiki or self._advertised:
            return super().state
        return PartState(self.part.name, "complete", id_prefixes=(self.documents.id_prefix("wiki"),))

    def probe(self) -> str | None:
        if not self.repository.has_wiki:
            return "not tried: it is switched off"
        if self._advertised:
            return None
        self._files.probe()
        return f"not tried: {_NOT_THERE}"

    def read_changes(self, cursor: RepositoryCursor, window: Window | None) -> Iterator[Item]:
        """One request where the newest commit is the one that was read."""
        if not self.repository.has_wiki:
            yield from self._delete(cursor, list(cursor.wiki))
            cursor.wiki_head = ""
        elif self._is_found(cursor):
            if window:
                yield from self._read_window(window)
            elif not cursor.wiki_head or self._head != cursor.wiki_head:
                yield from self._read_new(cursor)

    def entries(self) -> Iterator[ListingEntry]:
        if self.repository.has_wiki and self._is_found(None):
            for file in self._snapshot.files.values():
                fingerprint = "" if reason_to_skip(file) else page_fingerprint(file)
                yield ListingEntry(self.documents.wiki_id(file.path), page_title(file.path), None, fingerprint)

    def fetch(self, kind: str, name: str) -> Item | None:
        if not self.repository.has_wiki:
            return None
        if not self._advertised:
            return Failed(self.documents.wiki_id(name), name, f"the wiki is not found: {_NOT_THERE}")
        file = self._snapshot.files.get(name)
        return next(self._read([file])) if file else None

    @cached_property
    def _advertised(self) -> Advertisement | None:
        """None where there is no such repository, as far as the token sees, or none with a newest commit: what was
        there once has one, and an answer that is cut short may name none."""
        try:
            found = self._wiki.advertised()
        except NotFound:
            return None
        return found if found.head else None

    @cached_property
    def _snapshot(self) -> WikiSnapshot:
        return self._wiki.snapshot(self._advertised) if self._advertised else WikiSnapshot()

    @property
    def _head(self) -> str:
        return self._advertised.head if self._advertised else ""

    def _is_found(self, cursor: RepositoryCursor | None) -> bool:
        """Raises NotFound where that cannot mean that nobody has written it."""
        if not self._advertised and (self._files.trouble or (cursor and cursor.wiki)):
            raise NotFound(self._wiki.name)
        return self._advertised is not None

    def _read_new(self, cursor: RepositoryCursor) -> Iterator[Item]:
        """Pages that changed, and those that are gone. A page with a new name comes as a new one."""
        files = self._snapshot.files
        cursor.wiki_head = ""  # until all that is new has been read
        yield from self._delete(cursor, [path for path in cursor.wiki if path not in files])
        changed = [file for file in files.values() if cursor.wiki.get(file.path) != file_version(file)]
        for batch in _batches(changed):
            yield from self._read(batch)
            cursor.wiki.update((file.path, file_version(file)) for file in batch)
            yield Checkpoint(cursor.to_json())
        cursor.wiki_head = self._head

    def _read_window(self, window: Window) -> Iterator[Item]:
        """All, by the time of the newest commit, or nothing: which page it changed is not asked for."""
        if self._snapshot.committed_at in window:
            for batch in _batches(file for file in self._snapshot.files.values() if not reason_to_skip(file)):
                yield from self._read(batch)

    def _delete(self, cursor: RepositoryCursor, paths: Sequence[str]) -> Iterator[Item]:
        for path in paths:
            yield Deleted(self.documents.wiki_id(path))
            del cursor.wiki[path]

    def _read(self, files: Sequence[GitFile]) -> Iterator[Item]:
        """An item for each, after one request for all pages."""
        asked = dict.fromkeys(one.sha for one in files if not reason_to_skip(one))
        contents: dict[str, bytes | None] = {sha: found for sha in asked if (found := self._snapshot.contents.get(sha))}
        if missing := [sha for sha in asked if sha not in contents]:
            contents |= self._wiki.contents(missing)
        for file in files:
            document_id, read = self.documents.wiki_id(file.path), partial(self._item, file, contents)
            yield self.repository.isolation.attempt(document_id, page_title(file.path), read)

    def _item(self, file: GitFile, contents: dict[str, bytes | None]) -> Item:
        if reason := reason_to_skip(file):
            return self._skipped(file, reason)
        if file.sha not in contents:
            raise ListedButMissing(f"{self._wiki.name} does not give the file {file.path}")
        data = contents[file.sha]
        if data is None or len(data) > MAX_FILE_BYTES:
            return self._skipped(file, TOO_LARGE)
        try:
            return self.documents.wiki_page(file, read_file(data, file.path), self._snapshot.committed_at)
        except SkipFile as skipped:
            return self._skipped(file, skipped.reason)

    def _skipped(self, file: GitFile, reason: str) -> Skipped:
        return Skipped(self.documents.wiki_id(file.path), file.path, reason, self.documents.wiki_url(file.path))


def _batches(files: Iterable[GitFile]) -> Iterator[list[GitFile]]:
    """What is passed over takes no request, and so is one batch."""
    found = list(files)
    passed_over = [file for file in found if reason_to_skip(file)]
    pages = [file for file in found if not reason_to_skip(file)]
    if passed_over:
        yield passed_over
    for start in range(0, len(pages), PAGES_PER_REQUEST):
        yield pages[start : start + PAGES_PER_REQUEST]
